//! One decision in words: what spoke, on which numbers, what was wished, what cut it, what was done.

use super::units::{count, duration_ms, duration_s, number, plural};
use crate::results::{DecisionCount, TimedDecision};
use std::iter::once;
use wci_core::Decision;
use wci_core::controller::FailureClass;
use wci_core::decision::{GroupName, Limit, Rule};
use wci_core::sorted_by;

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

/// Which way this decision moves: by its numbers where it has them, else by the rule that spoke.
#[must_use]
pub fn direction(decision: &Decision) -> Direction {
    match (current_workers(decision), decision.reason.desired_workers) {
        (Some(current), Some(desired)) if desired > current => Direction::Up,
        (Some(current), Some(desired)) if desired < current => Direction::Down,
        (Some(_), Some(_)) => Direction::Set,
        _ => direction_of(decision.reason.rule),
    }
}

const fn direction_of(rule: Rule) -> Direction {
    match rule {
        Rule::NoSyncMatch
        | Rule::BacklogAboveThreshold
        | Rule::LifetimeRefresh
        | Rule::OfferedLoadAbove
        | Rule::NoFreeSlot
        | Rule::ControlAbove
        | Rule::UtilizationAbove
        | Rule::BacklogPerWorkerAbove
        | Rule::Activated
        | Rule::ConcurrencyAbove
        | Rule::Panic
        | Rule::ForecastAbove
        | Rule::CostAbove => Direction::Up,
        Rule::OfferedLoadBelow
        | Rule::BacklogEmpty
        | Rule::ControlBelow
        | Rule::BelowPeakRate
        | Rule::UtilizationBelow
        | Rule::BacklogPerWorkerBelow
        | Rule::Deactivated
        | Rule::ConcurrencyBelow
        | Rule::SurplusOverBreakEven
        | Rule::ForecastBelow
        | Rule::CostBelow => Direction::Down,
        _ => Direction::Set,
    }
}

/// Why, in one or two sentences with numbers.
#[must_use]
pub fn why(decision: &Decision) -> String {
    let text = decision.reason.explain(&decision.algorithm);
    let text = text.strip_prefix("Why: ").unwrap_or(&text);
    match u64::from(decision.throttled) {
        0 => text.to_owned(),
        n => format!("{text} That left {} unanswered.", plural(n, "add", "adds")),
    }
}

/// What this kind of decision has in common: the rule's sentence with its settings, and the limit's.
#[must_use]
pub fn kind(decision: &Decision) -> String {
    let rule = rule(decision);
    match decision.reason.limit {
        Some(limit) => format!("{rule} Held back: {}", lower_first(limit.sentence())),
        None => rule,
    }
}

/// The rule's sentence with the settings it goes by: `The backlog is above the threshold (threshold 5, cooldown
/// 100 ms).`
#[must_use]
pub fn rule(decision: &Decision) -> String {
    let is_setting = |name: &str| SETTINGS.contains(&name);
    let inputs = decision.reason.inputs.iter().filter(|(name, _)| is_setting(name));
    let settings: Vec<String> = inputs.map(|(name, x)| named_number(name, *x)).collect();
    let sentence = decision.reason.rule.sentence();
    if settings.is_empty() {
        return sentence.to_owned();
    }
    format!("{} ({}).", sentence.trim_end_matches('.'), settings.join(", "))
}

/// Inputs of a decision that come from the spec and not from what was seen.
const SETTINGS: [&str; 18] = [
    "threshold",
    "cooldown_ms",
    "lifetime_ms",
    "epsilon",
    "min_count",
    "max_count",
    "max_scale_up_step",
    "no_sync_quiet_ms",
    "empty_backlog_ms",
    "set_point",
    "threshold_rate",
    "target_utilization",
    "target_backlog_per_worker",
    "target_concurrency",
    "activation_backlog",
    "break_even_ms",
    "lead_time_ms",
    "switching_cost_s",
];

/// All decisions of a group in which one rule acted.
#[derive(Clone, Debug, PartialEq)]
pub struct Acted<'a> {
    /// The group.
    pub group: &'a GroupName,
    /// How often the rule acted.
    pub count: u64,
    /// Of these, how many calls failed.
    pub failed: u64,
    /// How often each limit left less than the wish.
    pub cuts: Vec<(Limit, u64)>,
    /// The most frequent kind's first decision, as an example.
    pub example: &'a Decision,
}

impl Acted<'_> {
    /// The rule with its settings, and what became of it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = rule(self.example);
        for (limit, n) in &self.cuts {
            let because = lower_first(limit.sentence().trim_end_matches('.'));
            text += &format!(" {} it was cut: {because}.", times(*n));
        }
        match self.failed {
            0 => text,
            n if n == self.count => format!("{text} All of the calls failed."),
            n => format!("{text} {} of the calls failed.", count(n)),
        }
    }
}

fn times(n: u64) -> String {
    if n == 1 { "Once".into() } else { format!("{} times", count(n)) }
}

/// Why it acted: each group and rule once, the most frequent first.
#[must_use]
pub fn acted(counts: &[DecisionCount]) -> Vec<Acted<'_>> {
    let mut all: Vec<Acted<'_>> = Vec::new();
    for kind in counts.iter().filter(|kind| kind.acted) {
        let example = &kind.first.decision;
        let cut = example.reason.limit.map(|limit| (limit, kind.count));
        let is_same = |one: &&mut Acted<'_>| {
            *one.group == example.group && one.example.reason.rule == example.reason.rule
        };
        if let Some(one) = all.iter_mut().find(is_same) {
            one.count += kind.count;
            one.failed += kind.failed;
            one.cuts.extend(cut);
        } else {
            let cuts = cut.into_iter().collect();
            let (group, count, failed) = (&example.group, kind.count, kind.failed);
            all.push(Acted { group, count, failed, cuts, example });
        }
    }
    sorted_by(all, |one| u64::MAX - one.count)
}

/// Why a call to a provider failed, as the end of a sentence.
#[must_use]
pub const fn failure(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Throttled => "the provider takes no more calls now",
        FailureClass::Unavailable => "the provider was not available",
        FailureClass::Denied => "the provider denied it",
        FailureClass::NotFound => "the target does not exist",
        FailureClass::Rejected => "the provider refused it as wrong",
    }
}

/// Why, and what became of the call if it failed.
#[must_use]
pub fn why_timed(timed: &TimedDecision) -> String {
    let text = why(&timed.decision);
    match timed.failure {
        None => text,
        Some(class) => format!("{text} But the call failed: {}.", failure(class)),
    }
}

/// All the numbers a rule looked at, with their units: `backlog count 12, cooldown 100 ms`.
#[must_use]
pub fn numbers(decision: &Decision) -> String {
    let shown: Vec<String> = decision.reason.inputs.iter().map(|(name, x)| named_number(name, *x)).collect();
    shown.join(", ")
}

/// What was done: `+1 worker`, `4 → 6 workers`, or `nothing`.
#[must_use]
pub fn outcome(decision: &Decision) -> String {
    let workers = |n: i64| plural(n.unsigned_abs(), "worker", "workers");
    match (decision.action_id, decision.reason.desired_workers, current_workers(decision)) {
        (None, ..) => "nothing".into(),
        (Some(_), None, _) => "acted".into(),
        (Some(_), Some(n), Some(current)) => format!("{current} → {}", workers(n)),
        (Some(_), Some(n), None) if decision.reason.rule == Rule::SizeIssuedAgain => {
            format!("set to {}", workers(n))
        }
        (Some(_), Some(n), None) => format!("+{}", workers(n)),
    }
}

/// How many workers there were, where the rule counts in workers in all.
fn current_workers(decision: &Decision) -> Option<i64> {
    decision.reason.input("current_workers").map(|current| current as i64)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| once(first.to_ascii_lowercase()).chain(chars).collect())
}

/// Names that read better in other words than their own.
const WORDS: [(&str, &str); 16] = [
    ("no_sync_match_count", "adds without a waiting worker"),
    ("sync_match_count", "adds with one"),
    ("utilization_workers", "workers for the utilization target"),
    ("halfin_whitt_workers", "workers with the safety margin"),
    ("ewma_arrival_rate", "smoothed arrival rate"),
    ("ewma_dispatch_rate", "smoothed dispatch rate"),
    ("max_scale_up_step", "largest step up"),
    ("capacity", "capacity of a worker"),
    ("previous_capacity", "before"),
    ("min_count", "minimum"),
    ("max_count", "maximum"),
    ("no_sync_quiet_ms", "quiet time"),
    ("empty_backlog_ms", "empty time"),
    ("break_even_ms", "break-even time"),
    ("lower_bound_workers", "workers that hindsight asks for"),
    ("upper_bound_workers", "workers that hindsight allows"),
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
    fn says_what_was_seen_done_and_held_back() {
        let mut cut = decision("workflows", Rule::NoSyncMatch, None, true);
        cut.reason = cut.reason.with("current_workers", 4.0).wishing(9, 6, Some(Limit::MaxStep));
        cut.throttled = 2;
        let text = why(&cut);
        assert!(
            text.starts_with("rate-based saw a task that found no waiting worker. It goes from 4 to 6"),
            "{text}"
        );
        assert!(text.ends_with("That left 2 adds unanswered."), "{text}");
        assert_eq!(outcome(&cut), "4 → 6 workers");
        assert_eq!(
            kind(&cut),
            "Tasks found no waiting worker. Held back: one action may add only so many workers."
        );
    }

    #[test]
    fn shows_each_reason_once_with_its_settings_cuts_and_failures() {
        let mut plain = decision("a", Rule::NoSyncMatch, None, true);
        plain.reason = plain.reason.with("no_sync_match_count", 3.0).with("cooldown_ms", 100.0);
        let mut cut = plain.clone();
        cut.reason.limit = Some(Limit::MaxStep);
        let kind = |decision: &Decision, count, failed| DecisionCount {
            acted: true,
            count,
            failed,
            first: TimedDecision::new(0, decision.clone()),
            last_t: 0,
        };
        let counts = [kind(&plain, 7, 2), kind(&cut, 4, 0)];
        let acted = acted(&counts);
        assert_eq!(acted.len(), 1, "the same reason is told once");
        assert_eq!((acted[0].count, acted[0].failed), (11, 2));
        assert_eq!(
            acted[0].text(),
            "Tasks found no waiting worker (cooldown 100 ms). 4 times it was cut: one action may add only so many \
             workers. 2 of the calls failed."
        );
    }

    #[test]
    fn a_failed_call_is_told_with_its_cause() {
        let timed = crate::report::sample::failed(0, decision("a", Rule::NoSyncMatch, None, true));
        assert!(why_timed(&timed).ends_with("But the call failed: the provider was not available."));
    }

    #[test]
    fn goes_by_the_numbers_before_the_rule() {
        let mut fixed = decision("a", Rule::FixedCount, None, true);
        assert_eq!(direction(&fixed), Direction::Set);
        fixed.reason = fixed.reason.with("current_workers", 4.0).wishing(3, 3, None);
        assert_eq!(direction(&fixed), Direction::Down);
        assert_eq!(direction(&decision("a", Rule::NoSyncMatch, None, true)), Direction::Up);
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
    fn counts_workers_more_where_nobody_knows_how_many_there_are() {
        let mut up = decision("activities", Rule::NoSyncMatch, None, true);
        up.reason.desired_workers = Some(1);
        assert_eq!(outcome(&up), "+1 worker");
        up.reason.rule = Rule::SizeIssuedAgain;
        assert_eq!(outcome(&up), "set to 1 worker");
    }

    #[test]
    fn says_nothing_was_done_when_nothing_was() {
        assert_eq!(outcome(&decision("a", Rule::NoChange, None, false)), "nothing");
    }
}
