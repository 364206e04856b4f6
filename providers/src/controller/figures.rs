//! What the figures take from a decision.

use super::decide::{Question, Record};
use crate::serve::metrics::{Labels, Metrics};
use prometheus_client::metrics::counter::Counter;
use std::collections::{BTreeMap, BTreeSet};
use wci_core::controller::{Input, Request, State};
use wci_core::decision::{Action, ActionKind, Decision, FetchWhy, GroupName, Rule};
use wci_core::journal::Entry;
use wci_core::metrics::MetricsSnapshot;
use wci_core::spec::LaunchStrategy;
use wci_core::{Spec, Step};

/// What made a decision on deferred statistics.
const DEFERRED: &str = "deferred";

/// Notes everything that a decision says.
pub(super) fn note(metrics: &Metrics, question: &Question, record: &Record) {
    let labels = Labels {
        namespace: question.namespace.clone(),
        worker_deployment_name: question.version.deployment_name.clone(),
        worker_build_id: question.version.build_id.clone(),
        ..Labels::default()
    };
    let in_flight = question.state.wci.in_flight.as_ref().map(|planned| planned.action.clone());
    let mut notes = Notes { metrics, labels, record, in_flight };
    if is_created(question, record) {
        metrics.created.write(&notes.labels, Counter::inc);
    }
    if let Some(begun) = &record.begun {
        notes.step(begun, None);
    }
    record.entries.iter().for_each(|entry| notes.entry(entry));
    notes.dropped(question);
    notes.sizes();
}

/// The types of the providers that something is about: that of the group, or without one all of the spec with commas.
pub(super) fn providers(spec: Option<&Spec>, group: Option<&str>) -> String {
    let Some(spec) = spec else { return String::new() };
    if let Some(group) = group.and_then(|name| spec.group(name)) {
        return group.compute.provider_type.name().to_owned();
    }
    let all: BTreeSet<_> = spec.groups().map(|(_, group)| group.compute.provider_type.name()).collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}

/// A controller is created when its first spec is stored, not when somebody tries.
fn is_created(question: &Question, record: &Record) -> bool {
    let had_none = question.state.spec.is_none() && question.state.unreadable_spec.is_none();
    // One whose first run begins with a spec, and without a time of creation, was started with it.
    let is_first = question.settings.is_none() && question.state.create_time.is_none();
    record.state.spec.is_some() && (had_none || is_first)
}

struct Notes<'a> {
    metrics: &'a Metrics,
    labels: Labels,
    record: &'a Record,
    /// The fetch, invocation or resize whose end comes next.
    in_flight: Option<Action>,
}

impl Notes<'_> {
    fn entry(&mut self, entry: &Entry) {
        match &entry.input {
            Input::TaskAdd(_) => self.metrics.signals.write(&self.labels, Counter::inc),
            Input::Requested { request, .. } if matches!(**request, Request::Update(_)) => {
                self.metrics.updates.write(&self.labels, Counter::inc);
            }
            Input::Metrics { result: Ok(snapshot), .. } => self.backlog(snapshot),
            Input::Metrics { result: Err(class), .. } | Input::ActionFinished { result: Err(class), .. } => {
                let group = self.in_flight.as_ref().and_then(|action| action.kind.group());
                let labels = Labels {
                    error_type: crate::error::class_name(*class).into(),
                    ..self.of(group.map(AsRef::as_ref))
                };
                self.metrics.workflow_error.write(&labels, Counter::inc);
            }
            _ => {}
        }
        self.step(&entry.step, Some(&entry.input));
    }

    /// Without an input: what beginning a run caused.
    fn step(&mut self, step: &Step, cause: Option<&Input>) {
        step.decisions.iter().for_each(|decision| self.decision(decision, cause));
        self.deferred_at_once(step, cause);
        for action in &step.actions {
            match &action.kind {
                ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } } => self.deferred(group),
                ActionKind::FetchMetrics { .. }
                | ActionKind::InvokeWorker { .. }
                | ActionKind::SetWorkerSetSize { .. } => {}
                _ => continue,
            }
            self.in_flight = Some(action.clone());
        }
    }

    /// Deferred decisions for which nothing was read: all but the one for which these statistics were.
    fn deferred_at_once(&self, step: &Step, cause: Option<&Input>) {
        let is_answer = matches!(cause, Some(Input::Metrics { result: Ok(_), .. }));
        let asked = self.in_flight.as_ref().filter(|_| is_answer);
        let mut read_for = asked.and_then(|action| action.kind.group());
        for decision in step.decisions.iter().filter(|d| trigger(d.reason.rule, cause) == DEFERRED) {
            if read_for.take_if(|group| **group == decision.group).is_none() {
                self.deferred(&decision.group);
            }
        }
    }

    /// Only a signal defers; its turn may come when something else has ended.
    fn deferred(&self, group: &GroupName) {
        let labels = Labels { scale_up_trigger: "task_add".into(), ..self.of(Some(group)) };
        self.metrics.deferred.write(&labels, Counter::inc);
    }

    fn decision(&self, decision: &Decision, cause: Option<&Input>) {
        let scale_up_trigger = trigger(decision.reason.rule, cause).into();
        let labels = Labels { scale_up_trigger, ..self.of(Some(&decision.group)) };
        if decision.throttled > 0 {
            self.metrics
                .scale_up_throttled
                .write(&labels, |counter| counter.inc_by(decision.throttled.into()));
        }
        if self.is_up(decision) {
            self.metrics.scale_up.write(&labels, Counter::inc);
        }
    }

    /// Whether a decision wants more workers than there were when it was made, by its own numbers.
    fn is_up(&self, decision: &Decision) -> bool {
        let spec = self.record.state.spec.as_ref();
        let Some(group) = spec.and_then(|spec| spec.group(&decision.group)) else { return false };
        match group.compute.provider_type.launch_strategy() {
            _ if decision.action_id.is_none() => false,
            LaunchStrategy::Invoke => true,
            LaunchStrategy::WorkerSet => {
                let sizes = (decision.reason.desired_workers, decision.reason.input("current_workers"));
                #[expect(clippy::cast_precision_loss, reason = "sizes of worker sets are far below that")]
                let is_above = |(desired, current): (i64, f64)| desired as f64 > current;
                sizes.0.zip(sizes.1).is_some_and(is_above)
            }
        }
    }

    /// Signals that found the queue full since the question was asked.
    fn dropped(&self, question: &Question) {
        let dropped =
            self.record.state.wci.dropped_signals.saturating_sub(question.state.wci.dropped_signals);
        if dropped > 0 {
            let labels = Labels { error_type: "queue_full".into(), ..self.labels.clone() };
            self.metrics.task_match_error.write(&labels, |counter| counter.inc_by(dropped));
        }
    }

    /// Writes the sizes that worker sets shall have, also where they stay: what is not written ends.
    fn sizes(&self) {
        for (provider, size) in sizes(&self.record.state) {
            let labels = Labels { compute_provider: provider.into(), ..self.labels.clone() };
            self.metrics.target_worker_count.write(&labels, |gauge| gauge.set(size));
        }
    }

    fn backlog(&self, snapshot: &MetricsSnapshot) {
        let count: i64 = snapshot.present().map(|(_, queue)| queue.last_backlog_count).sum();
        let age = snapshot.present().map(|(_, queue)| queue.last_backlog_age).max().unwrap_or(0);
        self.metrics.backlog_count.write(&self.labels, |gauge| gauge.set(count));
        #[expect(clippy::cast_precision_loss, reason = "ages are far below the numbers that lose precision")]
        let seconds = age as f64 / 1000.0;
        self.metrics.backlog_age.write(&self.labels, |gauge| gauge.set(seconds));
    }

    fn of(&self, group: Option<&str>) -> Labels {
        let compute_provider = providers(self.record.state.spec.as_ref(), group);
        Labels { compute_provider, ..self.labels.clone() }
    }
}

/// What made a rule speak. A signal that waited is taken when something else has ended, so the input alone does not say.
const fn trigger(rule: Rule, cause: Option<&Input>) -> &'static str {
    match (rule, cause) {
        (Rule::NoSyncMatch, _) => "task_add",
        (Rule::CapacityMeasured | Rule::CapacityUnknown, _) => DEFERRED,
        (_, Some(Input::Metrics { .. })) => "poll",
        (
            _,
            None
            | Some(
                Input::Requested { .. }
                | Input::SpecChecked { .. }
                | Input::Registered { .. }
                | Input::SettingsChanged(_),
            ),
        ) => "update",
        (_, Some(_)) => "task_add",
    }
}

/// The sizes that worker sets shall have, as far as they are known, added up for each type of provider.
fn sizes(state: &State) -> BTreeMap<&'static str, i64> {
    let mut sizes = BTreeMap::new();
    for (name, group) in state.spec.iter().flat_map(Spec::groups) {
        let provider = group.compute.provider_type;
        let count = state.scaling_state.get(name).and_then(|state| state.get("worker_count"));
        if provider.launch_strategy() == LaunchStrategy::WorkerSet
            && let Some(count) = count.and_then(wci_core::config::integer)
        {
            *sizes.entry(provider.name()).or_default() += count;
        }
    }
    sizes
}

#[cfg(test)]
mod tests;
