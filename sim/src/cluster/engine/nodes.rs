//! Nodes: what becomes of them, and how the others find out.

use super::{Engine, Event, SimNode};
use crate::cluster::log::LogLine;
use crate::cluster::scenario::{NodeEventKind, millis};
use wci_core::cluster::{Node, NodeId, Nodes};

impl Engine {
    pub(super) fn join(&mut self, name: &NodeId) {
        let life = self.nodes.get(name).map_or(0, |node| node.life + 1);
        let node = SimNode { is_up: true, last_check_in: self.now, is_working: true, is_silent: false, life };
        self.nodes.insert(name.clone(), node);
        self.after(self.scenario.timers.check_in, Event::CheckIn { node: name.clone(), life });
        self.after(self.scenario.timers.check, Event::LookAround { node: name.clone(), life });
    }

    pub(super) fn befall(&mut self, index: usize) {
        let scenario = self.scenario.clone();
        let event = &scenario.events[index];
        let (name, kind) = (&event.node, event.kind);
        let known = self.nodes.get(name).copied();
        match (kind, known) {
            (NodeEventKind::Join, known) if known.is_none_or(|node| !node.is_working) => {
                // Whatever it was at when it crashed is void now that it is back.
                self.release(name);
                self.join(name);
                self.dispatch();
            }
            (NodeEventKind::Leave, Some(node)) if node.is_working => {
                self.nodes.insert(name.clone(), SimNode { is_up: false, is_working: false, ..node });
                self.release(name);
                self.dispatch();
            }
            (NodeEventKind::Crash, Some(node)) if node.is_working => {
                self.nodes.insert(name.clone(), SimNode { is_working: false, ..node });
                self.lose_work(name);
            }
            (NodeEventKind::Silent, Some(node)) if node.is_working && !node.is_silent => {
                self.nodes.insert(name.clone(), SimNode { is_silent: true, ..node });
            }
            (NodeEventKind::Return, Some(node)) if node.is_working && node.is_silent => {
                self.nodes.insert(
                    name.clone(),
                    SimNode { is_silent: false, is_up: true, last_check_in: self.now, ..node },
                );
                self.dispatch();
            }
            _ => return,
        }
        self.note(LogLine::Node { node: name.clone(), what: kind.name() });
    }

    pub(super) fn check_in(&mut self, name: &NodeId, life: u64) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(name).filter(|node| node.is_working && node.life == life) else {
            return;
        };
        if !node.is_silent {
            node.last_check_in = now;
        }
        self.after(self.scenario.timers.check_in, Event::CheckIn { node: name.clone(), life });
    }

    /// A node that is heard of marks those DOWN that have been silent for too long.
    pub(super) fn look_around(&mut self, name: &NodeId, life: u64) {
        let Some(own) = self.nodes.get(name).filter(|node| node.is_working && node.life == life) else {
            return;
        };
        let down_after = millis(self.scenario.timers.down_after).get();
        let is_lost = |node: &SimNode| node.is_up && self.now - node.last_check_in > down_after;
        let lost: Vec<NodeId> = match own.is_silent {
            true => Vec::new(),
            false => {
                self.nodes.iter().filter(|(_, node)| is_lost(node)).map(|(name, _)| name.clone()).collect()
            }
        };
        for lost in lost {
            if let Some(node) = self.nodes.get_mut(&lost) {
                node.is_up = false;
            }
            self.totals.nodes_marked_down += 1;
            self.note(LogLine::Node { node: lost.clone(), what: "down" });
            self.release(&lost);
            self.dispatch();
        }
        self.after(self.scenario.timers.check, Event::LookAround { node: name.clone(), life });
    }

    pub(in crate::cluster) fn records(&self) -> Nodes {
        let alive_within = millis(self.scenario.timers.alive_within).get();
        let record = |node: &SimNode| Node {
            is_up: node.is_up,
            is_alive: node.is_up && self.now - node.last_check_in <= alive_within,
        };
        Nodes(self.nodes.iter().map(|(name, node)| (name.clone(), record(node))).collect())
    }
}
