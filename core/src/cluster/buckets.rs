//! The work of a distributed task: buckets, which workers fetch one by one.

use super::TaskId;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// How many there are in all; they come into being one by one.
    total: u32,
    made: Vec<BucketState>,
    is_scavenging: bool,
}

impl Buckets {
    /// Work in so many buckets, of which none has been begun.
    #[must_use]
    pub const fn new(total: u32) -> Self {
        Self { total, made: Vec::new(), is_scavenging: false }
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
        let is_left = |state: &BucketState| matches!(state, BucketState::Delegated(owner) if is_gone(owner));
        match self.made.iter().position(is_left) {
            Some(number) => self.delegate(number, worker),
            None => Answer::AskAgain,
        }
    }

    fn next_for(&mut self, worker: &TaskId) -> Option<usize> {
        let own = |state: &BucketState| matches!(state, BucketState::Delegated(owner) if owner == worker);
        let found = self.made.iter().position(own);
        let found = found.or_else(|| self.made.iter().position(|state| *state == BucketState::Ready));
        found.or_else(|| {
            let has_more = self.made.len() < self.total as usize;
            has_more.then(|| {
                self.made.push(BucketState::Ready);
                self.made.len() - 1
            })
        })
    }

    fn delegate(&mut self, number: usize, worker: &TaskId) -> Answer {
        self.made[number] = BucketState::Delegated(worker.clone());
        // There are never more than `total`, which fits.
        u32::try_from(number).map_or(Answer::Close, Answer::Bucket)
    }

    /// Takes a finished bucket in; false when it was no longer that worker's, so that the work counts for nothing.
    #[must_use]
    pub fn complete(&mut self, worker: &TaskId, number: u32) -> bool {
        match self.made.get_mut(number as usize) {
            Some(state) if *state == BucketState::Delegated(worker.clone()) => {
                *state = BucketState::Complete;
                true
            }
            _ => false,
        }
    }

    /// A worker was stopped, or its node is known to be down: its bucket is ready again, from zero. Says how many.
    pub fn give_back(&mut self, worker: &TaskId) -> u32 {
        let mut given = 0;
        for state in &mut self.made {
            if matches!(state, BucketState::Delegated(owner) if owner == worker) {
                *state = BucketState::Ready;
                given += 1;
            }
        }
        given
    }

    /// Those that have come into being, by their number.
    #[must_use]
    pub fn states(&self) -> &[BucketState] {
        &self.made
    }

    /// How many are complete.
    #[must_use]
    pub fn completed(&self) -> usize {
        self.made.iter().filter(|state| **state == BucketState::Complete).count()
    }

    /// How many workers work on one.
    #[must_use]
    pub fn delegated(&self) -> usize {
        self.made.iter().filter(|state| matches!(state, BucketState::Delegated(_))).count()
    }

    /// How many there are in all.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Whether all of it is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completed() == self.total as usize
    }

    /// Whether some worker that is no scavenger has found no bucket, so that new ones are of no use unless they are
    /// scavengers.
    #[must_use]
    pub const fn is_scavenging(&self) -> bool {
        self.is_scavenging
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
}
