//! The state machine of one worker controller instance.
//!
//! A host hands in an [`Input`] with the time at which it happened and carries out the [`Step`] it gets back.
//! Two kinds of action run side by side. Fetches, invocations and resizes take turns: one at a time, while
//! signals wait in a queue and a due poll waits too. Requests of users do not wait for them.

mod change;
mod group;
mod input;
mod lane;
mod lenient;
mod open_loop;
mod poll;
mod reading;
mod request;
mod restore;
mod settings;
mod signal;
mod spec_change;
mod state;
mod timers;

pub use change::{Change, PeriodicCheck, ValidationRequest};
pub use input::{Failure, FailureClass, Input};
pub use lane::Planned;
pub use open_loop::OpenLoop;
pub use reading::Reading;
pub use request::{GroupUpdate, Refusal, RefusalKind, Request, Response, Update};
pub use settings::Settings;
pub use state::{Bookkeeping, STATE_SCHEMA, State, ValidationState, WireTime};

use crate::decision::{Action, ActionId, ActionKind, Decision, FetchWhy};
use crate::signals::TaskAdd;
use crate::spec::Spec;
use crate::time::Timestamp;
use group::Group;
use lane::Lane;
use restore::Carried;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use timers::Timers;

/// Deployment name and build id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDeploymentVersion {
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub build_id: String,
}

/// What one input caused.
#[must_use = "a step holds the actions to carry out"]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// To be carried out.
    pub actions: Vec<Action>,
    /// Every evaluated rule.
    pub decisions: Vec<Decision>,
    /// When to hand in `WokeUp`; replaces the former one, absent: never.
    pub wake_at: Option<Timestamp>,
}

/// The answer to `describe-wci`, in the wire's form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Description {
    /// Name of the worker deployment.
    pub deployment_name: String,
    /// Build of the deployment.
    pub deployment_build_id: String,
    /// When the controller was created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<WireTime>,
    /// The spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Spec>,
    /// To be given with the next update (base64).
    pub conflict_token: String,
    /// Who changed the spec last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_modifier_identity: String,
    /// How the last validation ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_state: Option<ValidationState>,
}

/// One worker controller instance.
///
/// Its algorithms are typed inside; the wire's maps are built only by [`Controller::dump`].
#[derive(Debug)]
pub struct Controller {
    version: WorkerDeploymentVersion,
    settings: Settings,
    spec: Option<Spec>,
    groups: Vec<Group>,
    /// The group that serves each task type here, by [`crate::metrics::TaskQueueType::index`].
    serving: [Option<usize>; 3],
    signals: VecDeque<TaskAdd>,
    lane: Lane,
    timers: Timers,
    /// What the last step said; none: this controller has not made a step yet.
    wake_at: Option<Timestamp>,
    stepped_at: Timestamp,
    next_action_id: u64,
    signals_since_due: u32,
    dropped_signals: u64,
    /// The last statistics; none where the settings have no use for them.
    last_reading: Option<Reading>,
    is_continue_wanted: bool,
    is_deleted: bool,
    update: Option<Change>,
    validations: Vec<ValidationRequest>,
    periodic_check: Option<PeriodicCheck>,
    conflict_token: String,
    create_time: Option<WireTime>,
    last_modifier_identity: String,
    validation_state: Option<ValidationState>,
    carried: Option<Box<Carried>>,
}

impl Controller {
    /// Takes an input and says what shall be done. Total: never panics, never blocks.
    ///
    /// A time before 1970 counts as 1970: states cannot hold it.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Step {
        let now = now.max(Timestamp::EPOCH);
        let mut step = Step::default();
        match input {
            Input::TaskAdd(add) if self.is_at_rest(now) => {
                self.take_signal(now, &add, &mut step);
                if !self.lane.has_waiting() {
                    step.wake_at = self.wake_at;
                    return step;
                }
            }
            input => self.accept(now, input, &mut step),
        }
        self.settle(now, &mut step);
        step
    }

    /// Whether a request would be begun if it came in now.
    ///
    /// # Errors
    /// Says why not, in the wire's failure types.
    pub fn admit(&self, request: &Request) -> Result<(), Refusal> {
        self.plan(request).map(drop)
    }

    /// The answer to `describe-wci`.
    #[must_use]
    pub fn describe(&self) -> Description {
        Description {
            deployment_name: self.version.deployment_name.clone(),
            deployment_build_id: self.version.build_id.clone(),
            create_time: self.create_time,
            spec: self.spec.clone(),
            conflict_token: self.conflict_token.clone(),
            last_modifier_identity: self.last_modifier_identity.clone(),
            validation_state: self.validation_state.clone(),
        }
    }

    /// What the host decided.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The version whose workers it scales.
    #[must_use]
    pub const fn version(&self) -> &WorkerDeploymentVersion {
        &self.version
    }

    /// The spec, if it has one.
    #[must_use]
    pub const fn spec(&self) -> Option<&Spec> {
        self.spec.as_ref()
    }

    /// Whether no answer is awaited: a state dumped now loses nothing when it is started elsewhere.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lane.is_free()
            && self.update.is_none()
            && self.validations.is_empty()
            && self.periodic_check.is_none()
    }

    /// Whether an update was begun that has not ended.
    #[must_use]
    pub const fn is_updating(&self) -> bool {
        self.update.is_some()
    }

    /// Whether it was deleted.
    #[must_use]
    pub const fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    /// Signals that wait for their turn.
    #[must_use]
    pub fn waiting_signals(&self) -> usize {
        self.signals.len()
    }

    /// Signals that found the queue full.
    #[must_use]
    pub const fn dropped_signals(&self) -> u64 {
        self.dropped_signals
    }

    fn accept(&mut self, now: Timestamp, input: Input, step: &mut Step) {
        match input {
            Input::Requested { request_id, request } => self.on_requested(now, request_id, &request, step),
            Input::SettingsChanged(settings) => {
                self.change_settings(*settings);
                self.trim_signals();
            }
            _ if self.is_deleted => {}
            Input::TaskAdd(add) => self.queue_signal(add),
            Input::Metrics { id, result } => self.on_metrics(now, id, result, step),
            Input::Observation { group, observation } => self.on_observation(&group, observation),
            Input::WokeUp => {}
            Input::SpecChecked { id, result } => self.on_spec_checked(now, id, result, step),
            Input::Registered { id, result } => self.on_registered(now, id, result, step),
            Input::ActionFinished { id, result } => self.on_action_finished(now, id, result),
            Input::ContinueWanted => self.is_continue_wanted = true,
        }
    }

    /// Does all that can be done now, and says when to come again.
    fn settle(&mut self, now: Timestamp, step: &mut Step) {
        if !self.is_deleted {
            self.repair_timers(now);
            if !self.is_continue_wanted {
                self.validate_when_due(now, step);
                self.work(now, step);
            }
        }
        self.note_step(now, step);
    }

    /// Begins actions and takes signals, until something is under way or nothing is left. A due poll has its
    /// turn when no signal waits, or after so many signals that it has waited long enough.
    fn work(&mut self, now: Timestamp, step: &mut Step) {
        let mut has_polled = false;
        while self.lane.is_free() {
            let is_poll_due = !has_polled && self.timers.is_poll_due(now);
            let has_waited = self.signals_since_due >= self.settings.signals_before_timer;
            if let Some(action) = self.lane.begin_next() {
                if !self.answer_at_once(now, &action, step) {
                    step.actions.push(action);
                }
            } else if let Some(index) = self.group_to_start() {
                self.start_group(now, index, step);
            } else if is_poll_due && (has_waited || self.signals.is_empty()) {
                has_polled = true;
                self.begin_poll(now);
            } else if let Some(add) = self.signals.pop_front() {
                self.signals_since_due += u32::from(is_poll_due);
                self.take_signal(now, &add, step);
            } else {
                break;
            }
        }
    }

    fn note_step(&mut self, now: Timestamp, step: &mut Step) {
        self.stepped_at = now;
        self.wake_at = (!self.is_deleted).then(|| self.timers.wake_at(now, &self.settings));
        step.wake_at = self.wake_at;
    }

    /// Whether a signal can be taken at once: nothing waits, nothing is under way, nothing is due.
    fn is_at_rest(&self, now: Timestamp) -> bool {
        self.lane.is_free()
            && self.signals.is_empty()
            && self.wake_at.is_some_and(|wake_at| now < wake_at)
            && now >= self.stepped_at
            && !self.is_continue_wanted
            && !self.is_deleted
    }

    fn repair_timers(&mut self, now: Timestamp) {
        if self.timers.next_poll_at.is_none() && !self.is_polling() {
            self.timers.next_poll_at = Some(now.plus(self.settings.poll_ceiling()));
        }
        self.timers.repair(now, &self.settings);
    }

    fn is_polling(&self) -> bool {
        let mut actions = self.lane.under_way().into_iter().chain(self.lane.waiting());
        actions.any(|p| matches!(p.action.kind, ActionKind::FetchMetrics { why: FetchWhy::Poll }))
    }

    /// An action that does not take turns.
    fn act(&mut self, kind: ActionKind, step: &mut Step) -> ActionId {
        let id = self.next_id();
        step.actions.push(Action { id, kind });
        id
    }

    fn next_id(&mut self) -> ActionId {
        let id = ActionId(self.next_action_id);
        self.next_action_id += 1;
        id
    }
}

#[cfg(test)]
mod tests;
