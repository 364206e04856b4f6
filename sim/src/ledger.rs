//! The books of one scaling group: counters, time integrals and histograms, all integers.

use crate::histogram::{Histogram, SKETCH_BUCKETS, bucket_of, sketch_of};
use crate::model::Nanos;

/// Counts that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// First adds.
    pub arrived: u64,
    /// First adds in [warm_up, horizon).
    pub measured: u64,
    /// Adds, first ones and retries.
    pub added: u64,
    /// Adds that were matched at once.
    pub sync_matched: u64,
    /// Adds of measured tasks.
    pub measured_added: u64,
    /// Of these, matched at once.
    pub measured_sync_matched: u64,
    /// Matches.
    pub matched: u64,
    /// Measured tasks whose first match was with a worker that was not ready at their add.
    pub cold_started: u64,
    /// Done tasks.
    pub completed: u64,
    /// Tasks out of attempts.
    pub failed: u64,
    /// Tasks refused by the provider.
    pub rejected: u64,
    /// Workers begun to start.
    pub started: u64,
    /// Workers that ended without a task.
    pub never_used: u64,
    /// Invocations asked for.
    pub invoke_worker: u64,
    /// Set sizes asked for.
    pub set_worker_set_size: u64,
    /// Calls that failed.
    pub failed_calls: u64,
    /// Batched adds that a limit kept from starting workers.
    pub throttled: u64,
}

/// Counts that go up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Waiting tasks.
    pub backlog: u64,
    /// Running tasks; each holds a slot.
    pub busy: u64,
    /// Tasks lost until their timeout or backing off.
    pub retrying: u64,
    /// Starting workers.
    pub starting: u64,
    /// Ready workers.
    pub ready: u64,
    /// Draining workers.
    pub draining: u64,
    /// Slots of ready and draining workers.
    pub slots: u64,
}

/// Time integrals of [`Levels`] in level x nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Integrals {
    /// Of waiting tasks.
    pub backlog: u128,
    /// Of running tasks.
    pub busy: u128,
    /// Of starting workers.
    pub starting: u128,
    /// Of ready workers.
    pub ready: u128,
    /// Of draining workers.
    pub draining: u128,
    /// Of slots.
    pub slots: u128,
}

/// The books of one group.
#[derive(Debug)]
pub struct Ledger {
    /// Counts that only grow.
    pub counters: Counters,
    /// Waits of measured tasks, an attempt a value.
    pub waits: Histogram,
    /// Sojourns of measured tasks.
    pub sojourns: Histogram,
    /// Sum of the waits of all matched tasks: the counterpart of the backlog's integral.
    pub sum_of_waits: u128,
    /// Slot time of lost tasks.
    pub lost_slot_time: u128,
    /// Longest wait of any task.
    pub longest_wait: Nanos,
    /// Most workers at once.
    pub max_workers: u64,
    /// Most waiting tasks at once.
    pub max_backlog: u64,
    /// Most waiting tasks at once in the current window.
    pub window_max_backlog: u64,
    /// Cost of the workers that ended (USD).
    pub cost: f64,
    window_waits: Box<[u32]>,
    levels: Levels,
    integrals: Integrals,
    tasks_since: Nanos,
    workers_since: Nanos,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            counters: Counters::default(),
            waits: Histogram::default(),
            sojourns: Histogram::default(),
            sum_of_waits: 0,
            lost_slot_time: 0,
            longest_wait: 0,
            max_workers: 0,
            max_backlog: 0,
            window_max_backlog: 0,
            cost: 0.0,
            window_waits: vec![0; SKETCH_BUCKETS].into_boxed_slice(),
            levels: Levels::default(),
            integrals: Integrals::default(),
            tasks_since: 0,
            workers_since: 0,
        }
    }
}

impl Ledger {
    /// The levels now.
    #[inline]
    pub const fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The integrals up to now.
    pub fn integrals(&mut self, now: Nanos) -> Integrals {
        self.advance_tasks(now);
        self.advance_workers(now);
        self.integrals
    }

    /// The integrals up to `now`, for whoever only looks.
    #[must_use]
    pub fn integrals_at(&self, now: Nanos) -> Integrals {
        let (tasks, workers) = (u128::from(now - self.tasks_since), u128::from(now - self.workers_since));
        let (sum, levels) = (&self.integrals, &self.levels);
        Integrals {
            backlog: sum.backlog + u128::from(levels.backlog) * tasks,
            busy: sum.busy + u128::from(levels.busy) * tasks,
            starting: sum.starting + u128::from(levels.starting) * workers,
            ready: sum.ready + u128::from(levels.ready) * workers,
            draining: sum.draining + u128::from(levels.draining) * workers,
            slots: sum.slots + u128::from(levels.slots) * workers,
        }
    }

    /// Changes the numbers of waiting and running tasks.
    #[inline]
    pub fn change_tasks(&mut self, now: Nanos, backlog: i64, busy: i64) {
        self.advance_tasks(now);
        self.levels.backlog = self.levels.backlog.wrapping_add_signed(backlog);
        self.levels.busy = self.levels.busy.wrapping_add_signed(busy);
        if self.levels.backlog > self.window_max_backlog {
            self.window_max_backlog = self.levels.backlog;
            self.max_backlog = self.max_backlog.max(self.levels.backlog);
        }
    }

    /// Changes the number of lost tasks.
    pub const fn change_retrying(&mut self, by: i64) {
        self.levels.retrying = self.levels.retrying.wrapping_add_signed(by);
    }

    /// Changes the numbers of workers and slots.
    pub fn change_workers(&mut self, now: Nanos, change: impl FnOnce(&mut Levels)) {
        self.advance_workers(now);
        change(&mut self.levels);
        self.max_workers = self.max_workers.max(self.workers());
    }

    /// Starting, ready and draining workers.
    pub const fn workers(&self) -> u64 {
        self.levels.starting + self.levels.ready + self.levels.draining
    }

    /// A task was matched after `wait`.
    #[inline]
    pub fn record_match(&mut self, wait: Nanos, is_measured: bool) {
        self.counters.matched += 1;
        self.sum_of_waits += u128::from(wait);
        self.longest_wait = self.longest_wait.max(wait);
        let bucket = bucket_of(wait);
        self.window_waits[sketch_of(bucket)] += 1;
        if is_measured {
            self.waits.record_in(bucket, wait);
        }
    }

    /// Takes the current window's sketch of waits and largest backlog and begins the next window.
    pub fn take_window(&mut self) -> (Vec<(u16, u32)>, u64) {
        let mut sketch = Vec::new();
        for (bucket, n) in self.window_waits.iter_mut().enumerate() {
            if *n > 0 {
                sketch.push((bucket as u16, std::mem::take(n)));
            }
        }
        (sketch, std::mem::replace(&mut self.window_max_backlog, self.levels.backlog))
    }

    /// Whether every task is somewhere: arrived = completed + waiting + running + retrying + failed + rejected.
    pub const fn is_conserved(&self) -> bool {
        let c = &self.counters;
        let l = &self.levels;
        c.arrived == c.completed + l.backlog + l.busy + l.retrying + c.failed + c.rejected
    }

    #[inline]
    fn advance_tasks(&mut self, now: Nanos) {
        let elapsed = now - self.tasks_since;
        self.tasks_since = now;
        self.integrals.backlog += u128::from(self.levels.backlog) * u128::from(elapsed);
        self.integrals.busy += u128::from(self.levels.busy) * u128::from(elapsed);
    }

    fn advance_workers(&mut self, now: Nanos) {
        let elapsed = u128::from(now - self.workers_since);
        self.workers_since = now;
        self.integrals.starting += u128::from(self.levels.starting) * elapsed;
        self.integrals.ready += u128::from(self.levels.ready) * elapsed;
        self.integrals.draining += u128::from(self.levels.draining) * elapsed;
        self.integrals.slots += u128::from(self.levels.slots) * elapsed;
    }
}
