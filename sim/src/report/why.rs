//! One decision in words: what spoke, on which numbers, what was wished, what cut it, what was done.

use super::units::{duration_ms, duration_s, number, plural};
use wci_core::Decision;
use wci_core::decision::Rule;

/// Which way an action moved the number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More workers.
    Up,
    /// Fewer workers.
    Down,
    /// The rule does not say; the size is set as it should be.
    Set,
}

/// Which way this decision moves, by the rule that spoke.
#[must_use]
pub const fn direction(decision: &Decision) -> Direction {
    match decision.reason.rule {
        Rule::NoSyncMatch
        | Rule::BacklogAboveThreshold
        | Rule::LifetimeRefresh
        | Rule::OfferedLoadAbove
        | Rule::NoFreeSlot
        | Rule::ControlAbove => Direction::Up,
        Rule::OfferedLoadBelow | Rule::BacklogEmpty | Rule::ControlBelow | Rule::BelowPeakRate => {
            Direction::Down
        }
        _ => Direction::Set,
    }
}

/// Why, in full: the rule's sentence, its numbers, the wish and the limit.
#[must_use]
pub fn why(decision: &Decision) -> String {
    let mut text = decision.reason.rule.sentence().to_owned();
    let numbers = numbers(decision);
    if !numbers.is_empty() {
        text = format!("{} ({numbers}).", text.trim_end_matches('.'));
    }
    let limit = decision.reason.limit.map(|limit| limit.sentence().to_owned());
    for part in [wish(decision), limit, held_back(decision)].into_iter().flatten() {
        text.push(' ');
        text.push_str(&part);
    }
    text
}

/// The numbers a rule looked at, with their units: `backlog 12, elapsed 1.2 s`.
#[must_use]
pub fn numbers(decision: &Decision) -> String {
    let shown: Vec<String> = decision.reason.inputs.iter().map(|(name, x)| named_number(name, *x)).collect();
    shown.join(", ")
}

/// What was done: `+1 worker`, `set to 6 workers`, or `nothing`.
#[must_use]
pub fn outcome(decision: &Decision) -> String {
    let workers = |n: i64| plural(n.unsigned_abs(), "worker", "workers");
    match (decision.action_id, decision.reason.desired_workers) {
        (None, _) => "nothing".into(),
        (Some(_), None) => "acted".into(),
        (Some(_), Some(n)) if asks_for_more(decision) => format!("+{}", workers(n)),
        (Some(_), Some(n)) => format!("set to {}", workers(n)),
    }
}

/// The wish, where a limit changed it.
fn wish(decision: &Decision) -> Option<String> {
    let (wished, left) = (decision.reason.recommended_workers?, decision.reason.desired_workers?);
    let more = if asks_for_more(decision) { " more" } else { "" };
    (wished != left).then(|| format!("It wished {wished}{more}, the limits left {left}."))
}

fn held_back(decision: &Decision) -> Option<String> {
    let n = u64::from(decision.throttled);
    (n > 0).then(|| format!("That left {} unanswered.", plural(n, "add", "adds")))
}

/// `no-sync` counts in workers more, every other algorithm in workers in all.
fn asks_for_more(decision: &Decision) -> bool {
    decision.algorithm.starts_with("no-sync")
}

/// Names that read better in other words than their own.
const WORDS: [(&str, &str); 9] = [
    ("no_sync_match_count", "adds without a waiting worker"),
    ("sync_match_count", "adds with one"),
    ("utilization_workers", "workers for the utilization target"),
    ("halfin_whitt_workers", "workers with the safety margin"),
    ("ewma_arrival_rate", "smoothed arrival rate"),
    ("ewma_dispatch_rate", "smoothed dispatch rate"),
    ("max_scale_up_step", "largest step up"),
    ("capacity", "capacity of a worker"),
    ("previous_capacity", "before"),
];

/// The unit stands at the end of a number's name, as in `cooldown_ms` and `arrival_rate`.
fn named_number(name: &str, x: f64) -> String {
    /// Longer than any run: there was no action before.
    const TEN_YEARS_MS: f64 = 3.2e11;
    let base = name.strip_suffix("_ms").or_else(|| name.strip_suffix("_s")).unwrap_or(name);
    let words = WORDS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or_else(|| base.replace('_', " "), |(_, w)| (*w).into());
    match name {
        "elapsed_ms" if x > TEN_YEARS_MS => "no action before".into(),
        "elapsed_ms" => format!("{} since the last action", duration_ms(x)),
        _ if name.ends_with("_ms") => format!("{words} {}", duration_ms(x)),
        _ if name.ends_with("_s") => format!("{words} {}", duration_s(x)),
        _ if name.ends_with("_rate") || name.ends_with("capacity") => format!("{words} {}/s", number(x)),
        _ => format!("{words} {}", number(x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::decision;
    use wci_core::decision::Limit;

    #[test]
    fn says_rule_numbers_wish_and_limit() {
        let mut cut = decision("workflows", Rule::OfferedLoadAbove, Some(Limit::MaxStep), true);
        cut.reason = cut.reason.with("arrival_rate", 12.5).with("elapsed_ms", 2500.0);
        cut.reason.recommended_workers = Some(9);
        cut.reason.desired_workers = Some(5);
        assert_eq!(
            why(&cut),
            "The arrival rate, the drain rate and the safety margin ask for more workers \
             (arrival rate 12.5/s, 2.5 s since the last action). It wished 9, the limits left 5. \
             One action may add only so many workers."
        );
        assert_eq!(outcome(&cut), "set to 5 workers");
    }

    #[test]
    fn names_numbers_as_people_do() {
        assert_eq!(named_number("activity_backlog_count", 1200.0), "activity backlog count 1,200");
        assert_eq!(named_number("cooldown_ms", 100.0), "cooldown 100 ms");
        assert_eq!(named_number("capacity", 2.5), "capacity of a worker 2.5/s");
        assert_eq!(named_number("elapsed_ms", 1.7e12), "no action before");
        assert_eq!(named_number("no_sync_match_count", 3.0), "adds without a waiting worker 3");
    }

    #[test]
    fn counts_no_sync_in_workers_more() {
        let mut up = decision("activities", Rule::NoSyncMatch, None, true);
        up.algorithm = "no-sync".into();
        up.reason.desired_workers = Some(1);
        assert_eq!(outcome(&up), "+1 worker");
        assert_eq!(why(&up), "Tasks found no waiting worker.");
    }

    #[test]
    fn says_nothing_was_done_when_nothing_was() {
        assert_eq!(outcome(&decision("a", Rule::NoChange, None, false)), "nothing");
    }
}
