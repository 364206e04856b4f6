//! What is wrong with a cluster scenario that has the right form: what no single key can say.

mod events;

use super::scenario::ClusterScenario;
use crate::model::MILLI;
use crate::scenario::{KeyPath, Problem, ScenarioError, Span};
use std::collections::BTreeSet;
use wci_core::cluster::NodeId;
use wci_core::cluster::definition::DefinitionError;
use wci_core::cluster::eligibility::{Selection, Selector};

/// Nothing may happen more often than this.
const SHORTEST: Span = Span(100 * MILLI);

impl ClusterScenario {
    /// Everything that is wrong with its meaning; what names a task is only looked at when all tasks are known.
    pub(super) fn problems(&self, tasks_are_known: bool) -> Vec<Problem> {
        let mut problems = self.node_problems();
        problems.extend(self.name_problems());
        problems.extend(self.timer_problems());
        problems.extend(self.event_problems());
        problems.extend(self.lateness_problems());
        problems.extend(self.fault_problems());
        problems.extend(self.change_problems());
        if tasks_are_known {
            problems.extend(self.task_problems());
            problems.extend(self.changed_task_problems());
            problems.extend(self.selection_problems());
        }
        problems
    }

    /// What is hardly meant, although it may be: an event that changes nothing, and definitions that name a task which
    /// stands elsewhere, if anywhere.
    #[must_use]
    pub fn warnings(&self) -> Vec<ScenarioError> {
        let mut warnings = self.selection_warnings();
        match self.idle_events() {
            idle if idle.is_empty() => {}
            idle => warnings.extend(self.located(idle).0),
        }
        warnings
    }

    fn selection_warnings(&self) -> Vec<ScenarioError> {
        let Some(scan) = self.definitions.scan.as_ref().filter(|_| !self.source.selects) else {
            return Vec::new();
        };
        let warning = |(index, of, name, known): (usize, &str, &str, Vec<&str>)| DefinitionError {
            file: self.source.definitions.clone(),
            position: scan.selected_at.get(index).copied(),
            key: "tasks".to_owned(),
            found: format!("the {of} {name:?}, which no task here has"),
            expected: one_of(&known),
        };
        self.unknown_selectors().into_iter().map(|unknown| warning(unknown).into()).collect()
    }

    fn node_problems(&self) -> Vec<Problem> {
        let nodes = key("nodes");
        if self.nodes.is_empty() {
            return vec![Problem::value(&nodes, "no nodes", "at least one")];
        }
        let problem = |(index, name): (usize, &NodeId)| {
            let path = nodes.item(index, None);
            if name.trim().is_empty() {
                Some(Problem::value(&path, format!("{name:?}"), "the name of a node"))
            } else if self.nodes[..index].contains(name) {
                Some(Problem::value(&path, format!("{name:?} again"), "each node once"))
            } else {
                None
            }
        };
        self.nodes.iter().enumerate().filter_map(problem).collect()
    }

    fn task_problems(&self) -> Vec<Problem> {
        if self.definitions.tasks.is_empty() {
            let expected = "at least one, here or in the definitions";
            return vec![Problem::value(&key("task"), "no task with workers", expected)];
        }
        let mut seen = BTreeSet::new();
        let tasks = self.definitions.tasks.iter().enumerate();
        let twice = tasks.filter(|(_, task)| !seen.insert(&task.oid));
        // Those of the definitions come first, each of them once; the last of two is the one that is too many.
        let own = self.definitions.tasks.len() - self.source.own_tasks;
        twice
            .map(|(index, task)| {
                let path = index.checked_sub(own).map(|index| {
                    let is_named = *task.oid.0 == *task.name;
                    key("task").item(index, None).key(if is_named { "name" } else { "oid" })
                });
                let path = path.unwrap_or_else(|| key("definitions"));
                let found = format!("the identifier {:?} a second time", &*task.oid.0);
                Problem::value(&path, found, "each oid once, or each name where there is no oid")
            })
            .collect()
    }

    /// Names in the scenario's own tasks; those of the definitions were looked at as they were read.
    fn name_problems(&self) -> Vec<Problem> {
        let own = self.definitions.tasks.iter().rev().take(self.source.own_tasks).rev().enumerate();
        own.flat_map(|(index, task)| {
            let task_path = key("task").item(index, None);
            let path = move |dotted: String| dotted.split('.').fold(task_path.clone(), |p, name| p.key(name));
            task.nameless().into_iter().map(path).map(|path| Problem::value(&path, "\"\"", "a name"))
        })
        .collect()
    }

    /// Descriptions of tasks that fit none: number, what they go by, that, and what would fit.
    fn unknown_selectors(&self) -> Vec<(usize, &str, &str, Vec<&str>)> {
        let Some(Selection::AnyOf(selectors)) = self.definitions.scan.as_ref().map(|scan| &scan.config.tasks)
        else {
            return Vec::new();
        };
        let unknown = selectors.iter().enumerate().filter(|(_, selector)| !self.fits_a_task(selector));
        unknown
            .map(|(index, selector)| {
                let (of, name, known) = self.known_of(selector);
                (index, of, name, known)
            })
            .collect()
    }

    /// Whether a description of tasks fits one of them.
    pub(super) fn fits_a_task(&self, selector: &Selector) -> bool {
        let (_, name, known) = self.known_of(selector);
        known.contains(&name)
    }

    /// What a description of tasks goes by, and what it could say there.
    fn known_of<'s>(&'s self, selector: &'s Selector) -> (&'static str, &'s str, Vec<&'s str>) {
        let tasks = self.definitions.tasks.iter();
        match selector {
            Selector::Oid(oid) => ("oid", oid, tasks.map(|task| &*task.oid.0).collect()),
            Selector::Name(name) => ("name", name, tasks.map(|task| task.name.as_str()).collect()),
            Selector::Archetype(name) => {
                ("archetype", name, tasks.flat_map(|task| &task.archetypes).map(String::as_str).collect())
            }
        }
    }

    fn selection_problems(&self) -> Vec<Problem> {
        if !self.source.selects {
            return Vec::new();
        }
        let problem = |(index, of, name, known): (usize, &str, &str, Vec<&str>)| {
            let path = key("scan.tasks").item(index, None).key(of);
            match known.is_empty() {
                true => Problem::value(&path, format!("{name:?}"), "a task that has one"),
                false => Problem::unknown_name(&path, name, known),
            }
        };
        self.unknown_selectors().into_iter().map(problem).collect()
    }

    fn timer_problems(&self) -> Vec<Problem> {
        let timers = &self.timers;
        let (failures, scan) = (self.failures, self.definitions.scan.as_ref());
        let interval = scan.map(|scan| Span(scan.interval.get().unsigned_abs().saturating_mul(MILLI)));
        let shortest = [
            ("timers.check_in", Some(timers.check_in)),
            ("timers.check", Some(timers.check)),
            ("timers.scavenger_poll", Some(timers.scavenger_poll)),
            ("scan.interval", interval),
            ("failures.mean_between", failures.map(|failures| failures.mean_between)),
            ("failures.mean_repair", failures.and_then(|failures| failures.mean_repair)),
            ("work.bucket", self.work.bucket.as_constant().map(|nanos| Span(nanos as u64))),
            ("horizon", Some(Span(self.horizon.get().unsigned_abs().saturating_mul(MILLI)))),
        ];
        let is_short = |(name, span): (&str, Option<Span>)| {
            let span = span.filter(|span| *span < SHORTEST)?;
            Some(Problem::value(&key(name), span.to_string(), format!("at least {SHORTEST}")))
        };
        let silent = [("timers.alive_within", timers.alive_within), ("timers.down_after", timers.down_after)];
        let is_hasty = |(name, span): (&str, Span)| {
            let expected = format!("at least timers.check_in, {}", timers.check_in);
            (span < timers.check_in).then(|| Problem::value(&key(name), span.to_string(), expected))
        };
        let hasty = silent.into_iter().filter_map(is_hasty);
        shortest.into_iter().filter_map(is_short).chain(hasty).collect()
    }

    fn changed_task_problems(&self) -> Vec<Problem> {
        let names: Vec<&str> = self.definitions.tasks.iter().map(|task| task.name.as_str()).collect();
        let named = self
            .changes
            .iter()
            .enumerate()
            .filter_map(|(index, change)| Some((index, change.task.as_ref()?)));
        named
            .filter(|(_, name)| !names.contains(&name.as_str()))
            .map(|(index, name)| {
                let path = key("change").item(index, None).key("task");
                Problem::unknown_name(&path, name, names.iter().copied())
            })
            .collect()
    }

    fn change_problems(&self) -> Vec<Problem> {
        let idle = self.changes.iter().enumerate().filter(|(_, change)| {
            change.count.is_none() && change.scavengers.is_none() && change.suspended.is_none()
        });
        idle.map(|(index, _)| {
            let path = key("change").item(index, None);
            Problem::value(&path, "nothing that changes", "count, scavengers or suspended")
        })
        .collect()
    }

    fn fault_problems(&self) -> Vec<Problem> {
        let faults = self.faults.iter().enumerate().filter(|(_, fault)| fault.until <= fault.from);
        faults
            .map(|(index, fault)| {
                let path = key("fault").item(index, None).key("until");
                Problem::value(&path, fault.until.to_string(), format!("later than from, {}", fault.from))
            })
            .collect()
    }
}

/// The path of a dotted key without lists.
fn key(dotted: &str) -> KeyPath {
    dotted.split('.').fold(KeyPath::ROOT, |path, name| path.key(name))
}

/// The names that would be right.
fn one_of(known: &[&str]) -> String {
    match known {
        [] => "a task that has one".to_owned(),
        known => format!("one of {}, unless it stands elsewhere", known.join(", ")),
    }
}
