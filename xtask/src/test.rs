//! `cargo xtask test`: every test there is, as a table of steps.

use crate::shell::{cargo, real_traces, stream};
use crate::step::Step;
use crate::tally::{OUTSIDE_TRACES, Tally};
use crate::test_output::Counter;
use crate::{draws, wasm, wci};

/// In the order in which a person wants to hear of failures.
pub const STEPS: &[Step] = &[
    Step { name: "cargo test", run: cargo_test },
    Step { name: "golden scenarios", run: wci::golden },
    Step { name: "builds for wasm", run: wasm::builds },
    Step { name: "same draws everywhere", run: draws::check },
];

/// Unit tests, integration tests and doc tests of every crate.
///
/// Tests on real traces belong to a feature: they are built and run when `WCI_TRACES` says where the traces are, and
/// are otherwise counted as skipped.
fn cargo_test() -> Result<Tally, String> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast", "--profile", "ci"]);
    let traces = real_traces();
    if let Some(traces) = &traces {
        command.env("WCI_TRACES", traces).args(["--features", "wci-sim/outside-traces"]);
    }
    let mut counter = Counter::default();
    let ended_well = stream(&mut command, |line| counter.look(line))?;
    let mut tally = counter.finish(ended_well);
    if traces.is_none() {
        tally.add(Tally::skip("tests on real traces", OUTSIDE_TRACES));
    }
    Ok(tally)
}
