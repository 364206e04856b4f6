//! Workloads and their task queues.

use super::laws::times;
use super::{Problems, ROOT, arrivals};
use crate::dist::Dist;
use crate::model::{Group, MILLI, Nanos, SECOND, TaskQueue, WorkflowShape, Workload};
use crate::scenario::error::Problem;
use crate::scenario::file::{self, File, TaskType};
use crate::scenario::key::KeyPath;
use crate::scenario::sources::SourceSpec;
use crate::trace::TraceError;
use wci_core::Spec;
use wci_core::metrics::TaskQueueType;

const DEFAULT_QUEUE: &str = "default";
const PARTITIONS: u32 = 4;
/// More than any team has, and few enough for each to keep its own streams and figures.
const MOST_WORKLOADS: usize = 256;
const SPOOL_DELAY: Nanos = 10 * MILLI;
/// Of workloads whose service nobody knows beforehand.
const START_TO_CLOSE: Nanos = 60 * SECOND;

/// A workload and where its tasks come from.
#[derive(Debug)]
pub(super) struct Resolved {
    pub model: Workload,
    pub source: SourceSpec,
}

/// The task queues of the file, or the default one.
pub(super) fn task_queues(file: &File, problems: &mut Problems) -> Vec<TaskQueue> {
    let names: Vec<&str> = file.task_queue.iter().map(|queue| queue.name.as_str()).collect();
    check_names("task_queue", &names, problems);
    let queue = |queue: &file::TaskQueue| TaskQueue {
        name: queue.name.clone(),
        partitions: queue.partitions.unwrap_or(PARTITIONS),
        spool_delay: queue.spool_delay.map_or(SPOOL_DELAY, |delay| delay.0),
        max_dispatch_rate: queue.max_dispatch_rate,
    };
    if !file.task_queue.is_empty() {
        return file.task_queue.iter().map(queue).collect();
    }
    // Without a section for them, the queues are those that the workloads name.
    let named = file.workload.iter().flat_map(|workload| {
        let activities = workload.workflow.as_ref().and_then(|shape| shape.activity_task_queue.as_deref());
        [workload.task_queue.as_deref().unwrap_or(DEFAULT_QUEUE), activities.unwrap_or_default()]
    });
    let mut names: Vec<&str> = named.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| queue(&file::TaskQueue::named(name))).collect()
}

/// All workloads; one that cannot be resolved is left out, and a problem more.
pub(super) fn resolve(file: &File, queues: &[TaskQueue], problems: &mut Problems) -> Vec<Resolved> {
    let names: Vec<&str> = file.workload.iter().map(|workload| workload.name.as_str()).collect();
    check_names("workload", &names, problems);
    if file.workload.is_empty() {
        problems.push(Problem::value(&ROOT.key("workload"), "an empty list", "at least one workload"));
    }
    if file.workload.len() > MOST_WORKLOADS {
        let found = format!("{} workloads", file.workload.len());
        problems.push(Problem::value(&ROOT.key("workload"), found, format!("at most {MOST_WORKLOADS}")));
        return Vec::new();
    }
    let all = file.workload.iter().enumerate();
    all.filter_map(|(index, w)| workload(&path_of(file, index), w, queues, problems)).collect()
}

/// Checks that some group serves each workload's tasks with a slot and a poller.
pub(super) fn check_served(
    file: &File,
    spec: &Spec,
    groups: &[Group],
    region: Option<&str>,
    problems: &mut Problems,
) {
    for (index, workload) in file.workload.iter().enumerate() {
        let path = path_of(file, index);
        for task_type in task_types(workload) {
            let Some(name) = spec.group_for(task_type, region) else {
                problems.push(unserved(&path, workload, task_type, spec));
                continue;
            };
            let Some(group) = groups.iter().find(|group| group.name == *name) else { continue };
            let at = ROOT.key("group").key(name).key("worker");
            let counts = [("slots", group.worker.slots), ("pollers", group.worker.pollers)];
            for (key, _) in counts.into_iter().filter(|(_, count)| count[task_type.index()] == 0) {
                let found = format!("0 for {} tasks", task_type.name());
                let expected = format!("at least 1, for the tasks of workload {:?}", workload.name);
                problems.push(Problem::value(&at.key(key), found, expected));
            }
        }
    }
}

pub(super) fn path_of(file: &File, index: usize) -> KeyPath {
    let name = file.workload.get(index).map(|workload| workload.name.as_str());
    ROOT.key("workload").item(index, name)
}

fn workload(
    path: &KeyPath,
    written: &file::Workload,
    queues: &[TaskQueue],
    problems: &mut Problems,
) -> Option<Resolved> {
    let queue = problems.keep(queue(&path.key("task_queue"), written.task_queue.as_deref(), queues));
    let service = written.service.as_ref().map(|service| times(&path.key("service"), service));
    let service = problems.keep(service.transpose());
    let shape = written.workflow.as_ref().map(|w| shape(&path.key("workflow"), w, queue?, queues, problems));
    check_shape(path, written, problems);
    // A shape that is written and could not be resolved has told its problems.
    let (service, shape) = (service?, shape.map_or(Some(None), |shape| shape.map(Some))?);
    let timeout = || timeout(service.as_ref(), shape.as_ref());
    let start_to_close_timeout = written.start_to_close_timeout.map_or_else(timeout, |span| span.0);
    // The first task of an execution is a workflow task.
    let service = service.or_else(|| shape.as_ref().map(|shape| shape.workflow_task_service.clone()));
    let source = problems.keep(source(path, written, service))?;
    let model = Workload {
        name: written.name.clone(),
        task_queue: queue?,
        task_type: task_types(written)[0],
        start_to_close_timeout,
        workflow: shape,
    };
    Some(Resolved { model, source })
}

fn source(path: &KeyPath, written: &file::Workload, service: Option<Dist>) -> Result<SourceSpec, Problem> {
    let one = "exactly one of arrival and trace";
    match (&written.arrival, &written.trace) {
        (Some(arrival), None) => {
            let arrivals = arrivals::arrivals(&path.key("arrival"), arrival)?;
            let expected = "a duration or a distribution, such as { kind = \"exponential\", mean = \"1s\" }";
            let service = service.ok_or_else(|| Problem::missing(&path.key("service"), expected))?;
            Ok(SourceSpec::Synthetic { arrivals, service })
        }
        (None, Some(trace)) => {
            trace.check().map_err(|error| refused(&path.key("trace"), error))?;
            Ok(SourceSpec::Trace { options: trace.clone(), service })
        }
        (Some(_), Some(_)) => Err(Problem::value(path, "both arrival and trace", one)),
        (None, None) => Err(Problem::value(path, "neither arrival nor trace", one)),
    }
}

fn refused(path: &KeyPath, error: TraceError) -> Problem {
    let path = error.column.as_deref().map_or_else(|| path.clone(), |option| path.key(option));
    Problem::value(&path, error.found, error.expected)
}

/// What does not go together with a workflow shape.
fn check_shape(path: &KeyPath, written: &file::Workload, problems: &mut Problems) {
    if written.workflow.is_none() {
        return;
    }
    if written.service.is_some() {
        let expected = "no service here: the workflow shape has its own for workflow tasks and activities";
        problems.push(Problem::value(&path.key("service"), "a service", expected));
    }
    if let Some(other @ (TaskType::Activity | TaskType::Nexus)) = written.task_type {
        let found = format!("{other:?}").to_ascii_uppercase();
        let expected = "\"WORKFLOW\", or no workflow shape: an execution begins with a workflow task";
        problems.push(Problem::value(&path.key("task_type"), format!("{found:?}"), expected));
    }
}

fn shape(
    path: &KeyPath,
    workflow: &file::Workflow,
    queue: usize,
    queues: &[TaskQueue],
    problems: &mut Problems,
) -> Option<WorkflowShape> {
    let [workflow_task_service, activity_service] = [
        times(&path.key("workflow_task_service"), &workflow.workflow_task_service),
        times(&path.key("activity_service"), &workflow.activity_service),
    ]
    .map(|service| problems.keep(service));
    let activity_task_queue = match workflow.activity_task_queue.as_deref() {
        Some(name) => problems.keep(self::queue(&path.key("activity_task_queue"), Some(name), queues)),
        None => Some(queue),
    };
    Some(WorkflowShape {
        activities: workflow.activities,
        workflow_task_service: workflow_task_service?,
        activity_service: activity_service?,
        activity_task_queue: activity_task_queue?,
    })
}

fn queue(path: &KeyPath, name: Option<&str>, queues: &[TaskQueue]) -> Result<usize, Problem> {
    let name = match (name, queues) {
        (Some(name), _) => name,
        (None, [_]) => return Ok(0),
        (None, _) => DEFAULT_QUEUE,
    };
    let known = || queues.iter().map(|queue| queue.name.as_str());
    known().position(|queue| queue == name).ok_or_else(|| Problem::unknown_name(path, name, known()))
}

/// Ten times what one task in a hundred exceeds, and a second at least.
fn timeout(service: Option<&Dist>, shape: Option<&WorkflowShape>) -> Nanos {
    let of_shape =
        shape.into_iter().flat_map(|shape| [&shape.workflow_task_service, &shape.activity_service]);
    let longest = of_shape.chain(service).map(|service| service.quantile(0.99)).max_by(f64::total_cmp);
    // What does not fit becomes the longest time there is.
    longest.map_or(START_TO_CLOSE, |p99| ((10.0 * p99) as Nanos).max(SECOND))
}

/// Types of a workload's tasks, that of the first task first.
fn task_types(workload: &file::Workload) -> Vec<TaskQueueType> {
    if workload.workflow.is_some() {
        return vec![TaskQueueType::Workflow, TaskQueueType::Activity];
    }
    vec![match workload.task_type.unwrap_or(TaskType::Activity) {
        TaskType::Workflow => TaskQueueType::Workflow,
        TaskType::Activity => TaskQueueType::Activity,
        TaskType::Nexus => TaskQueueType::Nexus,
    }]
}

fn unserved(path: &KeyPath, workload: &file::Workload, task_type: TaskQueueType, spec: &Spec) -> Problem {
    let name = task_type.name().to_ascii_uppercase();
    let groups: Vec<&str> = spec.groups().map(|(name, _)| &**name).collect();
    let expected = format!(
        "a group that serves {name} tasks: none of {} does; add {name} to its task_types or a group without task_types",
        groups.join(", ")
    );
    let key = if workload.workflow.is_some() { "workflow" } else { "task_type" };
    Problem::value(&path.key(key), format!("{name} tasks that no group serves"), expected)
}

fn check_names(section: &str, names: &[&str], problems: &mut Problems) {
    for (index, name) in names.iter().enumerate() {
        let path = ROOT.key(section).item(index, Some(name)).key("name");
        if name.is_empty() {
            problems.push(Problem::value(&path, "\"\"", "a name"));
        } else if names[..index].contains(name) {
            problems.push(Problem::value(&path, format!("{name:?} for a second time"), "a name of its own"));
        }
    }
}

impl file::TaskQueue {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), partitions: None, spool_delay: None, max_dispatch_rate: None }
    }
}
