//! `cargo xtask test`: every test there is, as a table of steps.

use crate::shell::{cargo, real_traces, stream};
use crate::step::Step;
use crate::tally::{OUTSIDE_TRACES, Tally};
use crate::test_output::Counter;
use crate::{browser, draws, live, wasm, wci};
use std::process::Command;

/// In the order in which a person wants to hear of failures.
pub const STEPS: &[Step] = &[
    Step { name: "cargo test", run: cargo_test },
    Step { name: "golden scenarios", run: wci::golden },
    Step { name: "builds for wasm", run: wasm::builds },
    Step { name: "same draws everywhere", run: draws::check },
    Step { name: "browser", run: browser::test },
];

/// Unit tests, integration tests and doc tests of every crate.
fn cargo_test() -> Result<Tally, String> {
    let mut counter = Counter::default();
    let ended_well = stream(&mut build_and_test(), |line| counter.look(line))?;
    let mut tally = counter.finish(ended_well);
    if let Err(why) = live::tools() {
        tally.add(Tally::skip("tests against real servers", format!("they are not to be had: {why}")));
    }
    if real_traces().is_none() {
        tally.add(Tally::skip("tests on real traces", OUTSIDE_TRACES));
    }
    Ok(tally)
}

/// The command that builds every test, and the programs beside them, and runs the tests.
///
/// Tests on real traces belong to a feature: they are built and run when `WCI_TRACES` says where the traces are. So do
/// tests against real servers, which are fetched.
pub fn build_and_test() -> Command {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast", "--profile", "ci"]);
    if let Some(traces) = real_traces() {
        command.env("WCI_TRACES", traces).args(["--features", "wci-sim/outside-traces"]);
    }
    if let Ok(tools) = live::tools() {
        command.env("WCI_LIVE_TOOLS", tools).args(["--features", "wci-providers/live-tests"]);
    }
    command
}
