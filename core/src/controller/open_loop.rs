//! What another spec would have decided on recorded inputs.

use super::{Controller, Input, Settings, State, Step, WorkerDeploymentVersion};
use crate::decision::{Action, ActionId, ActionKind, Decision, FetchWhy, GroupName};
use crate::metrics::MetricsSnapshot;
use crate::spec::Spec;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A controller with another spec that is shown the signals and statistics of a recording.
///
/// The loop is open: the recorded statistics are those of the recorded decisions, so more workers here do not
/// shorten the backlog there. Its actions count as done at once, its polls are those of the recording.
#[derive(Debug)]
pub struct OpenLoop {
    controller: Controller,
    wants_statistics: BTreeSet<GroupName>,
    /// The recorded fetch under way, and whether it is a poll.
    fetch: Option<(ActionId, bool)>,
}

impl OpenLoop {
    /// Puts `spec` in the place of the recorded one. A group that keeps its name and its kind of algorithm goes on
    /// with the recorded state, as after an update.
    #[must_use]
    pub fn new(version: WorkerDeploymentVersion, settings: Settings, state: State, spec: Spec) -> Self {
        let mut controller = Controller::resume(version, settings, state);
        let under_way = controller.lane.under_way();
        let fetch = under_way.and_then(|planned| recorded_fetch(&planned.action));
        controller.lane.clear();
        controller.replace_spec(spec, &BTreeMap::new());
        Self { controller, wants_statistics: BTreeSet::new(), fetch }
    }

    /// A further run of the recording begins: this goes on with what its own spec has led to, under the settings that
    /// the host has by now.
    pub fn go_on(&mut self, settings: Settings) {
        self.controller.change_settings(settings);
    }

    /// Shows one recorded input, with the step that was recorded for it.
    pub fn feed(&mut self, now: Timestamp, input: &Input, recorded: &Step) -> Vec<Decision> {
        let now = now.max(Timestamp::EPOCH);
        let mut step = Step::default();
        while let Some(index) = self.controller.group_to_start() {
            self.controller.start_group(now, index, &mut step);
        }
        while let Some(add) = self.controller.signals.pop_front() {
            self.controller.take_signal(now, &add, &mut step);
        }
        match input {
            Input::TaskAdd(add) => self.controller.take_signal(now, add, &mut step),
            Input::Metrics { id, result } => {
                let fetch = self.fetch.take_if(|(fetch, _)| fetch == id);
                if let (Some((_, is_poll)), Ok(metrics)) = (fetch, result) {
                    self.decide(now, is_poll, metrics, &mut step);
                }
            }
            Input::Observation { group, observation } => self.controller.on_observation(group, *observation),
            Input::SettingsChanged(settings) => {
                self.controller.change_settings((**settings).clone());
            }
            _ => {}
        }
        self.carry_out(now, &mut step);
        self.fetch = recorded.actions.iter().find_map(recorded_fetch).or(self.fetch);
        step.decisions
    }

    fn decide(&mut self, now: Timestamp, is_poll: bool, metrics: &MetricsSnapshot, step: &mut Step) {
        self.carry_out(now, step);
        self.controller.remember(now, metrics);
        for group in std::mem::take(&mut self.wants_statistics) {
            self.controller.decide_deferred(now, &group, metrics, step);
        }
        if is_poll && self.controller.settings.enabled {
            self.controller.decide_poll(now, metrics, step);
        }
    }

    /// Everything decided counts as done. Fresh statistics answer a deferred decision, as they would in a controller;
    /// without them it waits for the next recorded ones, whatever they were read for.
    fn carry_out(&mut self, now: Timestamp, step: &mut Step) {
        while let Some(action) = self.controller.lane.begin_next() {
            if self.controller.answer_at_once(now, &action, step) {
                continue;
            }
            self.controller.lane.end(action.id, |_| true);
            if let ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } } = action.kind {
                self.wants_statistics.insert(group);
            }
        }
    }
}

fn recorded_fetch(action: &Action) -> Option<(ActionId, bool)> {
    match &action.kind {
        ActionKind::FetchMetrics { why } => Some((action.id, *why == FetchWhy::Poll)),
        _ => None,
    }
}
