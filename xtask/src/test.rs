//! `cargo xtask test`: every test there is, as a table of steps.

use crate::shell::{cargo, real_traces, stream};
use crate::step::Step;
use crate::tally::Tally;
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
/// Tests on real traces carry `#[ignore = "outside traces"]`: they run when `WCI_TRACES` says where the traces are,
/// and are otherwise counted, by name, as skipped.
fn cargo_test() -> Result<Tally, String> {
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast", "--profile", "ci"]);
    if let Some(traces) = real_traces() {
        command.env("WCI_TRACES", traces).args(["--", "--include-ignored"]);
    }
    let mut counter = Counter::default();
    let ended_well = stream(&mut command, |line| counter.look(line))?;
    Ok(counter.finish(ended_well))
}
