//! `cargo xtask verify`: read-only checks of form and boundaries, as a table of steps.

use crate::shell::{self, cargo};
use crate::step::Step;
use crate::tally::Tally;
use crate::{book, deny, house_rules, instructions, wasm, wci};

/// Quick checks first.
pub const STEPS: &[Step] = &[
    Step { name: "format", run: format },
    Step { name: "house rules", run: house_rules::check },
    Step { name: "links of the book", run: book::check },
    Step { name: "independent algorithms", run: house_rules::check_algorithms },
    Step { name: "licences, bans, sources", run: deny::check },
    Step { name: "clippy", run: clippy },
    Step { name: "docs", run: docs },
    Step { name: "wasm imports", run: wasm::imports_nothing },
    Step { name: "same bytes", run: wci::same_bytes },
    Step { name: "instruction counts", run: instructions::check },
];

fn format() -> Result<Tally, String> {
    Ok(Tally::of("format", shell::run(&mut cargo(&["fmt", "--all", "--check"]))))
}

/// With everything optional and with nothing optional: both are shipped. The profile is that of the tests: what runs
/// while it is built, macros and build scripts, is built once for both.
fn clippy() -> Result<Tally, String> {
    let lint = |scope: &[&str]| {
        let mut command = cargo(&["clippy", "--quiet", "--profile", "ci"]);
        shell::run(command.args(scope).args(["--", "-D", "warnings"]))
    };
    let mut tally = Tally::default();
    let all = lint(&["--workspace", "--all-targets", "--all-features"]);
    tally.add(Tally::of("clippy, all features", all));
    let bare = lint(&["--package", "wci-sim", "--all-targets", "--no-default-features"]);
    tally.add(Tally::of("clippy, wci-sim with nothing optional", bare));
    let view = lint(&["--package", "wci-wasm", "--lib", "--no-default-features"]);
    tally.add(Tally::of("clippy, the first view of the browser", view));
    Ok(tally)
}

fn docs() -> Result<Tally, String> {
    let mut command = cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--profile", "ci"]);
    Ok(Tally::of("docs", shell::run(command.env("RUSTDOCFLAGS", "-D warnings"))))
}
