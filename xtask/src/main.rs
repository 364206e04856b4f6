//! `cargo xtask`: tests, checks and chores of this workspace, with nothing to install by hand.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

mod bench;
mod bless;
mod book;
mod browser;
mod deny;
mod draws;
mod engines;
mod fix;
mod house_rules;
mod instructions;
mod live;
mod pages;
mod shell;
mod soak;
mod step;
mod tally;
mod test;
mod test_output;
mod verify;
mod wasm;
mod wci;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND [STEP..]

  test     run every test; the last line says how many passed, failed and were skipped
  verify   check formatting, lints, docs, licences and boundaries; changes nothing
  fix      format and apply what clippy can mend by itself
  bless    write the golden results anew and show what changed
  wasm     build the package of the browser pages anew
  pages    serve the browser pages to this machine (PORT, default 8000)
  bench    run the benches and print a table
  soak     kill the live controller a hundred times (twenty minutes)
  engines  run the same work on other simulation engines and print a table

STEP limits test and verify to the steps whose name contains that text.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let result = match command.as_str() {
        "test" => step::run_all(test::STEPS, rest),
        "verify" => step::run_all(verify::STEPS, rest),
        "fix" => fix::run(),
        "bless" => bless::run(),
        "wasm" => browser::rebuild(),
        "pages" => pages::run(rest),
        "bench" => bench::run(),
        "engines" => engines::run(),
        "soak" => soak::run(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        unknown => Err(format!("unknown command `{unknown}`\n\n{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
