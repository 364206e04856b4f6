//! The workers that a definition asks for on the nodes of now.

use super::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The name of a worker unless its definition has another template.
pub const DEFAULT_TASK_NAME: &str = "Worker {node}:{index} for {activity} in {rootTaskName}";
/// The group of a worker unless its definition has another template: its node.
pub const DEFAULT_EXECUTION_GROUP: &str = "{node}";
/// More workers on one node are a mistake.
pub const MOST_PER_NODE: u32 = 1_000;

/// Where workers run and how many; one entry of `workersPerNode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkersPerNode {
    /// These nodes, also when they are down; none: every node that is UP.
    pub node_identifiers: Vec<NodeId>,
    /// So many on each.
    pub count: u32,
    /// The first so many of them are scavengers.
    pub scavengers: u32,
    /// Template of the group; empty: any node may run it.
    pub execution_group: String,
    /// Template of the name.
    pub task_name: String,
}

impl Default for WorkersPerNode {
    fn default() -> Self {
        Self {
            node_identifiers: Vec::new(),
            count: 1,
            scavengers: 1,
            execution_group: DEFAULT_EXECUTION_GROUP.to_owned(),
            task_name: DEFAULT_TASK_NAME.to_owned(),
        }
    }
}

/// A worker that shall be there. Its three parts are its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WantedWorker {
    /// Which nodes may run it, by group; none: any.
    pub group: Option<Arc<str>>,
    /// Its name.
    pub name: Arc<str>,
    /// Whether it looks for buckets that others left behind.
    pub is_scavenger: bool,
}

/// Every worker once, in the order of the definition, the nodes and the index. No entry means one of defaults.
#[must_use]
pub fn workers(
    definition: &[WorkersPerNode],
    up: &BTreeSet<NodeId>,
    activity: &str,
    root_task_name: &str,
) -> Vec<WantedWorker> {
    let defaults = [WorkersPerNode::default()];
    let entries = if definition.is_empty() { &defaults } else { definition };
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for entry in entries {
        let nodes: Vec<&NodeId> = if entry.node_identifiers.is_empty() {
            up.iter().collect()
        } else {
            entry.node_identifiers.iter().collect()
        };
        for node in nodes {
            for index in 1..=entry.count.min(MOST_PER_NODE) {
                let worker = entry.worker(node, index, activity, root_task_name);
                if seen.insert(worker.clone()) {
                    wanted.push(worker);
                }
            }
        }
    }
    wanted
}

impl WorkersPerNode {
    fn worker(&self, node: &str, index: u32, activity: &str, root_task_name: &str) -> WantedWorker {
        let index_text = index.to_string();
        let parameters = [
            ("node", node),
            ("index", &index_text),
            ("activity", activity),
            ("rootTaskName", root_task_name),
        ];
        let group = filled(&self.execution_group, &parameters);
        WantedWorker {
            group: (!group.is_empty()).then(|| group.into()),
            name: filled(&self.task_name, &parameters).into(),
            is_scavenger: index <= self.scavengers,
        }
    }
}

/// The template with each `{parameter}` replaced, once: what came in is not looked at again.
fn filled(template: &str, parameters: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let found = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = parameters.iter().find(|(known, _)| *known == name)?;
            Some((*value, after))
        });
        match found {
            Some((value, after)) => {
                text.push_str(value);
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(names: &[&str]) -> BTreeSet<NodeId> {
        names.iter().map(|name| NodeId::from(*name)).collect()
    }

    fn shown(definition: &[WorkersPerNode], names: &[&str]) -> Vec<(String, String, bool)> {
        let shown =
            |w: WantedWorker| (w.group.as_deref().unwrap_or("-").into(), w.name.to_string(), w.is_scavenger);
        workers(definition, &up(names), "import", "Big import").into_iter().map(shown).collect()
    }

    #[test]
    fn without_entries_each_node_that_is_up_gets_one_scavenger() {
        let wanted = shown(&[], &["N", "D"]);
        let name = |node| format!("Worker {node}:1 for import in Big import");
        assert_eq!(wanted, [("D".into(), name("D"), true), ("N".into(), name("N"), true)]);
    }

    #[test]
    fn the_first_workers_are_the_scavengers() {
        let entry = WorkersPerNode { count: 3, scavengers: 2, ..WorkersPerNode::default() };
        let flags: Vec<bool> = shown(&[entry], &["D"]).into_iter().map(|worker| worker.2).collect();
        assert_eq!(flags, [true, true, false]);
    }

    #[test]
    fn given_nodes_are_used_even_when_they_are_down() {
        let entry = WorkersPerNode { node_identifiers: vec!["X".into()], ..WorkersPerNode::default() };
        assert_eq!(shown(&[entry], &["D"])[0].0, "X");
    }

    #[test]
    fn templates_take_their_parameters_and_nothing_else() {
        let entry = WorkersPerNode {
            execution_group: String::new(),
            task_name: "{index}/{node}/{other}/{".into(),
            ..WorkersPerNode::default()
        };
        assert_eq!(shown(&[entry], &["{index}"]), [("-".into(), "1/{index}/{other}/{".into(), true)]);
    }

    #[test]
    fn equal_workers_merge() {
        let entry =
            WorkersPerNode { task_name: "same".into(), count: 3, scavengers: 1, ..WorkersPerNode::default() };
        let wanted = shown(&[entry.clone(), entry], &["D"]);
        assert_eq!(wanted, [("D".into(), "same".into(), true), ("D".into(), "same".into(), false)]);
    }
}
