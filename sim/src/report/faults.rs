//! The faults of a model as windows of time with names, for charts, facts and explanations.

use super::units::{duration_ms, duration_s, number, percent};
use crate::model::{Fault, FaultKind, Model, Nanos};

/// A fault: what goes wrong, from when to when.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultWindow {
    /// When it begins, seconds since the start.
    pub from_s: f64,
    /// When it ends; the begin again for what happens in one moment.
    pub to_s: f64,
    /// What goes wrong, as a scenario names it, with its group where only one is hit.
    pub name: String,
}

impl FaultWindow {
    /// The faults of a model, in the order of time.
    #[must_use]
    pub fn of_model(model: &Model) -> Vec<Self> {
        let window = |fault: &Fault| Self {
            from_s: seconds(fault.at),
            to_s: seconds(fault.at.saturating_add(fault.lasts)),
            name: name(model, &fault.kind),
        };
        model.faults.iter().map(window).collect()
    }

    /// Whether it is under way at a moment.
    #[must_use]
    pub fn holds_at(&self, t_s: f64) -> bool {
        self.from_s <= t_s && t_s < self.to_s
    }

    /// From when to when, in words.
    #[must_use]
    pub fn span(&self) -> String {
        if self.to_s > self.from_s {
            format!("from {} to {}", duration_s(self.from_s), duration_s(self.to_s))
        } else {
            format!("at {}", duration_s(self.from_s))
        }
    }
}

fn seconds(nanos: Nanos) -> f64 {
    nanos as f64 / 1e9
}

fn name(model: &Model, kind: &FaultKind) -> String {
    let of = |group: &Option<usize>| {
        let group = group.filter(|_| model.groups.len() > 1).and_then(|index| model.groups.get(index));
        group.map(|group| format!(" of {}", group.name)).unwrap_or_default()
    };
    match kind {
        FaultKind::ProviderOutage { group } => format!("provider-outage{}", of(group)),
        FaultKind::OutOfCapacity { group } => format!("out-of-capacity{}", of(group)),
        FaultKind::ColdStartStorm { group, factor } => {
            format!("cold-start-storm{} (x {})", of(group), number(*factor))
        }
        FaultKind::LostSignals { probability } => format!("lost-signals ({})", percent(*probability)),
        FaultKind::LateMetrics { delay } => format!("late-metrics (by {})", duration_ms(*delay as f64 / 1e6)),
        FaultKind::MissingMetrics => "missing-metrics".into(),
        FaultKind::WorkerCrashes { group, fraction } => {
            format!("worker-crashes{} ({})", of(group), percent(*fraction))
        }
        FaultKind::ControllerRestart => "controller-restart".into(),
        FaultKind::NamespaceDisabled => "namespace-disabled".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_when_it_lasts_and_when_it_happens_at_once() {
        let fault = |from_s, to_s| FaultWindow { from_s, to_s, name: "worker-crashes (50 %)".into() };
        assert_eq!(fault(1200.0, 1800.0).span(), "from 20 min to 30 min");
        assert_eq!(fault(1200.0, 1200.0).span(), "at 20 min");
        assert!(fault(1.0, 2.0).holds_at(1.0) && !fault(1.0, 2.0).holds_at(2.0));
    }
}
