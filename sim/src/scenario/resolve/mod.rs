//! From what is written to the numbers the engine runs on: defaults are put in, names become indices, and the
//! meaning is checked.

mod arrivals;
mod control;
mod groups;
pub(crate) mod laws;
mod spec;
mod timeline;
mod workloads;

use super::error::{Problem, ScenarioErrors};
use super::expect::{self, Expectation, Rejected};
use super::file::{End as FileEnd, File};
use super::key::KeyPath;
use super::sources::SourceSpec;
use super::{Scenario, Span};
use crate::model::{Change, ControllerModel, End, Fault, Group, Model, Nanos, SECOND, TaskQueue};
use wci_core::{Spec, Timestamp};

/// A scenario in the numbers the engine runs on.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Everything that decides the outcome, but the arrivals.
    pub model: Model,
    /// Where each workload's tasks come from, in the order of the model's workloads.
    pub sources: Vec<SourceSpec>,
    /// Whether the scenario names no horizon: then it is the end of the longest trace, which
    /// [`Resolved::open_sources`] finds and puts into the model.
    pub is_horizon_open: bool,
    /// What must come out.
    pub expect: Vec<Expectation>,
    /// How the browser shows it.
    pub demo: Demo,
    /// The scenario's file as it was named: paths of traces are relative to it.
    pub file: String,
}

impl Resolved {
    /// What is not wrong but hardly meant: faults and changes that come after the horizon.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let model = &self.model;
        let then = match model.end {
            End::Cut => "never happens",
            End::Drain => "happens only if the run still drains then",
        };
        let late = |at: Nanos, section: &str| {
            (at >= model.horizon).then(|| {
                let (at, horizon) = (Span(at), Span(model.horizon));
                format!(
                    "{section}: found at = \"{at}\", which is not before the horizon, {horizon}: it {then}"
                )
            })
        };
        let faults = model.faults.iter().filter_map(|fault| late(fault.at, "fault"));
        faults.chain(model.changes.iter().filter_map(|change| late(change.at, "change"))).collect()
    }
}

/// How the browser shows a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Demo {
    /// What to look at.
    pub text: String,
    /// Simulated seconds per second at the start.
    pub speed: f64,
    /// The moment at which the page opens.
    pub open_at: Nanos,
}

impl Scenario {
    /// Puts in the defaults and checks the meaning.
    ///
    /// # Errors
    /// Everything that makes no sense, each with its place, what was found and what would be right.
    pub fn resolve(&self) -> Result<Resolved, ScenarioErrors> {
        let mut problems = Problems(Vec::new());
        match parts(self.file(), &mut problems) {
            Some(parts) if problems.0.is_empty() => Ok(assemble(self, parts)),
            _ => Err(self.locate(problems.0)),
        }
    }
}

/// Collects what is wrong while the resolving goes on.
struct Problems(Vec<Problem>);

impl Problems {
    fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// The value, or nothing and a problem more.
    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.push(problem)).ok()
    }
}

const ROOT: KeyPath = KeyPath::ROOT;

/// What the sections of a file mean.
struct Parts {
    task_queues: Vec<TaskQueue>,
    workloads: Vec<workloads::Resolved>,
    controller: ControllerModel,
    spec: Spec,
    groups: Vec<Group>,
    faults: Vec<Fault>,
    changes: Vec<Change>,
    expect: Vec<Expectation>,
    start: Timestamp,
    horizon: Option<Nanos>,
}

/// Goes through all sections also when one is wrong, so that every problem is told.
fn parts(file: &File, problems: &mut Problems) -> Option<Parts> {
    let task_queues = workloads::task_queues(file, problems);
    let workloads = workloads::resolve(file, &task_queues, problems);
    let controller = control::controller(file.controller.as_ref(), problems);
    let settings = &controller.settings;
    let spec = spec::resolve(file, settings, problems);
    let groups = spec.as_ref().map(|spec| groups::resolve(file, spec, controller.started, problems));
    if let (Some(spec), Some(groups)) = (&spec, &groups) {
        workloads::check_served(file, spec, groups, settings.host_region.as_deref(), problems);
    }
    let faults = timeline::faults(file, spec.as_ref(), problems);
    let changes = timeline::changes(file, spec.as_ref(), &workloads, settings, problems);
    let expect = expectations(file, spec.as_ref(), problems);
    let horizon = horizon(file, problems);
    let start = problems.keep(start(file))?;
    let (spec, groups) = (spec?, groups?);
    Some(Parts { task_queues, workloads, controller, spec, groups, faults, changes, expect, start, horizon })
}

/// The date of time 0. The core counts milliseconds from 1970 and takes earlier ones for errors.
fn start(file: &File) -> Result<Timestamp, Problem> {
    let wrong = |found: String| Problem::value(&ROOT.key("start"), found, "a date from 1970 on");
    let start = file.start_or_default().map_err(wrong)?;
    if start < Timestamp::EPOCH {
        return Err(wrong(format!("{:?}", file.start.as_deref().unwrap_or_default())));
    }
    Ok(start)
}

fn assemble(scenario: &Scenario, parts: Parts) -> Resolved {
    let file = scenario.file();
    let span = |span: Option<Span>, default: Nanos| span.map_or(default, |span| span.0);
    let (workloads, sources) = parts.workloads.into_iter().map(|w| (w.model, w.source)).unzip();
    let model = Model {
        name: scenario.name().to_owned(),
        title: file.title.clone(),
        seed: file.seed.unwrap_or(1),
        start: parts.start,
        horizon: parts.horizon.unwrap_or(Nanos::MAX),
        warm_up: span(file.warm_up, 0),
        end: match file.end {
            Some(FileEnd::Cut) => End::Cut,
            Some(FileEnd::Drain) | None => End::Drain,
        },
        drain_limit: span(file.drain_limit, 3600 * SECOND),
        max_backlog: file.max_backlog.unwrap_or(20_000_000),
        routing: file.routing.unwrap_or_default(),
        task_queues: parts.task_queues,
        workloads,
        spec: parts.spec,
        groups: parts.groups,
        retry: control::retry(file.retry.as_ref()),
        controller: parts.controller,
        faults: parts.faults,
        changes: parts.changes,
    };
    let is_horizon_open = parts.horizon.is_none();
    let file_name = scenario.file_name().to_owned();
    Resolved { model, sources, is_horizon_open, expect: parts.expect, demo: demo(file), file: file_name }
}

/// The horizon; `None`: the end of the longest trace.
fn horizon(file: &File, problems: &mut Problems) -> Option<Nanos> {
    let path = ROOT.key("horizon");
    let Some(Span(horizon)) = file.horizon else {
        if file.workload.iter().all(|workload| workload.trace.is_none()) {
            let expected = "a duration such as \"2h\": without a trace nothing else says when arrivals end";
            problems.push(Problem::missing(&path, expected));
        }
        return None;
    };
    if horizon == 0 {
        problems.push(Problem::value(&path, "0s", "more than \"0s\""));
    }
    if let Some(warm_up) = file.warm_up.filter(|warm_up| warm_up.0 >= horizon && horizon > 0) {
        let expected = format!("less than the horizon, {}: else nothing is measured", Span(horizon));
        problems.push(Problem::value(&ROOT.key("warm_up"), warm_up.to_string(), expected));
    }
    Some(horizon)
}

fn expectations(file: &File, spec: Option<&Spec>, problems: &mut Problems) -> Vec<Expectation> {
    let Some(spec) = spec else { return Vec::new() };
    let groups: Vec<&str> = spec.groups().map(|(name, _)| &**name).collect();
    let mut expectations = Vec::new();
    for (key, texts) in &file.expect {
        let path = ROOT.key("expect").key(key);
        for text in texts.as_slice() {
            match expect::expectation(key, text, &groups) {
                Ok(expectation) => expectations.push(expectation),
                Err(Rejected::UnknownKey { known }) => {
                    problems.push(Problem::unknown_key(&path, key, known.iter().map(String::as_str)));
                }
                Err(Rejected::Comparison { found, expected }) => {
                    problems.push(Problem::value(&path, found, expected));
                }
            }
        }
    }
    expectations
}

fn demo(file: &File) -> Demo {
    let demo = file.demo.clone().unwrap_or_default();
    Demo {
        text: demo.text.unwrap_or_default(),
        speed: demo.speed.unwrap_or(60.0),
        open_at: demo.open_at.map_or(0, |at| at.0),
    }
}
