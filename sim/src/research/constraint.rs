//! Whether a setting meets what was asked for, and how surely.

use super::estimate::LEVEL;
use super::replicate::Replications;
use super::student::two_sided;
use crate::scenario::expect::{Bound, Comparison, Expectation, Figure};

/// The level of the interval by which two means may differ, for a result to have room.
const CONFIRMED: f64 = 0.98;

/// How far replications are from meeting a constraint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// Whether the interval's end that matters meets the bound.
    pub holds: bool,
    /// Whether the mean is so far inside the bound that, were figures normal with the deviation seen, other seeds would
    /// hardly say otherwise. An approximation, and no proof: that takes other seeds.
    pub is_sure: bool,
    /// How far the mean is beyond the bound, as a share of it; 0 if it is not, infinite if no distance is known.
    pub violation: f64,
    /// The same for the end that has to meet the bound for [`Verdict::is_sure`].
    pub shortfall: f64,
    /// Whether the whole interval lies beyond the bound.
    pub is_hopeless: bool,
}

impl Verdict {
    /// Nothing is asked for, or it is plainly there.
    pub const MET: Self =
        Self { holds: true, is_sure: true, violation: 0.0, shortfall: 0.0, is_hopeless: false };
    const MISSED: Self = Self::missed_by(f64::INFINITY);

    /// Not met, by this share of the bound.
    const fn missed_by(violation: f64) -> Self {
        Self { holds: false, is_sure: false, violation, shortfall: violation, is_hopeless: true }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            holds: self.holds && other.holds,
            is_sure: self.is_sure && other.is_sure,
            violation: self.violation + other.violation,
            shortfall: self.shortfall + other.shortfall,
            is_hopeless: self.is_hopeless || other.is_hopeless,
        }
    }
}

/// Judges all constraints together. A run that is overloaded meets none; a lower bound never shows that something is
/// less than a limit. `wanted` is the number of replications of the study that is to confirm the result.
#[must_use]
pub fn judge(constraints: &[Expectation], result: &Replications, wanted: u64) -> Verdict {
    let verdicts = constraints.iter().map(|constraint| verdict(constraint, result, wanted));
    let all = verdicts.fold(Verdict::MET, Verdict::and);
    if result.overloaded() == 0 {
        return all;
    }
    // Still tell a little too much from far too much: a search needs a slope to go down.
    let share = result.overloaded() as f64 / result.runs.len() as f64;
    Verdict { shortfall: all.shortfall + share, ..Verdict::missed_by(all.violation + share) }
}

fn verdict(constraint: &Expectation, result: &Replications, wanted: u64) -> Verdict {
    let figures = result.figures(&constraint.key);
    let Bound::Number(bound) = constraint.bound else {
        let same = figures.iter().all(|figure| is_equal(figure, &constraint.bound));
        return if same { Verdict::MET } else { Verdict::MISSED };
    };
    let is_upwards = constraint.comparison.is_upwards();
    let is_known = |figure: &Figure| match figure {
        Figure::Number(_) => true,
        Figure::AtLeast(_) | Figure::Infinite => is_upwards,
        _ => false,
    };
    let numbers: Vec<f64> = figures.iter().map(Figure::number).collect();
    if !figures.iter().all(is_known) {
        // A lower bound that is below the limit misses it all the same.
        return Verdict::missed_by(beyond(&numbers, bound, is_upwards) + 1.0);
    }
    if constraint.comparison == Comparison::Equal {
        let holds = numbers.iter().all(|number| constraint.comparison.holds(*number, bound));
        return if holds { Verdict::MET } else { Verdict::MISSED };
    }
    let Spread { mean, deviation } = Spread::of(&numbers);
    let n = numbers.len() as f64;
    let sign = if is_upwards { -1.0 } else { 1.0 };
    let end = |errors: f64| mean + sign * errors;
    let half = two_sided(LEVEL, numbers.len() as u64 - 1) * deviation / n.sqrt();
    let half = if deviation == 0.0 { 0.0 } else { half };
    Verdict {
        holds: constraint.comparison.holds(end(half), bound),
        is_sure: constraint.comparison.holds(end(room(wanted) * deviation), bound),
        violation: beyond(&[mean], bound, is_upwards),
        shortfall: beyond(&[end(room(wanted) * deviation)], bound, is_upwards),
        is_hopeless: !constraint.comparison.holds(end(-half), bound),
    }
}

/// How many standard deviations of one run the mean has to stay away from the bound: half of the interval that
/// `wanted` other seeds would have, and what two means of so many seeds differ by. Both as if figures were normal and
/// their deviation were the one that was seen.
fn room(wanted: u64) -> f64 {
    let degrees = wanted.max(2) - 1;
    let n = wanted.max(2) as f64;
    (two_sided(LEVEL, degrees) + std::f64::consts::SQRT_2 * two_sided(CONFIRMED, degrees)) / n.sqrt()
}

/// How far the mean lies beyond the bound, as a share of it.
fn beyond(numbers: &[f64], bound: f64, is_upwards: bool) -> f64 {
    let mean = numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
    let beyond = if is_upwards { bound - mean } else { mean - bound };
    if mean.is_nan() { f64::INFINITY } else { beyond.max(0.0) / bound.abs().max(f64::MIN_POSITIVE) }
}

struct Spread {
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(numbers: &[f64]) -> Self {
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        // One value says nothing about how far others may lie.
        let deviation = if numbers.len() > 1 { (squares / (n - 1.0)).sqrt() } else { f64::INFINITY };
        Self { mean, deviation }
    }
}

fn is_equal(figure: &Figure, bound: &Bound) -> bool {
    match (figure, bound) {
        (Figure::Flag(flag), Bound::Flag(bound)) => flag == bound,
        (Figure::Text(text), Bound::Text(bound)) => text == bound,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::replicate::Plan;
    use crate::research::testing::replications;

    fn judged(text: &str, changes: &[(&str, &str)]) -> Verdict {
        let constraint = Expectation::parse(text, &["activities"]).unwrap();
        judge(&[constraint], &replications(changes, &Plan::of(10)), 30)
    }

    #[test]
    fn a_bound_is_met_by_the_end_of_the_interval_and_not_by_the_mean() {
        let result = replications(&[], &Plan::of(10));
        let estimate = result.estimate("tasks.arrived");
        let (mean, high) = (estimate.mean.unwrap(), estimate.high().unwrap());
        let between = format!("tasks.arrived < {}", f64::midpoint(mean, high));
        assert!(!judged(&between, &[]).holds);
        let above = judged(&format!("tasks.arrived < {}", high + 0.5), &[]);
        assert!(above.holds && !above.is_sure);
        assert!(judged(&format!("tasks.arrived < {}", mean * 2.0), &[]).is_sure);
    }

    #[test]
    fn a_censored_percentile_never_satisfies_a_constraint() {
        let cut = [("horizon = \"5m\"", "horizon = \"5m\"\nend = \"cut\""), ("no-sync", "fixed")];
        for bound in ["1s", "1h", "400d"] {
            let verdict = judged(&format!("schedule_to_start.p99 < {bound}"), &cut);
            assert!(!verdict.holds && !verdict.is_sure, "{bound}: {verdict:?}");
        }
    }

    #[test]
    fn what_is_far_beyond_is_hopeless() {
        let verdict = judged("tasks.arrived < 10", &[]);
        assert!(verdict.is_hopeless && verdict.violation > 10.0, "{verdict:?}");
    }

    #[test]
    fn flags_and_counts_are_compared_run_by_run() {
        assert!(judged("overloaded == false", &[]).is_sure);
        assert!(!judged("overloaded == true", &[]).holds);
        assert!(judged("tasks.failed == 0", &[]).is_sure);
    }
}
