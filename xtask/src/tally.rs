//! What came out of a step: how many checks passed, and by name those that failed or were skipped.

/// The one reason to skip that is no failure anywhere: real traces are not part of the project.
pub const OUTSIDE_TRACES: &str = "outside traces";

/// A check that was not run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The check.
    pub name: String,
    /// Why it was not run.
    pub why: String,
}

/// Counts of passed, failed and skipped checks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// How many checks passed.
    pub passed: u64,
    /// The checks that failed.
    pub failed: Vec<String>,
    /// The checks that were not run.
    pub skipped: Vec<Skip>,
}

impl Tally {
    /// A tally of one check.
    pub fn of(name: &str, result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self { passed: 1, ..Self::default() },
            Err(why) => Self { failed: vec![format!("{name}: {why}")], ..Self::default() },
        }
    }

    /// A tally of one check that was not run.
    pub fn skip(name: &str, why: impl Into<String>) -> Self {
        Self { skipped: vec![Skip { name: name.into(), why: why.into() }], ..Self::default() }
    }

    /// Adds another tally's checks to this one.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.skipped.extend(other.skipped);
    }

    /// Whether the run may pass: nothing failed and, where skips count, nothing else was skipped either.
    pub fn is_good(&self, skips_count: bool) -> bool {
        let harmful = self.skipped.iter().any(|skip| !skip.why.starts_with(OUTSIDE_TRACES));
        self.failed.is_empty() && !(skips_count && harmful)
    }

    /// The line that a run ends with.
    pub fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_traces_are_the_one_skip_that_ci_accepts() {
        let mut tally = Tally::skip("azure", "outside traces: WCI_TRACES is not set");
        assert!(tally.is_good(true));
        tally.add(Tally::skip("licences", "no cargo-deny"));
        assert!(!tally.is_good(true));
        assert!(tally.is_good(false));
    }

    #[test]
    fn a_failed_check_spoils_every_run() {
        let mut tally = Tally::of("good", Ok(()));
        tally.add(Tally::of("bad", Err("why".into())));
        assert!(!tally.is_good(false));
        assert_eq!(tally.failed, ["bad: why"]);
        assert_eq!(tally.line(), "1 passed, 1 failed, 0 skipped");
    }
}
