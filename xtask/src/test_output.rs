//! Reads the counts out of what `cargo test` prints.

use crate::tally::{Skip, Tally};

/// Counts while the lines of `cargo test` go by.
#[derive(Default)]
pub struct Counter {
    tally: Tally,
    failed: u64,
}

impl Counter {
    /// Looks at one line.
    pub fn look(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.tally.passed += count_before(rest, " passed");
            self.failed += count_before(rest, " failed");
        } else if let Some((name, outcome)) = test_and_outcome(line) {
            self.one_test(name, outcome);
        }
    }

    /// The counts, once `cargo test` has ended. A run that failed without a failed test (it did not build, or a
    /// test program died) is one failure by itself.
    pub fn finish(mut self, ended_well: bool) -> Tally {
        let failed = &mut self.tally.failed;
        // A test that writes past the capture tears its own line apart, so that only the sum knows of it.
        while (failed.len() as u64) < self.failed {
            failed.push("a test whose name its own output hid".into());
        }
        if !ended_well && failed.is_empty() {
            failed.push("cargo test ended with an error outside any test".into());
        }
        self.tally
    }

    fn one_test(&mut self, name: &str, outcome: &str) {
        if outcome == "FAILED" || outcome.starts_with("FAILED ") {
            self.tally.failed.push(name.into());
        } else if let Some(why) = outcome.strip_prefix("ignored") {
            let why = why.trim_start_matches([',', ' ']);
            let why = if why.is_empty() { "ignored" } else { why };
            self.tally.skipped.push(Skip { name: name.into(), why: why.into() });
        }
    }
}

fn test_and_outcome(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.rsplit_once(" ... ")
}

/// The number that stands before `word`, 0 where there is none.
fn count_before(text: &str, word: &str) -> u64 {
    let before = text.find(word).map_or("", |at| &text[..at]);
    before.rsplit([' ', ';']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(ended_well: bool, lines: &str) -> Tally {
        let mut counter = Counter::default();
        lines.lines().for_each(|line| counter.look(line));
        counter.finish(ended_well)
    }

    #[test]
    fn sums_over_test_programs_and_names_failures() {
        let lines = "test a ... ok\ntest b::c ... FAILED\n\
            test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let tally = count(false, lines);
        assert_eq!(tally.passed, 13);
        assert_eq!(tally.failed, ["b::c"]);
    }

    #[test]
    fn an_ignored_test_keeps_its_reason() {
        let tally =
            count(true, "test slow ... ignored, outside traces\ntest src/lib.rs - x (line 3) ... ignored");
        assert_eq!(tally.skipped[0], Skip { name: "slow".into(), why: "outside traces".into() });
        assert_eq!(tally.skipped[1].name, "src/lib.rs - x (line 3)");
    }

    #[test]
    fn a_run_that_does_not_build_is_a_failure() {
        assert_eq!(count(false, "").failed.len(), 1);
        let crashed = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(count(false, crashed).failed.len(), 1);
        assert_eq!(count(true, crashed).failed.len(), 0);
    }

    #[test]
    fn a_failed_test_with_a_torn_line_is_still_counted() {
        let torn = "test noisy ... hello\nFAILED\ntest result: FAILED. 0 passed; 1 failed; 0 ignored";
        assert_eq!(count(false, torn).failed.len(), 1);
    }

    #[test]
    fn what_a_test_prints_is_not_a_result() {
        assert_eq!(count(true, "result: 7 passed\ntest of patience\n"), Tally::default());
    }
}
