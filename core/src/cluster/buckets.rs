//! The work of a distributed task: buckets, which workers fetch one by one.

use super::TaskId;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How often a scavenger looks for buckets that others left behind.
pub const SCAVENGER_POLL: Millis = Millis::from_secs(20);

/// One part of the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketState {
    /// Whoever asks first gets it.
    Ready,
    /// That worker works on it.
    Delegated(TaskId),
    /// Done.
    Complete,
}

/// What a worker that asks gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// This bucket, by its number from 0 on.
    Bucket(u32),
    /// Nothing now: a scavenger asks again after [`SCAVENGER_POLL`].
    AskAgain,
    /// Nothing any more: the worker closes.
    Close,
}

/// All buckets of one activity.
///
/// Beside the state of each bucket it keeps who has which and which are ready, so that asking takes no longer the more
/// buckets there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// How many there are in all; they come into being one by one.
    total: u32,
    made: Vec<BucketState>,
    ready: BTreeSet<u32>,
    held: BTreeMap<TaskId, BTreeSet<u32>>,
    completed: usize,
    is_scavenging: bool,
}

impl Buckets {
    /// Work in so many buckets, of which none has been begun.
    #[must_use]
    pub const fn new(total: u32) -> Self {
        Self {
            total,
            made: Vec::new(),
            ready: BTreeSet::new(),
            held: BTreeMap::new(),
            completed: 0,
            is_scavenging: false,
        }
    }

    /// Answers a worker: its own bucket, else the first ready one, else a new one, else none.
    ///
    /// `is_gone` says whether a worker is closed or missing: a scavenger takes back what such a one has left. Only a
    /// worker that is no scavenger begins the scavenging phase by finding none.
    pub fn ask(&mut self, worker: &TaskId, is_scavenger: bool, is_gone: impl Fn(&TaskId) -> bool) -> Answer {
        if let Some(number) = self.next_for(worker) {
            return self.delegate(number, worker);
        }
        if !is_scavenger {
            self.is_scavenging = true;
            return Answer::Close;
        }
        if self.is_complete() {
            return Answer::Close;
        }
        let left = self.held.iter().filter(|(owner, _)| is_gone(owner));
        match left.filter_map(|(_, numbers)| numbers.first().copied()).min() {
            Some(number) => self.delegate(number, worker),
            None => Answer::AskAgain,
        }
    }

    fn next_for(&mut self, worker: &TaskId) -> Option<u32> {
        let own = self.held.get(worker).and_then(BTreeSet::first);
        let found = own.or_else(|| self.ready.first()).copied();
        found.or_else(|| {
            // There are never more than `total`, which fits.
            let next = u32::try_from(self.made.len()).ok().filter(|next| *next < self.total)?;
            self.made.push(BucketState::Ready);
            Some(next)
        })
    }

    fn delegate(&mut self, number: u32, worker: &TaskId) -> Answer {
        let state = &mut self.made[number as usize];
        if let BucketState::Delegated(owner) = state {
            release(&mut self.held, owner, number);
        }
        *state = BucketState::Delegated(worker.clone());
        self.ready.remove(&number);
        self.held.entry(worker.clone()).or_default().insert(number);
        Answer::Bucket(number)
    }

    /// Takes a finished bucket in; false when it was no longer that worker's, so that the work counts for nothing.
    #[must_use]
    pub fn complete(&mut self, worker: &TaskId, number: u32) -> bool {
        if !self.held.get(worker).is_some_and(|numbers| numbers.contains(&number)) {
            return false;
        }
        release(&mut self.held, worker, number);
        self.made[number as usize] = BucketState::Complete;
        self.completed += 1;
        true
    }

    /// A worker was stopped, or its node is known to be down: its bucket is ready again, from zero. Says how many.
    pub fn give_back(&mut self, worker: &TaskId) -> u32 {
        let numbers = self.held.remove(worker).unwrap_or_default();
        for number in &numbers {
            self.made[*number as usize] = BucketState::Ready;
        }
        self.ready.extend(&numbers);
        // There are never more than `total`, which fits.
        u32::try_from(numbers.len()).unwrap_or(u32::MAX)
    }

    /// Those that have come into being, by their number.
    #[must_use]
    pub fn states(&self) -> &[BucketState] {
        &self.made
    }

    /// How many are complete.
    #[must_use]
    pub const fn completed(&self) -> usize {
        self.completed
    }

    /// How many workers work on one.
    #[must_use]
    pub fn delegated(&self) -> usize {
        self.held.values().map(BTreeSet::len).sum()
    }

    /// How many there are in all.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Whether all of it is done.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.completed == self.total as usize
    }

    /// Whether some worker that is no scavenger has found no bucket, so that new ones are of no use unless they are
    /// scavengers.
    #[must_use]
    pub const fn is_scavenging(&self) -> bool {
        self.is_scavenging
    }
}

/// That worker has this one no longer.
fn release(held: &mut BTreeMap<TaskId, BTreeSet<u32>>, worker: &TaskId, number: u32) {
    if let Some(numbers) = held.get_mut(worker) {
        numbers.remove(&number);
        if numbers.is_empty() {
            held.remove(worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody(_: &TaskId) -> bool {
        false
    }

    #[test]
    fn buckets_come_in_sequence_and_a_worker_keeps_its_own() {
        let (mut buckets, a, b) = (Buckets::new(3), TaskId::from("a"), TaskId::from("b"));
        assert_eq!(buckets.ask(&a, false, nobody), Answer::Bucket(0));
        assert_eq!(buckets.ask(&b, false, nobody), Answer::Bucket(1));
        assert_eq!(buckets.ask(&a, false, nobody), Answer::Bucket(0));
        assert!(buckets.complete(&a, 0));
        assert_eq!(buckets.ask(&a, false, nobody), Answer::Bucket(2));
        assert_eq!((buckets.completed(), buckets.delegated()), (1, 2));
    }

    #[test]
    fn what_was_given_back_goes_out_before_new_ones() {
        let (mut buckets, a, b) = (Buckets::new(3), TaskId::from("a"), TaskId::from("b"));
        buckets.ask(&a, false, nobody);
        assert_eq!(buckets.give_back(&a), 1);
        assert_eq!(buckets.ask(&b, false, nobody), Answer::Bucket(0));
        assert!(!buckets.complete(&a, 0), "it is no longer a's");
        assert!(buckets.complete(&b, 0) && !buckets.complete(&b, 0));
    }

    #[test]
    fn without_buckets_a_worker_closes_and_a_scavenger_waits() {
        let (mut buckets, a, b) = (Buckets::new(1), TaskId::from("a"), TaskId::from("b"));
        buckets.ask(&a, false, nobody);
        assert!(!buckets.is_scavenging());
        assert_eq!(buckets.ask(&b, false, nobody), Answer::Close);
        assert!(buckets.is_scavenging());
        assert_eq!(buckets.ask(&b, true, nobody), Answer::AskAgain);
        assert_eq!(buckets.ask(&b, true, |owner| *owner == a), Answer::Bucket(0));
        assert!(buckets.complete(&b, 0) && buckets.is_complete());
        assert_eq!(buckets.ask(&b, true, nobody), Answer::Close);
    }

    #[test]
    fn a_scavenger_that_finds_no_bucket_does_not_begin_the_scavenging_phase() {
        let (mut buckets, a, b) = (Buckets::new(1), TaskId::from("a"), TaskId::from("b"));
        buckets.ask(&a, true, nobody);
        assert_eq!(buckets.ask(&b, true, nobody), Answer::AskAgain);
        assert!(!buckets.is_scavenging(), "an ordinary worker has yet to find none");
        assert!(buckets.complete(&a, 0));
        assert_eq!(buckets.ask(&a, true, nobody), Answer::Close);
        assert!(!buckets.is_scavenging());
        assert_eq!(buckets.ask(&b, false, nobody), Answer::Close);
        assert!(buckets.is_scavenging());
    }

    #[test]
    fn no_work_is_done_from_the_start() {
        let mut buckets = Buckets::new(0);
        assert!(buckets.is_complete());
        assert_eq!(buckets.ask(&TaskId::from("a"), true, nobody), Answer::Close);
    }

    #[test]
    fn the_first_of_several_goes_out_first_whoever_left_them() {
        let names = ["a", "b", "c"].map(TaskId::from);
        let mut buckets = Buckets::new(3);
        for name in names.iter().rev() {
            buckets.ask(name, false, nobody);
        }
        let d = TaskId::from("d");
        assert_eq!(buckets.ask(&d, true, |_| true), Answer::Bucket(0), "c's, which is the last by name");
        assert_eq!((buckets.give_back(&names[0]), buckets.give_back(&names[1])), (1, 1));
        assert!(buckets.complete(&d, 0));
        assert_eq!(buckets.ask(&d, true, nobody), Answer::Bucket(1));
        assert_eq!((buckets.completed(), buckets.delegated()), (1, 1));
    }
}
