//! From a state to a running controller and back.

use super::group::Group;
use super::lane::Lane;
use super::reading::keeps_readings;
use super::timers::Timers;
use super::{Bookkeeping, Controller, STATE_SCHEMA, Settings, State, Step, WorkerDeploymentVersion, change};
use crate::decision::{ActionKind, GroupName};
use crate::gather;
use crate::spec::ConfigMap;
use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Parts of a state that this release only carries along.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) unreadable_spec: Option<Value>,
    /// States of groups that the spec does not have.
    pub(super) scaling_state: BTreeMap<GroupName, ConfigMap>,
    unknown: Map<String, Value>,
    unknown_wci: Map<String, Value>,
}

impl Controller {
    /// Starts a run: the first one of a new controller, or the next one after continue-as-new or a restart.
    ///
    /// What was in flight when the state was taken is lost: each such action counts as unavailable. Signals and
    /// actions that wait are not touched yet; if there are any, or a poll is due, `wake_at` is `now`, so that
    /// everything they cause is the answer to an input and stands in the journal.
    pub fn start(
        version: WorkerDeploymentVersion,
        settings: Settings,
        state: State,
        now: Timestamp,
    ) -> (Self, Step) {
        let known: Vec<_> = state.scaling_state.keys().cloned().collect();
        let mut controller = Self::resume(version, settings, state);
        for group in &mut controller.groups {
            group.must_start |= !known.contains(&group.name);
        }
        let mut step = Step::default();
        controller.begin_run(now.max(Timestamp::EPOCH), &mut step);
        (controller, step)
    }

    /// Rebuilds a controller in the middle of a run: the next step is the one that the dumped controller would
    /// have made.
    #[must_use]
    pub fn resume(version: WorkerDeploymentVersion, settings: Settings, state: State) -> Self {
        let mut states = state.scaling_state;
        let mut wci = state.wci;
        wci.drop_what_cannot_be();
        let last_reading = wci.last_reading.filter(|_| keeps_readings(&settings));
        let mut controller = Self {
            version,
            settings,
            spec: state.spec,
            groups: Vec::new(),
            serving: [None; 3],
            signals: state.pending_task_add_signals.into(),
            lane: Lane::restore(wci.in_flight, wci.waiting_actions),
            timers: Timers {
                next_poll_at: wci.next_poll_at,
                poll_interval: wci.poll_interval,
                next_validation_at: wci.next_validation_at,
            },
            wake_at: None,
            stepped_at: Timestamp::default(),
            next_action_id: wci.next_action_id,
            signals_since_due: wci.signals_since_due,
            dropped_signals: wci.dropped_signals,
            last_reading,
            is_continue_wanted: wci.is_continue_wanted,
            is_deleted: wci.is_deleted,
            update: wci.update,
            validations: wci.validations,
            periodic_check: wci.periodic_check,
            conflict_token: state.conflict_token,
            create_time: state.create_time,
            last_modifier_identity: state.last_modifier_identity,
            validation_state: state.validation_state,
            carried: None,
        };
        controller.groups = controller.build_groups(&mut states, &mut wci.observations, &wci.failed_sizes);
        for group in &mut controller.groups {
            group.must_start = wci.groups_to_start.contains(&group.name);
        }
        controller.place_groups();
        controller.drop_actions_of_missing_groups();
        controller.trim_signals();
        controller.carried = Carried {
            unreadable_spec: state.unreadable_spec,
            scaling_state: states,
            unknown: state.unknown,
            unknown_wci: wci.unknown,
        }
        .boxed();
        controller
    }

    /// Everything this controller is. Built on demand, because inside the algorithms are typed.
    #[must_use]
    pub fn dump(&self) -> State {
        let (unreadable_spec, mut scaling_state, unknown) = match &self.carried {
            Some(c) => (c.unreadable_spec.clone(), c.scaling_state.clone(), c.unknown.clone()),
            None => Default::default(),
        };
        scaling_state.extend(self.groups.iter().map(|group| (group.name.clone(), group.algorithm.state())));
        State {
            spec: self.spec.clone(),
            unreadable_spec,
            scaling_state,
            pending_task_add_signals: self.signals.iter().cloned().collect(),
            conflict_token: self.conflict_token.clone(),
            create_time: self.create_time,
            last_modifier_identity: self.last_modifier_identity.clone(),
            validation_state: self.validation_state.clone(),
            wci: self.bookkeeping(),
            unknown,
        }
    }

    fn bookkeeping(&self) -> Bookkeeping {
        let unknown_wci = self.carried.as_ref().map(|carried| carried.unknown_wci.clone());
        Bookkeeping {
            schema: STATE_SCHEMA,
            next_action_id: self.next_action_id,
            next_poll_at: self.timers.next_poll_at,
            poll_interval: self.timers.poll_interval,
            next_validation_at: self.timers.next_validation_at,
            in_flight: self.lane.under_way().cloned(),
            waiting_actions: self.lane.waiting().iter().cloned().collect(),
            update: self.update.clone(),
            validations: self.validations.clone(),
            periodic_check: self.periodic_check,
            failed_sizes: gather(self.groups.iter().filter_map(Group::failed_size_by_name)),
            observations: gather(self.groups.iter().filter_map(Group::observation_by_name)),
            groups_to_start: self.groups.iter().filter(|g| g.must_start).map(|g| g.name.clone()).collect(),
            last_reading: self.last_reading,
            dropped_signals: self.dropped_signals,
            signals_since_due: self.signals_since_due,
            is_continue_wanted: self.is_continue_wanted,
            is_deleted: self.is_deleted,
            unknown: unknown_wci.unwrap_or_default(),
        }
    }

    /// What is lost by a restart is answered; what a new run does not inherit is reset.
    fn begin_run(&mut self, now: Timestamp, step: &mut Step) {
        self.is_continue_wanted = false;
        if self.conflict_token.is_empty() {
            self.conflict_token = self.fresh_token(now);
        }
        self.create_time.get_or_insert_with(|| now.into());
        if self.is_deleted {
            self.act(ActionKind::Finish, step);
            return;
        }
        if !self.settings.keep_next_poll {
            self.timers.poll_interval = None;
        }
        if !self.settings.keep_next_poll || (self.timers.next_poll_at.is_none() && !self.is_polling()) {
            self.timers.next_poll_at = Some(now.plus(self.settings.first_poll_after));
        }
        self.lose_action_under_way(now);
        self.periodic_check = None;
        self.refuse_requests_under_way(&change::lost(), step);
        self.repair_timers(now);
        let has_work = self.lane.has_waiting()
            || !self.signals.is_empty()
            || self.group_to_start().is_some()
            || self.timers.is_poll_due(now)
            || self.timers.is_validation_due(now);
        self.note_step(now, step);
        if has_work {
            step.wake_at = Some(now);
            self.wake_at = step.wake_at;
        }
    }
}

impl Carried {
    fn boxed(self) -> Option<Box<Self>> {
        let is_empty = self.unreadable_spec.is_none()
            && self.scaling_state.is_empty()
            && self.unknown.is_empty()
            && self.unknown_wci.is_empty();
        (!is_empty).then(|| Box::new(self))
    }
}
