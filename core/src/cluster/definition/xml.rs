//! Task definitions in midPoint's own XML: one `task`, or several within `objects`.
//!
//! Namespaces and their prefixes are not looked at. What concerns us is read strictly: an element that does not belong
//! inside `workers`, `autoScaling` or `activityAutoScaling` is an error. Everything else is skipped.

use super::{
    DefinitionError, DefinitionErrors, Definitions, DistributedTask, ExecutionState, ScanTask, iso_duration,
    unclosed,
};
use crate::cluster::eligibility::{AutoScaling, Mode, Selection, Selector};
use crate::cluster::latch::LatchConfig;
use crate::cluster::scan::ScanConfig;
use crate::cluster::wanted::{MOST_PER_NODE, WorkersPerNode};
use crate::time::Millis;
use roxmltree::{Document, Node};
use std::cell::RefCell;
use std::collections::BTreeSet;

const WORKERS_PER_NODE: [&str; 5] = ["nodeIdentifier", "count", "scavengers", "executionGroup", "taskName"];
/// What else may stand beside the workers is none of our concern.
const DISTRIBUTION: [&str; 6] =
    ["buckets", "workerThreads", "workers", "subtasks", "autoScaling", "documentation"];
const AUTO_SCALING: [&str; 4] =
    ["tasks", "minReconciliationInterval", "maxReconciliationInterval", "skipInitialReconciliation"];

impl Definitions {
    /// Reads a text; `file` is its name for errors.
    ///
    /// # Errors
    /// Names the file, and for each thing that is wrong the line, the element, what was found and what would be right.
    pub fn from_xml(text: &str, file: &str) -> Result<Self, DefinitionErrors> {
        let document =
            Document::parse(text).map_err(|error| DefinitionErrors(vec![no_xml(text, file, &error)]))?;
        let reader = Reader { file, document: &document, wrong: RefCell::default() };
        let read = reader.definitions();
        let read = reader.noted(read, Self::default());
        let mut wrong = reader.wrong.into_inner();
        wrong.sort_by_key(|error| error.position);
        wrong.dedup();
        if wrong.is_empty() { Ok(read) } else { Err(DefinitionErrors(wrong)) }
    }
}

/// The library tells of an element that is never closed, but not of which.
fn no_xml(text: &str, file: &str, error: &roxmltree::Error) -> DefinitionError {
    let told = |key: &str, position, found: String, expected: &str| DefinitionError {
        file: file.to_owned(),
        position: Some(position),
        key: key.to_owned(),
        found,
        expected: expected.to_owned(),
    };
    match unclosed::last_open(text) {
        Some(open) if matches!(error, roxmltree::Error::UnclosedRootNode) => {
            let found = format!("<{}> that is never closed", open.name);
            told(open.name, open.position, found, &format!("</{}> before the file ends", open.name))
        }
        _ => {
            let position = (error.pos().row, error.pos().col);
            let found = format!("text that is no XML ({error})");
            told("", position, found, "one <task>, or several within <objects>")
        }
    }
}

type Read<T> = Result<T, DefinitionError>;

struct Reader<'a> {
    file: &'a str,
    document: &'a Document<'a>,
    /// What was wrong so far, although the reading went on.
    wrong: RefCell<Vec<DefinitionError>>,
}

impl<'a> Reader<'a> {
    /// What was read; or something in its place, so that whatever else is wrong is found, too.
    fn noted<T>(&self, read: Read<T>, instead: T) -> T {
        read.unwrap_or_else(|error| {
            self.wrong.borrow_mut().push(error);
            instead
        })
    }

    fn definitions(&self) -> Read<Definitions> {
        let root = self.document.root_element();
        let tasks: Vec<Node<'a, 'a>> = match root.tag_name().name() {
            "task" => vec![root],
            "objects" => children(root, "task").collect(),
            other => return Err(self.error(root, format!("<{other}>"), "<task>, or <objects> with tasks")),
        };
        if tasks.is_empty() {
            return Err(self.error(root, "no tasks", "at least one <task>"));
        }
        let mut definitions = Definitions::default();
        let mut seen = BTreeSet::new();
        for task in tasks {
            let before = definitions.tasks.len();
            let read = self.task(task, &mut definitions);
            self.noted(read, ());
            let own = definitions.tasks.get(before).map(|task| &*task.oid.0);
            if let Some(oid) = task.attribute("oid").or(own)
                && !seen.insert(oid.to_owned())
            {
                let found = format!("the identifier {oid:?} a second time");
                let expected = "each oid once, or each name where there is no oid";
                self.noted(Err(self.error(task, found, expected)), ());
            }
        }
        Ok(definitions)
    }

    fn task(&self, task: Node<'a, 'a>, definitions: &mut Definitions) -> Read<()> {
        let name = self.child(task, "name")?.map(text).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| self.error(task, "a task without a name", "<name>"))?;
        let before = definitions.tasks.len();
        for activity in task.descendants().filter(|node| node.has_tag_name_local("activity")) {
            let read = self.scan(&name, task, activity, definitions);
            self.noted(read, ());
            let is_first = definitions.tasks.len() == before;
            let read = self.workers(&name, task, activity, is_first);
            definitions.tasks.extend(self.noted(read, None));
        }
        Ok(())
    }

    fn scan(
        &self,
        name: &str,
        task: Node<'a, 'a>,
        activity: Node<'a, 'a>,
        definitions: &mut Definitions,
    ) -> Read<()> {
        let Some(scan) = self.grandchild(activity, "work", "activityAutoScaling")? else { return Ok(()) };
        if definitions.scan.is_some() {
            return Err(self.error(scan, "a second <activityAutoScaling>", "at most one in a file"));
        }
        definitions.scan = Some(self.scan_task(name, task, scan)?);
        Ok(())
    }

    fn workers(
        &self,
        name: &str,
        task: Node<'a, 'a>,
        activity: Node<'a, 'a>,
        is_first: bool,
    ) -> Read<Option<DistributedTask>> {
        if let Some(distribution) = self.child(activity, "distribution")? {
            self.only(distribution, &DISTRIBUTION);
        }
        match self.grandchild(activity, "distribution", "workers")? {
            None => Ok(None),
            Some(workers) if is_first => self.distributed(name, task, activity, workers).map(Some),
            Some(workers) => {
                Err(self.error(workers, "a second activity with workers", "at most one in a task"))
            }
        }
    }

    fn distributed(
        &self,
        name: &str,
        task: Node<'a, 'a>,
        activity: Node<'a, 'a>,
        workers: Node<'a, 'a>,
    ) -> Read<DistributedTask> {
        self.only(workers, &["workersPerNode"]);
        let entries = children(workers, "workersPerNode").map(|entry| self.workers_per_node(entry));
        let of_target = children(task, "assignment").flat_map(|assignment| children(assignment, "targetRef"));
        let archetypes = of_target.chain(children(task, "archetypeRef"));
        let archetypes = archetypes.filter_map(|node| self.noted(self.oid(node), None)).map(str::to_owned);
        Ok(DistributedTask {
            oid: self.oid(task)?.unwrap_or(name).into(),
            name: name.to_owned(),
            archetypes: archetypes.collect(),
            auto_scaling: self.noted(self.auto_scaling(activity), AutoScaling::default()),
            activity: self.name(activity, "identifier", DistributedTask::ROOT_ACTIVITY),
            workers: entries.collect(),
            execution: self.noted(self.execution(task), ExecutionState::Running),
        })
    }

    fn workers_per_node(&self, entry: Node<'a, 'a>) -> WorkersPerNode {
        self.only(entry, &WORKERS_PER_NODE);
        let defaults = WorkersPerNode::default();
        let nodes = children(entry, "nodeIdentifier").map(|node| self.noted(self.named(node), String::new()));
        let count = |name, default| self.noted(self.count(entry, name, default), default);
        let group = self.noted(self.child(entry, "executionGroup"), None);
        WorkersPerNode {
            node_identifiers: nodes.map(|node| node.as_str().into()).collect(),
            count: count("count", defaults.count),
            scavengers: count("scavengers", defaults.scavengers),
            execution_group: group.map_or(defaults.execution_group, text),
            task_name: self.name(entry, "taskName", &defaults.task_name),
        }
    }

    /// A name that may be left out, but not be empty.
    fn name(&self, parent: Node<'a, 'a>, name: &'static str, default: &str) -> String {
        let read = self.child(parent, name).and_then(|node| node.map(|node| self.named(node)).transpose());
        self.noted(read, None).unwrap_or_else(|| default.to_owned())
    }

    fn named(&self, node: Node<'a, 'a>) -> Read<String> {
        match text(node) {
            empty if empty.is_empty() => Err(self.error(node, shown(node), "a name")),
            name => Ok(name),
        }
    }

    fn oid(&self, node: Node<'a, 'a>) -> Read<Option<&'a str>> {
        match node.attribute("oid") {
            Some(oid) if oid.trim().is_empty() => {
                Err(self.error(node, format!("oid={oid:?}"), "an identifier, or no oid at all"))
            }
            oid => Ok(oid),
        }
    }

    fn count(&self, parent: Node<'a, 'a>, name: &'static str, default: u32) -> Read<u32> {
        let Some(node) = self.child(parent, name)? else { return Ok(default) };
        let count = text(node).parse().ok().filter(|count| *count <= MOST_PER_NODE);
        count
            .ok_or_else(|| self.error(node, shown(node), format!("a whole number from 0 to {MOST_PER_NODE}")))
    }

    /// `distribution/autoScaling` as the documentation has it, and `autoScaling` beside it as the code has it: what both
    /// say counts, and of one word the inner place's.
    fn auto_scaling(&self, activity: Node<'a, 'a>) -> Read<AutoScaling> {
        let inside = self.grandchild(activity, "distribution", "autoScaling")?;
        let read = |node: Option<Node<'a, 'a>>| {
            node.map_or(Ok(AutoScaling::default()), |node| self.auto_scaling_at(node))
        };
        Ok(read(inside)?.or(read(self.child(activity, "autoScaling")?)?))
    }

    fn auto_scaling_at(&self, node: Node<'a, 'a>) -> Read<AutoScaling> {
        self.only(node, &["enabled", "mode"]);
        let enabled = self.child(node, "enabled")?.map(|node| self.boolean(node)).transpose()?;
        let mode = self.child(node, "mode")?.map(|mode| match text(mode).as_str() {
            "enabled" => Ok(Mode::Enabled),
            "disabled" => Ok(Mode::Disabled),
            _ => Err(self.error(mode, shown(mode), "enabled or disabled")),
        });
        Ok(AutoScaling { enabled, mode: mode.transpose()? })
    }

    /// `executionState`, or `executionStatus` as older files call it.
    fn execution(&self, task: Node<'a, 'a>) -> Read<ExecutionState> {
        let (state, status) = (self.child(task, "executionState")?, self.child(task, "executionStatus")?);
        let Some(state) = state.or(status) else { return Ok(ExecutionState::Running) };
        match text(state).as_str() {
            "runnable" | "running" | "waiting" => Ok(ExecutionState::Running),
            "suspended" => Ok(ExecutionState::Suspended),
            "closed" => Ok(ExecutionState::Closed),
            _ => Err(self.error(state, shown(state), "runnable, running, waiting, suspended or closed")),
        }
    }

    fn scan_task(&self, name: &str, task: Node<'a, 'a>, scan: Node<'a, 'a>) -> Read<ScanTask> {
        self.only(scan, &AUTO_SCALING);
        let skip = self.child(scan, "skipInitialReconciliation");
        let skip = skip.and_then(|node| node.map_or(Ok(false), |node| self.boolean(node)));
        let latch = LatchConfig {
            min_interval: self.noted(self.duration(scan, "minReconciliationInterval"), None),
            max_interval: self.noted(self.duration(scan, "maxReconciliationInterval"), None),
            skip_initial: self.noted(skip, false),
        };
        let selected = self.child(scan, "tasks")?.map_or_else(Vec::new, |node| self.selection(node));
        let (selectors, selected_at): (Vec<_>, Vec<_>) = selected.into_iter().unzip();
        let tasks = if selectors.is_empty() { Selection::All } else { Selection::AnyOf(selectors) };
        let interval = self.grandchild(task, "schedule", "interval");
        let interval =
            interval.and_then(|node| node.map_or(Ok(ScanTask::DEFAULT_INTERVAL), |node| self.seconds(node)));
        Ok(ScanTask {
            name: name.to_owned(),
            interval: self.noted(interval, ScanTask::DEFAULT_INTERVAL),
            config: ScanConfig { tasks, latch, ..ScanConfig::default() },
            execution: self.noted(self.execution(task), ExecutionState::Running),
            selected_at,
        })
    }

    /// What is selected, each with its place.
    fn selection(&self, tasks: Node<'a, 'a>) -> Vec<(Selector, (u32, u32))> {
        let mut selectors = Vec::new();
        for node in tasks.children().filter(Node::is_element) {
            let read = match node.tag_name().name() {
                "type" => continue,
                "objectRef" => self.reference(node),
                "query" => self.query(node),
                other => {
                    let found = format!("<{other}>");
                    Err(self.error(node, found, "<objectRef> or <query> with an equal filter"))
                }
            };
            let read = self.noted(read.map(Some), None);
            selectors.extend(read.map(|selector| (selector, self.position(node))));
        }
        selectors
    }

    fn reference(&self, node: Node<'a, 'a>) -> Read<Selector> {
        let name = self.child(node, "targetName")?.or(self.child(node, "name")?);
        match (self.oid(node)?, name) {
            (Some(oid), _) => Ok(Selector::Oid(oid.to_owned())),
            (None, Some(name)) => self.named(name).map(Selector::Name),
            (None, None) => match self.child(node, "filter")? {
                Some(filter) => self.filter(filter),
                None => Err(self.error(node, "neither", "an attribute oid or an element targetName")),
            },
        }
    }

    fn query(&self, query: Node<'a, 'a>) -> Read<Selector> {
        match self.child(query, "filter")? {
            Some(filter) => self.filter(filter),
            None => Err(self.error(query, shown(query), "<filter> with <equal>")),
        }
    }

    fn filter(&self, filter: Node<'a, 'a>) -> Read<Selector> {
        let mut filters = filter.children().filter(Node::is_element);
        let (first, further) = (filters.next(), filters.next());
        let equal = first.filter(|node| node.has_tag_name_local("equal") && further.is_none());
        let Some(equal) = equal else {
            let found = first.map_or_else(|| shown(filter), |node| format!("<{}>", node.tag_name().name()));
            return Err(self.error(filter, found, "a single <equal> on name, oid or archetypeRef"));
        };
        self.only(equal, &["path", "value"]);
        let path = self.required(equal, "path")?;
        let value = text(self.required(equal, "value")?);
        match local_name(&text(path)) {
            Some("name") => Ok(Selector::Name(value)),
            Some("oid" | "#") => Ok(Selector::Oid(value)),
            Some("archetypeRef" | "archetype") => Ok(Selector::Archetype(value)),
            _ => Err(self.error(path, format!("the path {}", shown(path)), "name, oid or archetypeRef")),
        }
    }

    /// An element that has to stand there, and not empty.
    fn required(&self, parent: Node<'a, 'a>, name: &'static str) -> Read<Node<'a, 'a>> {
        let node = self.child(parent, name)?.filter(|node| !text(*node).is_empty());
        node.ok_or_else(|| self.error(parent, format!("no {name}"), format!("<{name}>")))
    }

    /// An element that may stand there once.
    fn child(&self, parent: Node<'a, 'a>, name: &'static str) -> Read<Option<Node<'a, 'a>>> {
        let mut found = children(parent, name);
        let (first, further) = (found.next(), found.next());
        match further {
            Some(further) => Err(self.error(further, format!("a second <{name}>"), "at most one")),
            None => Ok(first),
        }
    }

    /// An element that may stand once in one that may stand once.
    fn grandchild(
        &self,
        parent: Node<'a, 'a>,
        between: &'static str,
        name: &'static str,
    ) -> Read<Option<Node<'a, 'a>>> {
        self.child(parent, between)?.map_or(Ok(None), |node| self.child(node, name))
    }

    fn duration(&self, parent: Node<'a, 'a>, name: &'static str) -> Read<Option<Millis>> {
        let Some(node) = self.child(parent, name)? else { return Ok(None) };
        let duration = iso_duration::parse(&text(node));
        let expected = "a duration such as PT1H30M or P1D (no years and months)";
        duration.map(Some).ok_or_else(|| self.error(node, shown(node), expected))
    }

    fn seconds(&self, node: Node<'a, 'a>) -> Read<Millis> {
        let seconds = text(node).parse().ok().filter(|seconds: &i64| (1..=1_000_000_000).contains(seconds));
        let expected = "a whole number of seconds of at least 1";
        seconds.map(Millis::from_secs).ok_or_else(|| self.error(node, shown(node), expected))
    }

    fn boolean(&self, node: Node<'a, 'a>) -> Read<bool> {
        match text(node).as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.error(node, shown(node), "true or false")),
        }
    }

    fn only(&self, parent: Node<'a, 'a>, known: &[&str]) {
        let is_unknown = |node: &Node<'_, '_>| node.is_element() && !known.contains(&node.tag_name().name());
        for node in parent.children().filter(is_unknown) {
            self.noted(Err(self.error(node, "an unknown element", known.join(", "))), ());
        }
    }

    /// Line and column.
    fn position(&self, node: Node<'a, 'a>) -> (u32, u32) {
        let position = self.document.text_pos_at(node.range().start);
        (position.row, position.col)
    }

    fn error(
        &self,
        node: Node<'a, 'a>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> DefinitionError {
        DefinitionError {
            file: self.file.to_owned(),
            position: Some(self.position(node)),
            key: node.tag_name().name().to_owned(),
            found: found.into(),
            expected: expected.into(),
        }
    }
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn children<'a>(parent: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    parent.children().filter(move |node| node.has_tag_name_local(name))
}

/// A path of one segment, without the prefix that only names its namespace; none: it leads elsewhere.
fn local_name(path: &str) -> Option<&str> {
    let is_prefix = |text: &str| {
        !text.is_empty() && text.chars().all(|char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.'))
    };
    match path.split_once(':') {
        Some((prefix, name)) => is_prefix(prefix).then_some(name),
        None => Some(path),
    }
}

/// All of an element's text: comments in between do not cut it.
fn text(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(Node::is_text).filter_map(|part| part.text());
    texts.collect::<String>().trim().to_owned()
}

fn shown(node: Node<'_, '_>) -> String {
    let text: String = text(node).chars().take(60).collect();
    format!("{text:?}")
}

#[cfg(test)]
mod tests;
