//! What the figures take from a decision.

use super::decide::{Question, Record};
use crate::serve::metrics::{Labels, Metrics};
use wci_core::controller::{Input, Request};
use wci_core::decision::{Action, ActionKind, FetchWhy, GroupName};
use wci_core::journal::Entry;
use wci_core::metrics::MetricsSnapshot;

/// Notes everything that a decision says.
pub(super) fn note(metrics: &Metrics, question: &Question, record: &Record) {
    let labels = Labels {
        namespace: question.namespace.clone(),
        worker_deployment_name: question.version.deployment_name.clone(),
        worker_build_id: question.version.build_id.clone(),
        ..Labels::default()
    };
    if question.settings.is_none() && question.state.create_time.is_none() {
        metrics.created.get_or_create(&labels).inc();
    }
    let notes = Notes { metrics, labels, record };
    record.entries.iter().for_each(|entry| notes.entry(entry));
}

struct Notes<'a> {
    metrics: &'a Metrics,
    labels: Labels,
    record: &'a Record,
}

impl Notes<'_> {
    fn entry(&self, entry: &Entry) {
        match &entry.input {
            Input::TaskAdd(_) => drop(self.metrics.signals.get_or_create(&self.labels).inc()),
            Input::Requested { request, .. } if matches!(**request, Request::Update(_)) => {
                self.metrics.updates.get_or_create(&self.labels).inc();
            }
            Input::Metrics { result: Ok(snapshot), .. } => self.backlog(snapshot),
            Input::Metrics { result: Err(class), .. } | Input::ActionFinished { result: Err(class), .. } => {
                let error_type = crate::error::class_name(*class).into();
                let labels = Labels { error_type, ..self.labels.clone() };
                self.metrics.workflow_error.get_or_create(&labels).inc();
            }
            _ => {}
        }
        for decision in &entry.step.decisions {
            let labels = self.of(&decision.group, &entry.input);
            if decision.throttled > 0 {
                self.metrics.scale_up_throttled.get_or_create(&labels).inc_by(decision.throttled.into());
            }
        }
        entry.step.actions.iter().for_each(|action| self.action(action, &entry.input));
    }

    fn action(&self, action: &Action, cause: &Input) {
        match &action.kind {
            ActionKind::InvokeWorker { group, .. } => {
                self.metrics.scale_up.get_or_create(&self.of(group, cause)).inc();
            }
            ActionKind::SetWorkerSetSize { group, count } => {
                let labels = Labels { scale_up_trigger: String::new(), ..self.of(group, cause) };
                let before = self.metrics.target_worker_count.get_or_create(&labels).set(i64::from(*count));
                if i64::from(*count) > before {
                    self.metrics.scale_up.get_or_create(&self.of(group, cause)).inc();
                }
            }
            ActionKind::FetchMetrics { why: FetchWhy::Deferred { group } } => {
                self.metrics.deferred.get_or_create(&self.of(group, cause)).inc();
            }
            _ => {}
        }
    }

    fn backlog(&self, snapshot: &MetricsSnapshot) {
        let count: i64 = snapshot.present().map(|(_, queue)| queue.last_backlog_count).sum();
        let age = snapshot.present().map(|(_, queue)| queue.last_backlog_age).max().unwrap_or(0);
        self.metrics.backlog_count.get_or_create(&self.labels).set(count);
        #[expect(clippy::cast_precision_loss, reason = "ages are far below the numbers that lose precision")]
        let seconds = age as f64 / 1000.0;
        self.metrics.backlog_age.get_or_create(&self.labels).set(seconds);
    }

    fn of(&self, group: &GroupName, cause: &Input) -> Labels {
        let trigger = match cause {
            Input::TaskAdd(_) => "task_add",
            Input::Metrics { .. } => "poll",
            Input::Requested { .. } | Input::SpecChecked { .. } | Input::Registered { .. } => "update",
            _ => "other",
        };
        let group = self.record.state.spec.as_ref().and_then(|spec| spec.group(group));
        let provider = group.map(|group| group.compute.provider_type.name()).unwrap_or_default();
        let scale_up_trigger = trigger.into();
        Labels { compute_provider: provider.into(), scale_up_trigger, ..self.labels.clone() }
    }
}
