//! Task queues as the Matching Service keeps them: partitions with a backlog each, waiting polls, rates, limits.
//!
//! A [`Lane`] is one task queue and type. Waiting polls are known at the root partition, where unmatched tasks and
//! polls are forwarded to, so a task can take any of its lane's waiting polls and the routing order holds across
//! partitions; a poll looks into its own partition first and then takes the oldest task of the others.

mod polls;
mod rates;

pub use polls::{PollRef, PollSet};
pub use rates::{RateTracker, TokenBucket};

use crate::model::{Nanos, SECOND, TaskQueue};
use std::collections::VecDeque;
use std::sync::Arc;
use wci_core::metrics::{QueueMetrics, TaskQueueType};
use wci_core::signals::Batcher;

/// Tasks are no longer matched at once when the head of the backlog is older than this (the server's rule).
const SYNC_MATCH_HEAD_AGE: Nanos = 5 * SECOND;

/// A task that waits: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// When it was added.
    pub added: Nanos,
    /// How long it will take.
    pub service: Nanos,
    /// Who it is.
    pub tag: crate::world::Tag,
}

/// One partition of a lane.
#[derive(Debug, Default)]
pub struct Partition {
    /// Tasks in the order of their adds.
    pub backlog: VecDeque<Waiting>,
    /// Batches adds into signals.
    pub batcher: Batcher,
    /// Whether a `Flush` event is on its way.
    pub flush_armed: bool,
    waiting_polls: u32,
}

/// One task queue and type.
#[derive(Debug)]
pub struct Lane {
    /// Name of the task queue.
    pub name: Arc<str>,
    /// Type of its tasks.
    pub task_type: TaskQueueType,
    /// Index of the group whose workers serve it.
    pub group: usize,
    /// Position among its group's lanes.
    pub position: usize,
    /// Its partitions.
    pub partitions: Vec<Partition>,
    /// Polls that wait.
    pub polls: PollSet,
    /// Tasks that wait.
    pub backlog_count: u64,
    /// Adds per second.
    pub adds: RateTracker,
    /// Dispatches per second.
    pub dispatches: RateTracker,
    /// The dispatch-rate limit.
    pub limit: Option<TokenBucket>,
    /// Whether a `Spool` event is on its way, and for when.
    pub spool_at: Option<Nanos>,
    spool_delay: Nanos,
    next_partition: u32,
}

impl Lane {
    /// An empty lane of a task queue.
    pub fn new(
        queue: &TaskQueue,
        task_type: TaskQueueType,
        group: usize,
        position: usize,
        polls: PollSet,
    ) -> Self {
        let partitions = (0..queue.partitions.max(1)).map(|_| Partition::default()).collect();
        Self {
            name: queue.name.as_str().into(),
            task_type,
            group,
            position,
            partitions,
            polls,
            backlog_count: 0,
            adds: RateTracker::default(),
            dispatches: RateTracker::default(),
            limit: queue.max_dispatch_rate.map(TokenBucket::new),
            spool_at: None,
            spool_delay: queue.spool_delay,
            next_partition: 0,
        }
    }

    /// Whether a task that is added now may take a waiting poll at once.
    #[inline]
    pub fn can_sync_match(&self, now: Nanos, partition: usize) -> bool {
        !self.polls.is_empty()
            && self.partitions[partition]
                .backlog
                .front()
                .is_none_or(|head| now - head.added <= SYNC_MATCH_HEAD_AGE)
    }

    /// Puts a task into its partition's backlog.
    #[inline]
    pub fn spool(&mut self, partition: usize, task: Waiting) {
        self.partitions[partition].backlog.push_back(task);
        self.backlog_count += 1;
    }

    /// Takes the task that a poll of this partition gets now, if any.
    #[inline]
    pub fn take_matchable(&mut self, now: Nanos, partition: usize) -> Option<Waiting> {
        if self.backlog_count == 0 || self.limit.as_ref().is_some_and(|limit| !limit.has_token(now)) {
            return None;
        }
        let from = if self.is_matchable(now, partition) { partition } else { self.oldest_matchable(now)? };
        self.take_from(now, from)
    }

    /// Takes the oldest task that a poll known at the root gets now, if any.
    pub fn take_oldest_matchable(&mut self, now: Nanos) -> Option<Waiting> {
        if self.limit.as_ref().is_some_and(|limit| !limit.has_token(now)) {
            return None;
        }
        let from = self.oldest_matchable(now)?;
        self.take_from(now, from)
    }

    #[inline]
    fn take_from(&mut self, now: Nanos, partition: usize) -> Option<Waiting> {
        let task = self.partitions[partition].backlog.pop_front()?;
        self.backlog_count -= 1;
        if let Some(limit) = &mut self.limit {
            limit.take(now);
        }
        Some(task)
    }

    /// When the next waiting task can be matched, if a poll is there.
    pub fn next_matchable(&self, now: Nanos) -> Option<Nanos> {
        let heads = self.partitions.iter().filter_map(|p| p.backlog.front());
        let spooled = heads.map(|head| head.added + self.spool_delay).min()?;
        let token = self.limit.as_ref().map_or(0, TokenBucket::next_token);
        Some(spooled.max(token).max(now))
    }

    /// The partition a new poll goes to: the one with the fewest waiting polls, in turn where they are equal.
    #[inline]
    pub fn partition_for_poll(&mut self) -> usize {
        let n = self.partitions.len();
        if n == 1 {
            return 0;
        }
        self.next_partition = (self.next_partition + 1) % n as u32;
        let first = self.next_partition as usize;
        let in_turn = (0..n).map(|i| (first + i) % n);
        in_turn.min_by_key(|&p| self.partitions[p].waiting_polls).unwrap_or(0)
    }

    /// A poll waits.
    #[inline]
    pub fn add_poll(&mut self, poll: PollRef, worker_number: u64) {
        self.partitions[poll.partition as usize].waiting_polls += 1;
        self.polls.add(poll, worker_number);
    }

    /// Takes the waiting poll that routing names.
    #[inline]
    pub fn take_poll(&mut self, random: impl FnOnce(u64) -> u64) -> Option<PollRef> {
        let poll = self.polls.take(random)?;
        self.partitions[poll.partition as usize].waiting_polls -= 1;
        Some(poll)
    }

    /// Withdraws all waiting polls of a worker.
    pub fn withdraw(&mut self, worker: u32, worker_number: u64) {
        for partition in self.polls.withdraw(worker, worker_number) {
            self.partitions[partition as usize].waiting_polls -= 1;
        }
    }

    /// Age of the oldest waiting task.
    pub fn backlog_age(&self, now: Nanos) -> Nanos {
        let heads = self.partitions.iter().filter_map(|p| p.backlog.front());
        heads.map(|head| now - head.added).max().unwrap_or(0)
    }

    /// All waiting tasks.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.partitions.iter().flat_map(|p| p.backlog.iter())
    }

    /// The statistics the server would give.
    pub fn metrics(&mut self, now: Nanos) -> QueueMetrics {
        QueueMetrics {
            last_backlog_count: i64::try_from(self.backlog_count).unwrap_or(i64::MAX),
            last_arrival_rate: self.adds.rate(now),
            last_processing_rate: self.dispatches.rate(now),
            last_backlog_age: (self.backlog_age(now) / crate::model::MILLI) as i64,
            rate_limiting_active: self.backlog_count > 0
                && self.limit.as_ref().is_some_and(|limit| !limit.has_token(now)),
        }
    }

    #[inline]
    fn is_matchable(&self, now: Nanos, partition: usize) -> bool {
        let head = self.partitions[partition].backlog.front();
        head.is_some_and(|head| head.added + self.spool_delay <= now)
    }

    fn oldest_matchable(&self, now: Nanos) -> Option<usize> {
        let heads =
            self.partitions.iter().enumerate().filter_map(|(i, p)| Some((p.backlog.front()?.added, i)));
        heads.filter(|(added, _)| added + self.spool_delay <= now).min().map(|(_, i)| i)
    }
}
