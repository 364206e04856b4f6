//! Faults and changes on the timeline.

use super::workloads::Resolved;
use super::{Problems, ROOT, arrivals, laws, spec};
use crate::dist::Dist;
use crate::model::{Change, ChangeKind, Fault, FaultKind};
use crate::scenario::Span;
use crate::scenario::error::Problem;
use crate::scenario::file::{self, Fault as Written, File};
use crate::scenario::key::KeyPath;
use crate::scenario::read::toml_to_json;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wci_core::metrics::TaskQueueType;
use wci_core::{Settings, Spec, gather, sorted_by};

/// The faults in the order of time.
pub(super) fn faults(file: &File, spec: Option<&Spec>, problems: &mut Problems) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, written) in file.fault.iter().enumerate() {
        let path = ROOT.key("fault").item(index, None);
        let group = |name: &Option<String>| group(&path, name.as_deref(), spec);
        faults.extend(problems.keep(fault(written, group)));
    }
    sorted_by(faults, |fault| fault.at)
}

fn fault(
    written: &Written,
    group: impl Fn(&Option<String>) -> Result<Option<usize>, Problem>,
) -> Result<Fault, Problem> {
    let (at, lasts, kind) = match written {
        Written::ProviderOutage { at, r#for, group: name } => {
            (at, *r#for, FaultKind::ProviderOutage { group: group(name)? })
        }
        Written::OutOfCapacity { at, r#for, group: name } => {
            (at, *r#for, FaultKind::OutOfCapacity { group: group(name)? })
        }
        Written::ColdStartStorm { at, r#for, factor, group: name } => {
            (at, *r#for, FaultKind::ColdStartStorm { group: group(name)?, factor: *factor })
        }
        Written::LostSignals { at, r#for, probability } => {
            (at, *r#for, FaultKind::LostSignals { probability: probability.unwrap_or(1.0) })
        }
        Written::LateMetrics { at, r#for, delay } => (at, *r#for, FaultKind::LateMetrics { delay: delay.0 }),
        Written::MissingMetrics { at, r#for } => (at, *r#for, FaultKind::MissingMetrics),
        Written::WorkerCrashes { at, fraction, group: name } => {
            (at, Span(0), FaultKind::WorkerCrashes { group: group(name)?, fraction: fraction.unwrap_or(1.0) })
        }
        Written::ControllerRestart { at, r#for } => (at, *r#for, FaultKind::ControllerRestart),
        Written::NamespaceDisabled { at, r#for } => (at, *r#for, FaultKind::NamespaceDisabled),
    };
    Ok(Fault { at: at.0, lasts: lasts.0, kind })
}

/// The group's index in the spec's order.
fn group(path: &KeyPath, name: Option<&str>, spec: Option<&Spec>) -> Result<Option<usize>, Problem> {
    let (Some(name), Some(spec)) = (name, spec) else { return Ok(None) };
    let names = || spec.groups().map(|(name, _)| &**name);
    match names().position(|known| known == name) {
        Some(index) => Ok(Some(index)),
        None => Err(Problem::unknown_name(&path.key("group"), name, names())),
    }
}

/// The changes in the order of time.
pub(super) fn changes(
    file: &File,
    spec: Option<&Spec>,
    workloads: &[Resolved],
    settings: &Settings,
    problems: &mut Problems,
) -> Vec<Change> {
    let Some(spec) = spec else { return Vec::new() };
    let order = sorted_by(file.change.iter().enumerate().collect(), |(_, change)| change.at.0);
    let services = |resolved: &Resolved| {
        let index = file.workload.iter().position(|workload| workload.name == resolved.model.name)?;
        Some((index, resolved.source.service()?.clone()))
    };
    let services = gather(workloads.iter().filter_map(services));
    let mut changer = Changer { file, services, settings, spec: spec.clone(), json: file.spec_json() };
    let mut changes = Vec::new();
    for (index, change) in order {
        let path = ROOT.key("change").item(index, None);
        let kind = problems.keep(changer.kind(&path, change));
        changes.extend(kind.map(|kind| Change { at: change.at.0, kind }));
    }
    changes
}

/// Changes build on the ones before.
struct Changer<'a> {
    file: &'a File,
    /// The services as they are at the time, by the workload's index.
    services: BTreeMap<usize, Dist>,
    settings: &'a Settings,
    spec: Spec,
    json: Value,
}

impl Changer<'_> {
    fn kind(&mut self, path: &KeyPath, change: &file::Change) -> Result<ChangeKind, Problem> {
        let file::Change { at: _, add_tasks, rate_factor: factor, arrival_rate, service, scaling, spec } =
            change;
        match (add_tasks, factor, arrival_rate, service, scaling, spec) {
            (Some(add), None, None, None, None, None) => self.add_tasks(&path.key("add_tasks"), add),
            (None, Some(change), None, None, None, None) => {
                let path = path.key("rate_factor");
                let (workload, _) = self.workload(&path, &change.workload)?;
                rate_factor(&path.key("factor"), workload, change.factor)
            }
            (None, None, Some(change), None, None, None) => {
                self.arrival_rate(&path.key("arrival_rate"), change)
            }
            (None, None, None, Some(change), None, None) => self.service(&path.key("service"), change),
            (None, None, None, None, Some(change), None) => self.scaling(&path.key("scaling"), change),
            (None, None, None, None, None, Some(table)) => {
                let json = toml_to_json(&toml::Value::Table(table.clone()));
                let path = path.key("spec");
                self.adopt(json, |error| spec::problem(&path, error), &path)
            }
            _ => {
                let expected =
                    "exactly one of add_tasks, rate_factor, arrival_rate, service, scaling and spec";
                Err(Problem::value(path, "none or several things to do", expected))
            }
        }
    }

    fn workload(&self, path: &KeyPath, name: &str) -> Result<(usize, &file::Workload), Problem> {
        let known = || self.file.workload.iter().map(|workload| workload.name.as_str());
        let found = self.file.workload.iter().enumerate().find(|(_, workload)| workload.name == name);
        found.ok_or_else(|| Problem::unknown_name(&path.key("workload"), name, known()))
    }

    fn add_tasks(&self, path: &KeyPath, add: &file::AddTasks) -> Result<ChangeKind, Problem> {
        let (workload, _) = self.workload(path, &add.workload)?;
        let service = self.services.get(&workload).cloned();
        let expected = "a workload with a service, which the tasks take";
        let service = service
            .ok_or_else(|| Problem::value(&path.key("workload"), format!("{:?}", add.workload), expected))?;
        Ok(ChangeKind::AddTasks { workload, count: add.count, service })
    }

    fn arrival_rate(&self, path: &KeyPath, change: &file::ArrivalRate) -> Result<ChangeKind, Problem> {
        let (index, workload) = self.workload(path, &change.workload)?;
        let own = workload.arrival.as_ref().and_then(arrivals::own_rate);
        let expected = "a workload whose arrival has a rate; for others use rate_factor";
        let own = own.ok_or_else(|| {
            Problem::value(&path.key("workload"), format!("{:?}", change.workload), expected)
        })?;
        rate_factor(&path.key("rate"), index, change.rate / own)
    }

    fn service(&mut self, path: &KeyPath, change: &file::NewService) -> Result<ChangeKind, Problem> {
        let (index, workload) = self.workload(path, &change.workload)?;
        if workload.workflow.is_some() {
            let expected = "a workload without a workflow shape, which has several services";
            return Err(Problem::value(&path.key("workload"), format!("{:?}", change.workload), expected));
        }
        let service = laws::times(&path.key("times"), &change.times)?;
        self.services.insert(index, service.clone());
        Ok(ChangeKind::Service { workload: index, service })
    }

    fn scaling(&mut self, path: &KeyPath, change: &file::Scaling) -> Result<ChangeKind, Problem> {
        let Some(group) = self.spec.group(&change.group) else {
            let names = self.spec.groups().map(|(name, _)| &**name);
            return Err(Problem::unknown_name(&path.key("group"), &change.group, names));
        };
        let old = group.algorithm().name();
        let new = change.scaling_algorithm.as_deref().unwrap_or(old);
        let mut json = self.json.clone();
        let scaling = &mut json["scaling_group_specs"][&change.group]["scaling"];
        let mut config = if new == old { scaling["config"].take() } else { json!({}) };
        if !config.is_object() {
            config = json!({});
        }
        for (key, value) in &change.config {
            config[key] = toml_to_json(value);
        }
        *scaling = json!({"scaling_algorithm": new, "config": config});
        let wrong = |error: wci_core::spec::SpecError| {
            // The core speaks of `scaling.config.KEY`; here the change holds it.
            let key = error.key.as_deref().and_then(|key| key.strip_prefix("scaling.")).unwrap_or_default();
            let path =
                key.split('.').filter(|key| !key.is_empty()).fold(path.clone(), |path, key| path.key(key));
            Problem::value(&path, error.found, error.expected)
        };
        self.adopt(json, wrong, path)
    }

    /// Makes a spec the current one.
    fn adopt(
        &mut self,
        json: Value,
        wrong: impl Fn(wci_core::spec::SpecError) -> Problem,
        path: &KeyPath,
    ) -> Result<ChangeKind, Problem> {
        let spec = spec::parse(&json, self.settings).map_err(wrong)?;
        let names = |spec: &Spec| spec.groups().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        if names(&spec) != names(&self.spec) {
            let expected = format!("the groups of the scenario: {}", names(&self.spec).join(", "));
            return Err(Problem::value(path, format!("the groups {}", names(&spec).join(", ")), expected));
        }
        self.keep_workers(&spec, path)?;
        (self.json, self.spec) = (json, spec.clone());
        Ok(ChangeKind::Spec(Box::new(spec)))
    }
}

impl Changer<'_> {
    /// A group's workers are described once, by `[group.NAME]`: what they poll and who runs them stays.
    fn keep_workers(&self, new: &Spec, path: &KeyPath) -> Result<(), Problem> {
        for (name, group) in new.groups() {
            let Some(old) = self.spec.group(name) else { continue };
            let at = |key: &str| {
                key.split('.').fold(path.key("scaling_group_specs").key(name), |path, key| path.key(key))
            };
            if group.task_types != old.task_types {
                let names = |types: &[TaskQueueType]| {
                    let names: Vec<&str> = types.iter().map(|task_type| task_type.name()).collect();
                    if names.is_empty() { "no task types".into() } else { names.join(", ") }
                };
                let expected = format!("{}: a simulated group keeps its task types", names(&old.task_types));
                return Err(Problem::value(&at("task_types"), names(&group.task_types), expected));
            }
            let (found, kept) = (group.compute.provider_type, old.compute.provider_type);
            if found != kept {
                let expected = format!("{:?}: a simulated group keeps its provider", kept.name());
                let found = format!("{:?}", found.name());
                return Err(Problem::value(&at("compute.provider_type"), found, expected));
            }
        }
        Ok(())
    }
}

fn rate_factor(path: &KeyPath, workload: usize, factor: f64) -> Result<ChangeKind, Problem> {
    // The limits of the arrival processes.
    if factor == 0.0 || (1e-9..=1e9).contains(&factor) {
        return Ok(ChangeKind::RateFactor { workload, factor });
    }
    Err(Problem::value(path, format!("{factor} times the workload's own rate"), "0, or 1e-9 to 1e9 times"))
}
