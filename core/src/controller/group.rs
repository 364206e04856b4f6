//! One scaling group at run time: its algorithm, what it serves, and how a wish becomes an action.

use crate::algorithm::{Algorithm, Context, Verdict, Wish, to_launch};
use crate::decision::{ActionKind, GroupName, Launch};
use crate::metrics::{MetricsSnapshot, Observation, TaskQueueType};
use crate::signals::TaskAdd;
use crate::spec::LaunchStrategy;
use crate::time::{Millis, Timestamp};

/// More are not believed: twice this still fits the wire's `i32`, in which states hold counts.
const MOST_WORKERS: u32 = 1_000_000_000;

/// A group of the spec with its algorithm.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: GroupName,
    pub(super) strategy: LaunchStrategy,
    pub(super) algorithm: Algorithm,
    /// The types it serves at this host, by [`TaskQueueType::index`].
    pub(super) serves: [bool; 3],
    /// Whether it belongs to this host's region: another host decides for the others.
    pub(super) is_here: bool,
    /// What the host last said, plus the workers asked for since.
    pub(super) observation: Observation,
    /// A size that could not be set.
    pub(super) failed_size: Option<u32>,
    /// Whether it is new or changed, and its algorithm has not been told yet.
    pub(super) must_start: bool,
}

impl Group {
    pub(super) fn new(name: GroupName, strategy: LaunchStrategy, algorithm: Algorithm) -> Self {
        Self {
            name,
            strategy,
            algorithm,
            serves: [false; 3],
            is_here: false,
            observation: Observation::default(),
            failed_size: None,
            must_start: false,
        }
    }

    pub(super) fn on_started(&mut self, now: Timestamp) -> Verdict {
        let (strategy, observation) = (self.strategy, &self.observation);
        self.algorithm.on_started(Context { now, strategy, observation })
    }

    pub(super) fn on_task_added(&mut self, now: Timestamp, add: &TaskAdd) -> Verdict {
        let (strategy, observation) = (self.strategy, &self.observation);
        self.algorithm.on_task_added(Context { now, strategy, observation }, add)
    }

    pub(super) fn on_metrics(&mut self, now: Timestamp, metrics: &MetricsSnapshot) -> Verdict {
        let own = self.own_part(metrics);
        let (strategy, observation) = (self.strategy, &self.observation);
        self.algorithm.on_metrics(Context { now, strategy, observation }, &own)
    }

    pub(super) fn on_deferred_metrics(&mut self, now: Timestamp, metrics: &MetricsSnapshot) -> Verdict {
        let own = self.own_part(metrics);
        let (strategy, observation) = (self.strategy, &self.observation);
        self.algorithm.on_deferred_metrics(Context { now, strategy, observation }, &own)
    }

    pub(super) fn poll_interval(&self, now: Timestamp) -> Millis {
        self.algorithm.poll_interval(now)
    }

    /// Whether an action fits the way in which the group launches workers.
    pub(super) const fn can_do(&self, kind: &ActionKind) -> bool {
        match kind {
            ActionKind::InvokeWorker { .. } => matches!(self.strategy, LaunchStrategy::Invoke),
            ActionKind::SetWorkerSetSize { .. } => matches!(self.strategy, LaunchStrategy::WorkerSet),
            _ => true,
        }
    }

    /// A group sees only the types it serves. Rates that are no numbers all look the same, as in a journal.
    fn own_part(&self, metrics: &MetricsSnapshot) -> MetricsSnapshot {
        let mut own = *metrics;
        for task_type in TaskQueueType::ALL {
            match own.of_mut(task_type) {
                queue if !self.serves[task_type.index()] => *queue = None,
                Some(queue) => {
                    queue.last_arrival_rate = finite_or_nan(queue.last_arrival_rate);
                    queue.last_processing_rate = finite_or_nan(queue.last_processing_rate);
                }
                None => {}
            }
        }
        own
    }

    /// The action of the group's launch strategy that fulfils the wish, if one is needed and possible.
    pub(super) fn action_for(&self, wish: Wish) -> Option<ActionKind> {
        let known = match (self.strategy, wish) {
            (LaunchStrategy::Invoke, Wish::Workers(_))
            | (LaunchStrategy::WorkerSet, Wish::MoreWorkers(_)) => self.known_workers()?,
            _ => 0,
        };
        let group = || self.name.clone();
        to_launch(wish, self.strategy, known).map(|launch| match launch {
            Launch::InvokeWorker(count) => ActionKind::InvokeWorker { group: group(), count },
            Launch::SetWorkerSetSize(count) => ActionKind::SetWorkerSetSize { group: group(), count },
        })
    }

    /// Starting and ready workers, if the host knows them.
    fn known_workers(&self) -> Option<u32> {
        match (self.observation.starting, self.observation.ready) {
            (None, None) => None,
            (starting, ready) => Some(starting.unwrap_or(0).saturating_add(ready.unwrap_or(0))),
        }
    }

    /// Takes what the host says; `waiting` workers were decided and not asked for yet.
    pub(super) fn observe(&mut self, observation: Observation, waiting: u32) {
        let count = |count: Option<u32>| count.map(|count| count.min(MOST_WORKERS));
        self.observation = Observation {
            ready: count(observation.ready),
            starting: count(observation.starting),
            mean_concurrency: observation.mean_concurrency.filter(|mean| mean.is_finite()),
            ..observation
        };
        self.expect_workers(waiting);
    }

    pub(super) fn failed_size_by_name(&self) -> Option<(GroupName, u32)> {
        self.failed_size.map(|size| (self.name.clone(), size))
    }

    pub(super) fn observation_by_name(&self) -> Option<(GroupName, Observation)> {
        (self.observation != Observation::default()).then(|| (self.name.clone(), self.observation))
    }

    /// Counts workers that were just decided as starting, or the next signal would wish them again.
    pub(super) fn expect_workers(&mut self, count: u32) {
        if count > 0 && self.known_workers().is_some() {
            let starting = self.observation.starting.unwrap_or(0);
            self.observation.starting = Some(starting.saturating_add(count).min(MOST_WORKERS));
        }
    }

    /// Takes back what [`Group::expect_workers`] counted: these workers never came.
    pub(super) fn give_up_workers(&mut self, count: u32) {
        if let Some(starting) = &mut self.observation.starting {
            *starting = starting.saturating_sub(count);
        }
    }
}

fn finite_or_nan(rate: f32) -> f32 {
    if rate.is_finite() { rate } else { f32::NAN }
}
