//! The command `wci`.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

fn main() -> std::process::ExitCode {
    wci_sim::cli::main()
}
