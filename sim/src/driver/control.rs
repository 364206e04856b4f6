//! The controller's host in simulation: carries out what the core says and hands it what happens.

use super::Records;
use super::observer::JournalEntry;
use super::statistics::Statistics;
use crate::model::{MILLI, Model, Nanos, SECOND, Started};
use crate::results::TimedDecision;
use crate::rng;
use crate::world::{Launch, World, luck};
use std::collections::{BTreeMap, VecDeque};
use wci_core::controller::{FailureClass, Request, State, Update, WorkerDeploymentVersion};
use wci_core::decision::{ActionId, ActionKind, GroupName};
use wci_core::gather;
use wci_core::metrics::MetricsSnapshot;
use wci_core::{Action, Controller, Input, Millis, Settings, Spec, Step, Timestamp};

/// A poll's timeout; it has one attempt.
const POLL_TIMEOUT: Nanos = 60 * SECOND;

/// What is on its way back to the controller.
#[derive(Clone, Debug)]
enum Answer {
    /// Statistics, as they were when they were asked for; `None`: the poll fails.
    Metrics(ActionId, Option<MetricsSnapshot>),
    /// A provider's answer.
    Call { id: ActionId, group: usize, launch: Launch, failure: Option<FailureClass> },
    /// An input that is ready.
    Ready(Box<Input>),
}

/// The controller with its clock, its signals and its answers.
pub struct ControllerHost {
    controller: Controller,
    statistics: Statistics,
    group_names: BTreeMap<GroupName, usize>,
    start: Timestamp,
    wake_at: Option<Nanos>,
    answers: BTreeMap<(Nanos, u64), Answer>,
    answered: u64,
    /// The controller is away: what it left.
    away: Option<State>,
    /// The settings of a controller that starts now.
    settings: Settings,
    /// Specs that wait until the controller takes them.
    specs: VecDeque<Spec>,
    is_stopped: bool,
    /// Polls fail (a fault).
    pub metrics_missing: bool,
    /// Polls take so much longer (a fault).
    pub metrics_late: Nanos,
}

impl ControllerHost {
    pub fn new(model: &Model) -> Self {
        let version =
            WorkerDeploymentVersion { deployment_name: model.name.clone(), build_id: "simulated".into() };
        let state = State::new(Some(model.spec.clone()), model.start);
        let mut settings = model.controller.settings.clone();
        let (mut controller, mut step) =
            Controller::start(version.clone(), settings.clone(), state.clone(), model.start);
        if model.controller.started == Started::Steady {
            // A steady controller has polled before: its first poll lies uniformly in its interval.
            let interval = controller.current_poll_interval(model.start).get().max(1);
            let bits = rng::key(model.seed, [luck::FIRST_POLL, 0]);
            settings.first_poll_after = Millis::new(rng::below(bits, interval as u64) as i64);
            (controller, step) = Controller::start(version, settings, state, model.start);
        }
        let mut host = Self {
            controller,
            statistics: Statistics::new(model.controller.statistics_cache, model.controller.metric_delay),
            group_names: gather(model.groups.iter().enumerate().map(|(i, group)| (group.name.clone(), i))),
            start: model.start,
            wake_at: None,
            answers: BTreeMap::new(),
            answered: 0,
            away: None,
            settings: model.controller.settings.clone(),
            specs: VecDeque::new(),
            is_stopped: false,
            metrics_missing: false,
            metrics_late: 0,
        };
        host.wake_at = host.nanos(step.wake_at);
        host
    }

    /// The controller begins to be watched. Worker sets get the size their algorithm plans.
    pub fn begin(&mut self, _world: &mut World, records: &mut Records<'_>) {
        if records.observer.wants_journal() {
            records.observer.journal_begins(&self.controller);
        }
    }

    /// When the timer, an answer or a sample is due; signals come on top of that.
    pub fn due(&self) -> Nanos {
        if self.is_stopped {
            return Nanos::MAX;
        }
        let sample = self.statistics.next_sample();
        let answer = self.answers.first_key_value().map_or(Nanos::MAX, |((at, _), _)| *at);
        if self.away.is_some() {
            return sample.min(answer);
        }
        self.wake_at.unwrap_or(Nanos::MAX).min(answer).min(sample)
    }

    /// Whether signals reach the controller now; else they wait.
    pub const fn listens(&self) -> bool {
        !self.is_stopped && self.away.is_none()
    }

    /// Hands the controller one thing that is due: answers first, then signals, then the timer.
    pub fn act(&mut self, world: &mut World, records: &mut Records<'_>) {
        let now = world.now;
        if self.statistics.next_sample() <= now {
            self.statistics.sample(world);
            return;
        }
        if let Some(entry) = self.answers.first_entry()
            && entry.key().0 <= now
        {
            let answer = entry.remove();
            self.answer(world, records, answer);
        } else if world.signals.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, add)) = world.signals.pop_front() {
                self.handle(world, records, Input::TaskAdd(add));
            }
        } else {
            self.wake_at = None;
            self.handle(world, records, Input::WokeUp);
        }
    }

    /// No more decisions: the run drains.
    pub const fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Kills the controller, or restores it from what it had stored.
    pub fn set_away(&mut self, world: &mut World, records: &mut Records<'_>, away: bool) {
        if away && self.away.is_none() {
            self.away = Some(self.controller.dump());
            // Calls that were sent take effect all the same; nobody waits for the rest.
            self.answers.retain(|_, answer| matches!(answer, Answer::Call { .. }));
        } else if !away && let Some(state) = self.away.take() {
            self.restore(world, records, state);
        }
    }

    /// Enables or disables the namespace.
    pub fn set_enabled(&mut self, world: &mut World, records: &mut Records<'_>, enabled: bool) {
        if self.settings.enabled != enabled {
            self.settings.enabled = enabled;
            if self.away.is_none() {
                let settings = Box::new(self.settings.clone());
                self.handle(world, records, Input::SettingsChanged(settings));
            }
        }
        self.submit_specs(world, records);
    }

    /// A hand gives the controller another spec: now, or as soon as it takes one.
    pub fn change_spec(&mut self, world: &mut World, records: &mut Records<'_>, spec: &Spec) {
        self.specs.push_back(spec.clone());
        self.submit_specs(world, records);
    }

    fn restore(&mut self, world: &mut World, records: &mut Records<'_>, state: State) {
        let version = self.controller.version().clone();
        let (controller, step) = Controller::start(version, self.settings.clone(), state, world.timestamp());
        self.controller = controller;
        if records.observer.wants_journal() {
            records.observer.journal_begins(&self.controller);
        }
        self.carry_out(world, records, step);
        self.submit_specs(world, records);
    }

    fn submit_specs(&mut self, world: &mut World, records: &mut Records<'_>) {
        if self.away.is_some() {
            return;
        }
        let Some(spec) = self.specs.front() else { return };
        let spec = serde_json::to_value(spec).ok();
        let request = Request::Update(Update { identity: "hand".into(), spec, ..Update::default() });
        if self.controller.admit(&request).is_ok() {
            self.specs.pop_front();
            self.answered += 1;
            let request_id = format!("change-{}", self.answered);
            self.handle(world, records, Input::Requested { request_id, request: Box::new(request) });
        }
    }

    /// The controller as it is now.
    pub const fn controller(&self) -> &Controller {
        &self.controller
    }

    fn answer(&mut self, world: &mut World, records: &mut Records<'_>, answer: Answer) {
        match answer {
            Answer::Metrics(id, snapshot) => self.answer_metrics(world, records, id, snapshot),
            Answer::Ready(input) => self.handle(world, records, *input),
            Answer::Call { id, group, launch, failure } => {
                let result = failure.map_or_else(|| world.launch(group, launch), Err);
                world.groups[group].ledger.counters.failed_calls += u64::from(result.is_err());
                records.log.call_ended(id, result.err());
                records.observer.call_ended(id, result.err());
                if self.away.is_none() {
                    self.handle(world, records, Input::ActionFinished { id, result });
                }
            }
        }
        self.submit_specs(world, records);
    }

    fn answer_metrics(
        &mut self,
        world: &mut World,
        records: &mut Records<'_>,
        id: ActionId,
        snapshot: Option<MetricsSnapshot>,
    ) {
        let Some(snapshot) = snapshot else {
            let result = Err(FailureClass::Unavailable);
            self.handle(world, records, Input::Metrics { id, result });
            return;
        };
        for group in 0..world.groups.len() {
            let name = world.groups[group].model.name.clone();
            let observation = world.observe(group);
            self.handle(world, records, Input::Observation { group: name, observation });
        }
        self.handle(world, records, Input::Metrics { id, result: Ok(snapshot) });
    }

    fn handle(&mut self, world: &mut World, records: &mut Records<'_>, input: Input) {
        let now = world.timestamp();
        let step = if records.observer.wants_journal() {
            let copy = input.clone();
            let step = self.controller.handle(now, input);
            records.observer.journal(JournalEntry { t: now, input: &copy, step: &step });
            step
        } else {
            self.controller.handle(now, input)
        };
        self.carry_out(world, records, step);
    }

    fn carry_out(&mut self, world: &mut World, records: &mut Records<'_>, step: Step) {
        self.wake_at = self.nanos(step.wake_at).map(|at| at.max(world.now));
        let now = world.timestamp();
        for decision in step.decisions {
            feed_decision(records, now, &decision, self.group_names.get(&decision.group));
            if let Some(&group) = self.group_names.get(&decision.group) {
                world.groups[group].ledger.counters.throttled += u64::from(decision.throttled);
            }
            let timed = TimedDecision::new(now.as_millis(), decision);
            records.log.push(timed.t, &timed.decision);
            records.observer.decision(&timed);
        }
        for action in step.actions {
            self.start_action(world, action);
        }
    }

    fn start_action(&mut self, world: &mut World, action: Action) {
        let Action { id, kind } = action;
        match kind {
            ActionKind::FetchMetrics { .. } => self.fetch(world, id),
            ActionKind::InvokeWorker { group, count } => self.call(world, id, &group, Launch::Invoke(count)),
            ActionKind::SetWorkerSetSize { group, count } => {
                self.call(world, id, &group, Launch::SetSize(count))
            }
            ActionKind::CheckSpec { .. } => {
                self.later(world.now, Answer::Ready(Box::new(Input::SpecChecked { id, result: Ok(()) })));
            }
            ActionKind::RegisterTaskQueues { .. } => {
                // Simulated task queues are registered from the start.
                self.later(
                    world.now,
                    Answer::Ready(Box::new(Input::Registered { id, result: Ok(Vec::new()) })),
                );
            }
            ActionKind::Answer { .. } | ActionKind::Finish => {}
        }
    }

    /// A poll reads the statistics now and gets them later; it gives up after its timeout.
    fn fetch(&mut self, world: &mut World, id: ActionId) {
        let takes = self.metrics_late.min(POLL_TIMEOUT);
        let is_lost = self.metrics_missing || self.metrics_late >= POLL_TIMEOUT;
        let snapshot = (!is_lost).then(|| self.statistics.read(world));
        self.later(world.now + takes, Answer::Metrics(id, snapshot));
    }

    fn call(&mut self, world: &mut World, id: ActionId, group: &GroupName, launch: Launch) {
        let Some(&group) = self.group_names.get(group) else {
            let result = Err(FailureClass::NotFound);
            self.later(world.now, Answer::Ready(Box::new(Input::ActionFinished { id, result })));
            return;
        };
        let counters = &mut world.groups[group].ledger.counters;
        match launch {
            Launch::Invoke(_) => counters.invoke_worker += 1,
            Launch::SetSize(_) => counters.set_worker_set_size += 1,
        }
        let outcome = world.call_provider(group);
        self.later(outcome.answers_at, Answer::Call { id, group, launch, failure: outcome.failure });
    }

    fn later(&mut self, at: Nanos, answer: Answer) {
        self.answered += 1;
        self.answers.insert((at, self.answered), answer);
    }

    fn nanos(&self, at: Option<Timestamp>) -> Option<Nanos> {
        at.map(|at| u64::try_from(at.since(self.start).get()).unwrap_or(0).saturating_mul(MILLI))
    }
}

/// Time, group, rule, limit, counts and whether it acted: as integers.
fn feed_decision(
    records: &mut Records<'_>,
    now: Timestamp,
    decision: &wci_core::Decision,
    group: Option<&usize>,
) {
    let reason = &decision.reason;
    let limit = reason.limit.map_or(0, wci_core::decision::Limit::code);
    let digest = &mut *records.digest;
    digest.feed(now.as_millis() as u64);
    digest.feed(group.map_or(u64::MAX, |&group| group as u64));
    digest.feed(u64::from(reason.rule.code()) << 16 | u64::from(limit));
    digest.feed(reason.desired_workers.unwrap_or(-1) as u64);
    digest.feed(decision.action_id.map_or(u64::MAX, |id| id.0));
}
