//! Collects decisions while a run goes on, in memory that does not grow with it.
//!
//! A run of a day can decide a million times. A person wants to see how it began, how it ended, where something
//! changed, and how often each reason spoke. So the collector keeps the first and the last decisions, between
//! them the most telling ones, and a count with an example for each kind of decision.

use crate::results::{DecisionCount, DecisionLog, TimedDecision};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use wci_core::controller::FailureClass;
use wci_core::decision::{ActionId, GroupName, Limit, Rule};
use wci_core::{Decision, gather, sorted_by};

/// How many of the first decisions are listed.
pub const FIRST: usize = 150;
/// How many of the last decisions are listed.
pub const LAST: usize = 150;
/// How many of the most telling decisions between them are listed.
pub const TELLING: usize = 200;
/// So many failed calls are remembered before those are forgotten that are not listed.
const MOST_FAILURES: usize = 4 * (FIRST + LAST + TELLING);

/// Takes every decision of a run in time order and keeps what a report shows.
#[derive(Clone, Debug, Default)]
pub struct DecisionCollector {
    total: u64,
    first: Vec<TimedDecision>,
    last: VecDeque<Entry>,
    telling: BinaryHeap<Reverse<Ranked>>,
    counts: BTreeMap<Kind, Tally>,
    latest: BTreeMap<GroupName, (Rule, Option<Limit>, bool)>,
    /// Calls without an answer yet.
    open_calls: BTreeMap<ActionId, Kind>,
    failed_calls: BTreeMap<ActionId, FailureClass>,
    failures: BTreeMap<FailureClass, u64>,
    /// Whether the call failed of a group's last decision that was offered to the telling ones.
    had_failed: BTreeMap<GroupName, bool>,
}

/// Decisions of one kind are equal to the reader: only their numbers differ.
type Kind = (GroupName, Rule, Option<Limit>, bool);

#[derive(Clone, Debug)]
struct Tally {
    count: u64,
    failed: u64,
    first: TimedDecision,
    last_t: i64,
}

#[derive(Clone, Debug)]
struct Entry {
    rank: Rank,
    timed: TimedDecision,
}

/// What makes a decision worth a line, the least telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// The same again, and nothing was done.
    Repeat,
    /// The same again, and something was done.
    ActedAgain,
    /// Another rule or limit than the group's last, and nothing was done.
    Changed,
    /// Another rule or limit than the group's last, and something was done.
    ChangedAndActed,
    /// The first of its kind in the run.
    New,
}

/// Among equally telling decisions a hash of the number decides: that is an even sample over the whole run, and
/// the same one in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    telling: Telling,
    lot: u64,
    number: u64,
}

/// An entry that compares by its rank alone.
#[derive(Clone, Debug)]
struct Ranked(Entry);

impl DecisionCollector {
    /// An empty collector.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next decision; `t` is Unix epoch milliseconds.
    pub fn push(&mut self, t: i64, decision: &Decision) {
        let number = self.total;
        let rank = Rank { telling: self.count(t, decision), lot: crate::rng::key(0, [number, 0]), number };
        self.total += 1;
        let timed = TimedDecision::new(t, decision.clone());
        if self.first.len() < FIRST {
            self.first.push(timed);
            return;
        }
        if self.last.len() == LAST
            && let Some(entry) = self.last.pop_front()
        {
            self.offer(entry);
        }
        self.last.push_back(Entry { rank, timed });
    }

    /// Takes the provider's answer to the call that a decision caused.
    pub fn call_ended(&mut self, id: ActionId, failure: Option<FailureClass>) {
        let kind = self.open_calls.remove(&id);
        let Some(failure) = failure else { return };
        *self.failures.entry(failure).or_default() += 1;
        if let Some(tally) = kind.and_then(|kind| self.counts.get_mut(&kind)) {
            tally.failed += 1;
            if tally.first.decision.action_id == Some(id) {
                tally.first.failure = Some(failure);
            }
        }
        self.failed_calls.insert(id, failure);
        if self.failed_calls.len() > MOST_FAILURES {
            self.forget_unlisted_failures();
        }
    }

    /// Decisions so far.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Ends the run.
    #[must_use]
    pub fn finish(self) -> DecisionLog {
        let telling: Vec<Entry> = self.telling.into_iter().map(|Reverse(ranked)| ranked.0).collect();
        let middle = sorted_by(telling, |entry| entry.rank.number);
        let mut listed = self.first;
        listed.extend(middle.into_iter().map(|entry| entry.timed));
        listed.extend(self.last.into_iter().map(|entry| entry.timed));
        for timed in &mut listed {
            timed.failure = timed.decision.action_id.and_then(|id| self.failed_calls.get(&id).copied());
        }
        let counts: Vec<DecisionCount> = self
            .counts
            .into_iter()
            .map(|((.., acted), tally)| DecisionCount {
                acted,
                count: tally.count,
                failed: tally.failed,
                first: tally.first,
                last_t: tally.last_t,
            })
            .collect();
        // Stable: equally frequent kinds stay in the order of group, rule and limit.
        let counts = sorted_by(counts, |kind| u64::MAX - kind.count);
        DecisionLog { total: self.total, listed, counts, failures: self.failures }
    }

    /// Counts the decision and says how telling it is.
    fn count(&mut self, t: i64, decision: &Decision) -> Telling {
        let acted = decision.action_id.is_some();
        let (rule, limit) = (decision.reason.rule, decision.reason.limit);
        let before = self.latest.insert(decision.group.clone(), (rule, limit, acted));
        let kind = (decision.group.clone(), rule, limit, acted);
        self.open_calls.extend(decision.action_id.map(|id| (id, kind.clone())));
        let mut is_new = false;
        let tally = self.counts.entry(kind).or_insert_with(|| {
            is_new = true;
            Tally { count: 0, failed: 0, first: TimedDecision::new(t, decision.clone()), last_t: t }
        });
        tally.count += 1;
        tally.last_t = t;
        match (is_new, before == Some((rule, limit, acted)), acted) {
            (true, ..) => Telling::New,
            (_, false, true) => Telling::ChangedAndActed,
            (_, false, false) => Telling::Changed,
            (_, true, true) => Telling::ActedAgain,
            (_, true, false) => Telling::Repeat,
        }
    }

    /// Keeps the entry if it is among the most telling. By now its call was answered: the first failure after a
    /// success, and the first success after a failure, are changes.
    fn offer(&mut self, mut entry: Entry) {
        if let Some(id) = entry.timed.decision.action_id {
            let has_failed = self.failed_calls.contains_key(&id);
            let before = self.had_failed.insert(entry.timed.decision.group.clone(), has_failed);
            if before.unwrap_or(false) != has_failed {
                entry.rank.telling = entry.rank.telling.max(Telling::ChangedAndActed);
            }
        }
        if self.telling.len() == TELLING {
            match self.telling.peek() {
                Some(Reverse(least)) if least.0.rank < entry.rank => drop(self.telling.pop()),
                _ => return,
            }
        }
        self.telling.push(Reverse(Ranked(entry)));
    }

    fn forget_unlisted_failures(&mut self) {
        let middle = self.telling.iter().map(|Reverse(ranked)| &ranked.0.timed);
        let last = self.last.iter().map(|entry| &entry.timed);
        let listed = self.first.iter().chain(middle).chain(last);
        let listed: BTreeSet<ActionId> = gather(listed.filter_map(|timed| timed.decision.action_id));
        self.failed_calls.retain(|id, _| listed.contains(id));
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.0.rank == other.0.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rank.cmp(&other.0.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::decision;

    fn collect(n: u64, of: impl Fn(u64) -> Decision) -> DecisionLog {
        let mut collector = DecisionCollector::new();
        for i in 0..n {
            collector.push(i as i64, &of(i));
        }
        collector.finish()
    }

    fn repeat(_: u64) -> Decision {
        decision("a", Rule::NoChange, None, false)
    }

    #[test]
    fn lists_everything_while_it_fits() {
        let log = collect(500, repeat);
        let times: Vec<i64> = log.listed.iter().map(|d| d.t).collect();
        assert_eq!(times, (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn keeps_the_first_and_the_last_and_never_more_than_it_promises() {
        let log = collect(100_000, repeat);
        let times: Vec<i64> = log.listed.iter().map(|d| d.t).collect();
        assert_eq!(log.total, 100_000);
        assert_eq!(times.len(), FIRST + TELLING + LAST);
        assert_eq!(times[..FIRST], (0..150).collect::<Vec<_>>());
        assert_eq!(times[FIRST + TELLING..], (99_850..100_000).collect::<Vec<_>>());
        assert!(times.is_sorted_by(|a, b| a < b), "in time order, without doubles");
    }

    #[test]
    fn finds_the_one_action_among_a_hundred_thousand_repeats() {
        let log = collect(100_000, |i| decision("a", Rule::NoChange, None, i == 54_321));
        assert!(log.listed.iter().any(|d| d.t == 54_321 && d.decision.action_id.is_some()));
    }

    #[test]
    fn prefers_changes_to_repeated_actions() {
        let acted_every_time = |i: u64| {
            let rule = if i % 1000 == 500 { Rule::BacklogAboveThreshold } else { Rule::NoSyncMatch };
            decision("a", rule, None, true)
        };
        let log = collect(100_000, acted_every_time);
        let changes =
            log.listed.iter().filter(|d| d.decision.reason.rule == Rule::BacklogAboveThreshold).count();
        assert!(changes >= 95, "{changes} of 100 changes listed");
    }

    #[test]
    fn spreads_equally_telling_ones_over_the_run() {
        let log = collect(100_000, repeat);
        let middle = &log.listed[FIRST..FIRST + TELLING];
        for quarter in 0..4 {
            let span = quarter * 25_000..(quarter + 1) * 25_000;
            let n = middle.iter().filter(|d| span.contains(&d.t)).count();
            assert!((30..=70).contains(&n), "{n} in quarter {quarter}");
        }
    }

    #[test]
    fn counts_kinds_with_their_first_example_most_frequent_first() {
        let log = collect(1000, |i| match i % 10 {
            0 => decision("b", Rule::NoSyncMatch, None, true),
            1 | 2 => decision("a", Rule::NoSyncMatch, Some(Limit::Cooldown), false),
            _ => decision("a", Rule::NoSyncMatch, None, true),
        });
        let shown: Vec<_> = log
            .counts
            .iter()
            .map(|k| (k.count, k.first.t, k.last_t, k.acted, k.first.decision.group.as_ref()))
            .collect();
        assert_eq!(shown, [(700, 3, 999, true, "a"), (200, 1, 992, false, "a"), (100, 0, 990, true, "b")]);
    }

    fn acting(i: u64) -> Decision {
        Decision { action_id: Some(ActionId(i)), ..decision("a", Rule::NoSyncMatch, None, true) }
    }

    #[test]
    fn marks_the_decisions_whose_calls_failed() {
        let mut collector = DecisionCollector::new();
        for i in 0..10 {
            collector.push(i as i64, &acting(i));
            let failure = (i % 3 == 0).then_some(FailureClass::Unavailable);
            collector.call_ended(ActionId(i), failure);
        }
        let log = collector.finish();
        let failed: Vec<i64> = log.listed.iter().filter(|d| d.failure.is_some()).map(|d| d.t).collect();
        assert_eq!(failed, [0, 3, 6, 9]);
        assert_eq!((log.counts[0].count, log.counts[0].failed), (10, 4));
        assert_eq!(log.counts[0].first.failure, Some(FailureClass::Unavailable));
        assert_eq!(log.failures, BTreeMap::from([(FailureClass::Unavailable, 4)]));
    }

    #[test]
    fn lists_where_calls_begin_to_fail_and_where_they_succeed_again() {
        let mut collector = DecisionCollector::new();
        for i in 0..20_000 {
            collector.push(i as i64, &acting(i));
            collector.call_ended(ActionId(i), (5000..7000).contains(&i).then_some(FailureClass::Unavailable));
        }
        let log = collector.finish();
        let at = |t: i64| log.listed.iter().find(|timed| timed.t == t).map(|timed| timed.failure.is_some());
        assert_eq!((at(5000), at(7000)), (Some(true), Some(false)));
        let failed = log.listed.iter().filter(|timed| timed.failure.is_some()).count();
        assert!((5..60).contains(&failed), "{failed} failed calls crowd out the others");
    }

    #[test]
    fn many_failed_calls_are_counted_in_bounded_memory_and_stay_marked() {
        let mut collector = DecisionCollector::new();
        for i in 0..50_000 {
            collector.push(i as i64, &acting(i));
            collector.call_ended(ActionId(i), Some(FailureClass::Throttled));
            assert!(collector.failed_calls.len() <= MOST_FAILURES && collector.open_calls.is_empty());
        }
        let log = collector.finish();
        assert!(log.listed.iter().all(|timed| timed.failure == Some(FailureClass::Throttled)));
        assert_eq!(log.counts[0].failed, 50_000);
    }

    #[test]
    fn an_empty_run_has_an_empty_log() {
        assert_eq!(DecisionCollector::new().finish(), DecisionLog::default());
    }
}
