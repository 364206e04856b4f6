//! What the core answers: actions to carry out, and for every decision the reason.

use crate::metrics::TaskQueueType;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Name of a scaling group; cheap to clone because it travels with every action and decision.
pub type GroupName = Arc<str>;

/// Identifies an action for the answer to it; a counter in the controller's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub u64);

/// Something the host shall do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Repeated in the answer.
    pub id: ActionId,
    /// What to do.
    #[serde(flatten)]
    pub kind: ActionKind,
}

/// The kinds of action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Read the statistics and answer with `Metrics`.
    FetchMetrics {
        /// For a poll of all groups or for one group's deferred decision.
        why: FetchWhy,
    },
    /// Start `count` more workers.
    InvokeWorker {
        /// The group whose provider is called.
        group: GroupName,
        /// How many workers more.
        count: u32,
    },
    /// Set the size of the worker set.
    SetWorkerSetSize {
        /// The group whose provider is called.
        group: GroupName,
        /// How many workers in all.
        count: u32,
    },
    /// Check the spec against its providers and answer with `SpecChecked`.
    CheckSpec {
        /// The spec to check.
        spec: Box<crate::spec::Spec>,
    },
    /// Let workers register their task queues and answer with `Registered`.
    RegisterTaskQueues {
        /// What to launch for a group whose types are not all registered yet.
        groups: Vec<Registration>,
    },
    /// Answer a request.
    Answer {
        /// The request's id.
        request_id: String,
        /// What to answer.
        response: Box<crate::controller::Response>,
    },
    /// End this controller for good.
    Finish,
}

impl ActionKind {
    /// The group this is done for, if it is done for one.
    #[must_use]
    pub const fn group(&self) -> Option<&GroupName> {
        match self {
            Self::InvokeWorker { group, .. }
            | Self::SetWorkerSetSize { group, .. }
            | Self::FetchMetrics { why: FetchWhy::Deferred { group } } => Some(group),
            _ => None,
        }
    }
}

/// Why statistics are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchWhy {
    /// The periodic poll of all groups.
    Poll,
    /// A decision that one group put off until it sees statistics.
    Deferred {
        /// The only group that gets the answer.
        group: GroupName,
    },
}

/// How one group's workers get their task queues registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The group.
    pub group: GroupName,
    /// Skip the group when all of these are registered.
    pub task_types: Vec<crate::spec::WireTaskType>,
    /// What to launch otherwise.
    pub launch: Launch,
}

/// One launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Launch {
    /// Start this many workers more.
    InvokeWorker(u32),
    /// Set the worker set to this size.
    SetWorkerSetSize(u32),
}

/// One evaluated rule: what it saw, what it wished, what cut the wish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The scaling group.
    pub group: GroupName,
    /// The algorithm's wire name.
    pub algorithm: Cow<'static, str>,
    /// Why, with the numbers.
    #[serde(flatten)]
    pub reason: Reason,
    /// The action this decision caused, if any.
    #[serde(default)]
    pub action_id: Option<ActionId>,
    /// Batched adds that a limit kept from starting workers.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub throttled: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Why a number is what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule that spoke.
    pub rule: Rule,
    /// The numbers it looked at, named with their units.
    #[serde(default, with = "inputs_as_map")]
    pub inputs: Vec<(Cow<'static, str>, f64)>,
    /// What the rule wished: workers in all, or for `no-sync` workers more.
    #[serde(default)]
    pub recommended_workers: Option<i64>,
    /// What was left after the limits.
    #[serde(default)]
    pub desired_workers: Option<i64>,
    /// The limit that cut the wish.
    #[serde(default)]
    pub limit: Option<Limit>,
}

impl Reason {
    /// A reason without numbers yet.
    #[must_use]
    pub const fn new(rule: Rule) -> Self {
        Self { rule, inputs: Vec::new(), recommended_workers: None, desired_workers: None, limit: None }
    }

    /// Adds a number the rule looked at. Non-finite numbers are left out: they never enter a record.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        if value.is_finite() {
            self.inputs.push((Cow::Borrowed(name), value));
        }
        self
    }

    /// Adds several numbers the rule looked at, non-finite ones left out.
    #[must_use]
    pub fn with_all(mut self, numbers: &[(&'static str, f64)]) -> Self {
        self.inputs.reserve(numbers.len());
        let finite = numbers.iter().filter(|(_, value)| value.is_finite());
        self.inputs.extend(finite.map(|(name, value)| (Cow::Borrowed(*name), *value)));
        self
    }

    /// Sets what the rule wished, what was left of it, and the limit that cut it.
    #[must_use]
    pub const fn wishing(mut self, recommended: i64, desired: i64, limit: Option<Limit>) -> Self {
        self.recommended_workers = Some(recommended);
        self.desired_workers = Some(desired);
        self.limit = limit;
        self
    }

    /// A number the rule looked at.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<f64> {
        self.inputs.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $text:expr])+ $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u16)]
        pub enum $name { $($(#[doc = $text])+ $variant = $code,)+ }

        impl $name {
            /// Every variant, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable number that digests are made of.
            #[must_use]
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// One sentence for people.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => concat!($($text),+).trim_ascii(),)+ }
            }
        }
    };
}

coded! {
    /// The rules that can speak in a [`Reason`]. Codes are stable: digests are made of them.
    Rule {
        /// Tasks found no waiting worker.
        NoSyncMatch = 1,
        /// The backlog is above the threshold.
        BacklogAboveThreshold = 2,
        /// Tasks wait and the newest worker has reached the end of its lifetime.
        LifetimeRefresh = 3,
        /// The statistics ask for no change.
        NoChange = 4,
        /// The arrival rate, the drain rate and the safety margin ask for more workers.
        OfferedLoadAbove = 5,
        /// The arrival rate, the drain rate and the safety margin ask for fewer workers.
        OfferedLoadBelow = 6,
        /// The capacity of one worker was measured after a deferred decision.
        CapacityMeasured = 7,
        /// A deferred decision found nothing to measure.
        CapacityUnknown = 8,
        /// Work waits and no slot is free.
        NoFreeSlot = 9,
        /// The backlog was empty for the whole empty time.
        BacklogEmpty = 10,
        /// The control loop wishes more workers.
        ControlAbove = 11,
        /// The control loop wishes fewer workers.
        ControlBelow = 12,
        /// The dispatch rate is below the share of the peak that one worker fewer has carried.
        BelowPeakRate = 13,
        /// The size is fixed.
        FixedCount = 14,
        /// The dispatch rate has stayed flat: more workers would not dispatch more.
        DispatchRateFlat = 15,
        /// A set size that had failed is issued again.
        SizeIssuedAgain = 16,
        /// A dispatch-rate limit holds tasks back, so more workers would not help.
        RateLimited = 17,
        /// Fewer workers run than the minimum count.
        BelowMinimum = 18,
        /// The workers are busier than their target.
        UtilizationAbove = 19,
        /// The workers are less busy than their target.
        UtilizationBelow = 20,
        /// More tasks wait for each worker than the target.
        BacklogPerWorkerAbove = 21,
        /// Fewer tasks wait for each worker than the target.
        BacklogPerWorkerBelow = 22,
        /// Work waits and no worker runs.
        Activated = 23,
        /// No work has waited for the whole cooldown.
        Deactivated = 24,
        /// More tasks run and wait than the workers shall hold.
        ConcurrencyAbove = 25,
        /// Fewer tasks run and wait than the workers shall hold.
        ConcurrencyBelow = 26,
        /// In the short window, tasks ask for far more workers than are ready.
        Panic = 27,
        /// Fewer workers were needed for the whole break-even time.
        SurplusOverBreakEven = 28,
        /// The forecast load asks for more workers.
        ForecastAbove = 29,
        /// The forecast load asks for fewer workers.
        ForecastBelow = 30,
        /// So few workers would have cost more than starting others.
        CostAbove = 31,
        /// So many workers have cost more than starting them again would.
        CostBelow = 32,
    }
}

coded! {
    /// What cut a wish. Codes are stable: digests are made of them.
    Limit {
        /// The cooldown since the last action had not passed.
        Cooldown = 1,
        /// The maximum count was reached.
        MaxCount = 2,
        /// The minimum count was reached.
        MinCount = 3,
        /// One action may add only so many workers.
        MaxStep = 4,
        /// A task found no worker too recently to remove one.
        NoSyncQuiet = 5,
        /// The dispatch rate is flat within epsilon.
        DispatchRateEpsilon = 6,
        /// Scale-ups are suppressed because the flat rate was confirmed.
        Suppressed = 7,
        /// One worker fewer a step.
        OneStepDown = 8,
        /// Workers of an invoke provider end by themselves.
        WorkersEndThemselves = 9,
        /// Nothing is known about the rate with one worker fewer.
        NoPeakKnown = 10,
        /// A larger size was recommended within the stabilization window.
        Stabilized = 11,
        /// The measure is within the tolerance around its target.
        Tolerance = 12,
        /// In panic no worker is removed.
        Panicking = 13,
        /// The last worker stays for the grace period.
        Grace = 14,
        /// One step may remove only a share of the workers.
        MaxStepDown = 15,
        /// The measure has not been out of its range for enough periods in a row.
        TooFewPeriods = 16,
        /// The workers that start already make up for it.
        StartingSuffice = 17,
    }
}

mod inputs_as_map {
    use super::Cow;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        inputs: &[(Cow<'static, str>, f64)],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_map(inputs.iter().map(|(k, v)| (k, v)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<(Cow<'static, str>, f64)>, D::Error> {
        // A map in a journal may come in any order; rules name their numbers in one order, so keep the file's.
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Vec<(Cow<'static, str>, f64)>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of numbers")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while let Some((k, v)) = map.next_entry::<String, f64>()? {
                    out.push((Cow::Owned(k), v));
                }
                Ok(out)
            }
        }
        d.deserialize_map(InOrder)
    }
}

/// Names a number of one task queue type, such as `activity_backlog`.
#[must_use]
pub const fn per_type(task_type: TaskQueueType, names: [&'static str; 3]) -> &'static str {
    names[task_type.index()]
}
