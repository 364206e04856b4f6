//! What a controller can measure: statistics of its task queues and, where the host knows it, of its workers.

use serde::{Deserialize, Deserializer, Serialize};

/// What kind of tasks a task queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskQueueType {
    /// Workflow tasks.
    Workflow,
    /// Activity tasks.
    Activity,
    /// Nexus tasks.
    Nexus,
}

impl TaskQueueType {
    /// Every type, in the order in which rules look at them.
    pub const ALL: [Self; 3] = [Self::Workflow, Self::Activity, Self::Nexus];

    /// Position in [`TaskQueueType::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Lower-case name, as state keys and snapshots use it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Activity => "activity",
            Self::Nexus => "nexus",
        }
    }
}

/// Statistics of one task queue type, summed over the queues of the version.
///
/// Rates are tasks per second and `f32` as on the wire; rules compute with `f64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueMetrics {
    /// Tasks that wait for a worker.
    pub last_backlog_count: i64,
    /// Tasks added per second.
    #[serde(deserialize_with = "rate")]
    pub last_arrival_rate: f32,
    /// Tasks handed to workers per second.
    #[serde(deserialize_with = "rate")]
    pub last_processing_rate: f32,
    /// Age of the oldest waiting task, in milliseconds.
    pub last_backlog_age: i64,
    /// Whether a dispatch-rate limit holds tasks back.
    pub rate_limiting_active: bool,
}

/// JSON has no word for a rate that is not a number: it is written as null.
fn rate<'de, D: Deserializer<'de>>(d: D) -> Result<f32, D::Error> {
    Option::deserialize(d).map(|rate| rate.unwrap_or(f32::NAN))
}

impl QueueMetrics {
    /// Adds the statistics of another queue of the same type: counts and rates are summed (the rates in `f32`, as
    /// on the wire), of the ages the largest counts.
    pub fn add_queue(&mut self, other: &Self) {
        self.last_backlog_count = self.last_backlog_count.saturating_add(other.last_backlog_count);
        self.last_arrival_rate += other.last_arrival_rate;
        self.last_processing_rate += other.last_processing_rate;
        self.last_backlog_age = self.last_backlog_age.max(other.last_backlog_age);
        self.rate_limiting_active |= other.rate_limiting_active;
    }
}

/// One poll's answer; a type without task queues is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricsSnapshot {
    /// Workflow task queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<QueueMetrics>,
    /// Activity task queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activity: Option<QueueMetrics>,
    /// Nexus task queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nexus: Option<QueueMetrics>,
}

impl MetricsSnapshot {
    /// The statistics of one type.
    #[must_use]
    pub const fn of(&self, task_type: TaskQueueType) -> Option<&QueueMetrics> {
        match task_type {
            TaskQueueType::Workflow => self.workflow.as_ref(),
            TaskQueueType::Activity => self.activity.as_ref(),
            TaskQueueType::Nexus => self.nexus.as_ref(),
        }
    }

    /// The statistics of one type, to be written.
    pub const fn of_mut(&mut self, task_type: TaskQueueType) -> &mut Option<QueueMetrics> {
        match task_type {
            TaskQueueType::Workflow => &mut self.workflow,
            TaskQueueType::Activity => &mut self.activity,
            TaskQueueType::Nexus => &mut self.nexus,
        }
    }

    /// The present types in the order workflow, activity, nexus.
    pub fn present(&self) -> impl Iterator<Item = (TaskQueueType, &QueueMetrics)> {
        TaskQueueType::ALL.into_iter().filter_map(|t| self.of(t).map(|m| (t, m)))
    }
}

/// What the host knows of one group's workers; every field is optional because a live host cannot know all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// Workers that poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<u32>,
    /// Workers that were asked for and do not poll yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting: Option<u32>,
    /// Workers that finish their tasks and take no new ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draining: Option<u32>,
    /// Slots that hold a task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_slots: Option<u32>,
    /// Slots of all ready workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Tasks that run now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<u32>,
    /// Tasks that wait now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backlog_count: Option<i64>,
    /// Mean of running + waiting tasks since the last observation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_concurrency: Option<f64>,
}

impl Observation {
    /// Workers that poll or will, if the host knows anything about them.
    #[must_use]
    pub fn workers(&self) -> Option<u32> {
        match (self.ready, self.starting) {
            (None, None) => None,
            (ready, starting) => Some(ready.unwrap_or(0).saturating_add(starting.unwrap_or(0))),
        }
    }
}

#[cfg(test)]
mod tests {
    //! What adding up queues means.

    use super::{Observation, QueueMetrics};

    #[test]
    fn queues_add_up_in_single_precision() {
        let queue = |last_backlog_count, rate, last_backlog_age, rate_limiting_active| QueueMetrics {
            last_backlog_count,
            last_arrival_rate: rate,
            last_processing_rate: rate,
            last_backlog_age,
            rate_limiting_active,
        };
        let mut sum = queue(3, 16_777_216.0, 50, false);
        sum.add_queue(&queue(4, 1.0, 20, true));
        assert_eq!(sum, queue(7, 16_777_216.0, 50, true));
        sum.add_queue(&queue(i64::MAX, 2.0, 70, false));
        assert_eq!(sum, queue(i64::MAX, 16_777_218.0, 70, true));
    }

    #[test]
    fn known_workers_are_ready_or_starting() {
        let observed = |ready, starting| Observation { ready, starting, ..Observation::default() }.workers();
        assert_eq!(observed(None, None), None);
        assert_eq!(observed(Some(2), None), Some(2));
        assert_eq!(observed(Some(2), Some(3)), Some(5));
        assert_eq!(observed(Some(u32::MAX), Some(1)), Some(u32::MAX));
    }
}
