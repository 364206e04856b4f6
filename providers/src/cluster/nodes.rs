//! The cluster's nodes, by a watch that knows whether it can still be believed.
//!
//! kube's own runtime keeps such a watch alive, too, but does not say when it has lost touch; and a scan that believes
//! nodes of an hour ago would stop and start workers for nothing.

use super::job::labels;
use super::metrics::Metrics;
use futures::StreamExt;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{ListParams, WatchEvent, WatchParams};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use wci_core::cluster::{self, NodeId, Nodes};

/// The server ends a watch after so many seconds, and the next one begins where it ended: one that hangs is found out.
const WATCH_SECONDS: u32 = 60;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the watch knows.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    nodes: BTreeMap<NodeId, Facts>,
    /// Why the nodes may be others by now.
    lost: Option<String>,
    is_known: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    is_ready: bool,
    takes_pods: bool,
    serves: Option<String>,
}

impl Seen {
    /// Whether these are the nodes of now.
    ///
    /// # Errors
    /// Says why not.
    pub fn check(&self) -> Result<(), String> {
        match &self.lost {
            Some(why) => Err(why.clone()),
            None if !self.is_known => Err("they were never listed".to_owned()),
            None => Ok(()),
        }
    }

    /// The nodes as the core knows them: ready is UP, and alive, since a node that is not heard of is not ready.
    #[must_use]
    pub fn records(&self) -> Nodes {
        let record = |facts: &Facts| cluster::Node { is_up: facts.is_ready, is_alive: facts.is_ready };
        Nodes(self.nodes.iter().map(|(name, facts)| (name.clone(), record(facts))).collect())
    }

    /// Whether a Pod of that group finds a node that takes it. No group: any node does.
    #[must_use]
    pub fn serves(&self, group: Option<&str>) -> bool {
        let serves = |(name, facts): (&NodeId, &Facts)| {
            let is_of_group = |group: &str| **name == *group || facts.serves.as_deref() == Some(group);
            facts.is_ready && facts.takes_pods && group.is_none_or(is_of_group)
        };
        self.nodes.iter().any(serves)
    }

    fn insert(&mut self, node: &Node) {
        let Some(name) = &node.metadata.name else { return };
        let name = NodeId::from(name.as_str());
        let facts = Facts::of(node);
        let before = self.nodes.insert(name.clone(), facts.clone()).map(|facts| facts.is_ready);
        if before.unwrap_or(false) != facts.is_ready {
            tracing::info!(node = %name, is_ready = facts.is_ready, "node");
        }
    }

    #[cfg(test)]
    pub(super) fn with_ready(names: &[&str]) -> Self {
        let ready = Facts { is_ready: true, takes_pods: true, serves: None };
        let nodes = names.iter().map(|name| (NodeId::from(*name), ready.clone())).collect();
        Self { nodes, lost: None, is_known: true }
    }
}

impl Facts {
    fn of(node: &Node) -> Self {
        let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
        let is_ready =
            conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"));
        let is_cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false);
        let serves = node.metadata.labels.as_ref().and_then(|all| all.get(labels::SERVES)).cloned();
        Self {
            is_ready: is_ready && node.metadata.deletion_timestamp.is_none(),
            takes_pods: !is_cordoned,
            serves,
        }
    }
}

/// Keeps what is known of the nodes up to date.
pub struct Follower {
    /// Whose nodes.
    pub nodes: Api<Node>,
    /// Which of them; none: all.
    pub selector: Option<String>,
    /// Where losses are counted.
    pub metrics: Metrics,
}

/// Why a watch ended.
enum Lost {
    /// The server does not remember that far back: list again.
    TooOld,
    Other(String),
}

impl From<kube::Error> for Lost {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 410 => Self::TooOld,
            other => Self::Other(crate::kubernetes::failure("watching nodes", &other).to_string()),
        }
    }
}

impl Follower {
    /// Follows the nodes for ever.
    pub async fn follow(self, told: watch::Sender<Seen>) {
        let mut wait = FIRST_WAIT;
        loop {
            let Err(lost) = self.list_and_watch(&told, &mut wait).await;
            match lost {
                Lost::TooOld => {
                    self.metrics.watch_lost("too_old");
                    tracing::info!("the watch of nodes is too old: listing them again");
                }
                Lost::Other(why) => {
                    self.metrics.watch_lost("failed");
                    // It is tried again and again; said is what is new.
                    if told.borrow().lost.as_ref() == Some(&why) {
                        tracing::debug!(why, "still no sight of the nodes");
                    } else {
                        tracing::warn!(why, "lost sight of the nodes");
                    }
                    told.send_modify(|seen| seen.lost = Some(why));
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    async fn list_and_watch(
        &self,
        told: &watch::Sender<Seen>,
        wait: &mut Duration,
    ) -> Result<std::convert::Infallible, Lost> {
        let params = ListParams { label_selector: self.selector.clone(), ..ListParams::default() };
        let list = self.nodes.list(&params).await?;
        let mut version = list.metadata.resource_version.unwrap_or_default();
        told.send_modify(|seen| {
            // Insertion tells which nodes are news.
            let listed =
                |name: &NodeId| list.items.iter().any(|node| node.metadata.name.as_deref() == Some(&**name));
            seen.nodes.retain(|name, _| listed(name));
            list.items.iter().for_each(|node| seen.insert(node));
            (seen.lost, seen.is_known) = (None, true);
        });
        *wait = FIRST_WAIT;
        loop {
            self.watch(told, &mut version).await?;
            // A server that ends watches at once must not keep us busy.
            tokio::time::sleep(FIRST_WAIT).await;
        }
    }

    /// Until the server ends the watch, as it does now and then.
    async fn watch(&self, told: &watch::Sender<Seen>, version: &mut String) -> Result<(), Lost> {
        let params = WatchParams {
            label_selector: self.selector.clone(),
            timeout: Some(WATCH_SECONDS),
            bookmarks: true,
            ..WatchParams::default()
        };
        let mut events = Box::pin(self.nodes.watch(&params, version).await?);
        while let Some(event) = events.next().await {
            let of_node = match event? {
                WatchEvent::Added(node) | WatchEvent::Modified(node) => {
                    told.send_modify(|seen| seen.insert(&node));
                    node.metadata.resource_version
                }
                WatchEvent::Deleted(node) => {
                    let name = NodeId::from(node.metadata.name.as_deref().unwrap_or_default());
                    told.send_modify(|seen| drop(seen.nodes.remove(&name)));
                    tracing::info!(node = %name, "node is gone");
                    node.metadata.resource_version
                }
                WatchEvent::Bookmark(mark) => Some(mark.metadata.resource_version),
                WatchEvent::Error(status) if status.code == 410 => return Err(Lost::TooOld),
                WatchEvent::Error(status) => return Err(Lost::Other(status.message.clone())),
            };
            if let Some(new) = of_node {
                *version = new;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(node: serde_json::Value) -> Seen {
        let mut seen = Seen::default();
        seen.insert(&serde_json::from_value(node).unwrap());
        seen
    }

    fn node(ready: &str, unschedulable: bool) -> serde_json::Value {
        json!({"metadata": {"name": "A", "labels": {labels::SERVES: "batch"}}, "spec": {"unschedulable": unschedulable},
            "status": {"conditions": [{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": ready}]}})
    }

    #[test]
    fn only_ready_is_up() {
        for (ready, is_up) in [("True", true), ("False", false), ("Unknown", false)] {
            assert_eq!(seen(node(ready, false)).records().is_live("A"), is_up, "{ready}");
        }
    }

    #[test]
    fn a_group_is_a_nodes_name_or_its_label() {
        let seen_ready = seen(node("True", false));
        assert!(seen_ready.serves(Some("A")) && seen_ready.serves(Some("batch")) && seen_ready.serves(None));
        assert!(!seen_ready.serves(Some("B")));
        let cordoned = seen(node("True", true));
        assert!(!cordoned.serves(Some("A")) && cordoned.records().is_live("A"));
    }

    #[test]
    fn nodes_are_unknown_until_they_were_listed() {
        assert!(Seen::default().check().is_err());
        assert!(Seen::with_ready(&[]).check().is_ok());
    }
}
