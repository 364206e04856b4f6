//! What holds over any history of nodes, workers and buckets.

use super::buckets::{Answer, BucketState, Buckets};
use super::reconcile::{Change, CurrentWorker, Plan, Situation, WorkerState, apply, plan};
use super::wanted::{WantedWorker, WorkersPerNode, workers};
use super::{NodeId, Nodes, TaskId};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 4] = ["A", "B", "C", "D"];

#[derive(Clone, Debug)]
enum Event {
    /// These nodes are up from now on, these of them alive.
    Nodes {
        up: [bool; 4],
        alive: [bool; 4],
    },
    /// The definition has changed.
    Define {
        count: u32,
        scavengers: u32,
        everywhere: bool,
    },
    /// Ready workers start on a live node of their group.
    Start,
    /// That worker finishes or asks for a bucket.
    Work(usize),
    /// That worker loses its node: its bucket goes back, it is ready again.
    Lose(usize),
    /// Work that a worker was at when it lost its node is finished all the same, as on a node that has fallen silent.
    FinishLate(usize),
    /// Somebody closes that worker.
    Close(usize),
    Reconcile,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (any::<[bool; 4]>(), any::<[bool; 4]>()).prop_map(|(up, alive)| Event::Nodes { up, alive }),
        1 => (0..4_u32, 0..4_u32, any::<bool>())
            .prop_map(|(count, scavengers, everywhere)| Event::Define { count, scavengers, everywhere }),
        3 => Just(Event::Start),
        8 => (0..64_usize).prop_map(Event::Work),
        1 => (0..64_usize).prop_map(Event::Lose),
        2 => (0..64_usize).prop_map(Event::FinishLate),
        1 => (0..64_usize).prop_map(Event::Close),
        3 => Just(Event::Reconcile),
    ]
}

struct World {
    nodes: Nodes,
    entry: WorkersPerNode,
    workers: Vec<CurrentWorker>,
    at_work: BTreeMap<TaskId, u32>,
    /// What workers were at when they lost their node.
    late: Vec<(TaskId, u32)>,
    buckets: Buckets,
    completed: BTreeSet<u32>,
}

impl World {
    fn new(total: u32) -> Self {
        Self {
            nodes: Nodes::all_up(&NAMES[..2]),
            entry: WorkersPerNode { count: 2, ..WorkersPerNode::default() },
            workers: Vec::new(),
            at_work: BTreeMap::new(),
            late: Vec::new(),
            buckets: Buckets::new(total),
            completed: BTreeSet::new(),
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Nodes { up, alive } => {
                let node = |i: usize| super::Node { is_up: up[i], is_alive: alive[i] };
                self.nodes.0 = NAMES.iter().enumerate().map(|(i, name)| ((*name).into(), node(i))).collect();
            }
            Event::Define { count, scavengers, everywhere } => {
                (self.entry.count, self.entry.scavengers) = (*count, *scavengers);
                self.entry.execution_group = if *everywhere { String::new() } else { "{node}".into() };
            }
            Event::Start => self.start(),
            Event::Work(index) => self.work(*index),
            Event::Lose(index) => self.lose(*index),
            Event::FinishLate(index) => {
                if let Some(at) = index.checked_rem(self.late.len()) {
                    let (id, number) = self.late.swap_remove(at);
                    if self.buckets.complete(&id, number) {
                        assert!(self.completed.insert(number), "bucket {number} is completed twice");
                    }
                }
            }
            Event::Close(index) => {
                if let Some(worker) = self.pick(*index) {
                    self.workers[worker].state = WorkerState::Closed;
                    // Its bucket stays with it until a scavenger takes it.
                    let id = self.workers[worker].id.clone();
                    self.at_work.remove(&id);
                }
            }
            Event::Reconcile => self.reconcile(),
        }
    }

    fn pick(&self, index: usize) -> Option<usize> {
        index.checked_rem(self.workers.len())
    }

    fn start(&mut self) {
        let live: Vec<NodeId> =
            self.nodes.0.keys().filter(|name| self.nodes.is_live(name)).cloned().collect();
        for worker in self.workers.iter_mut().filter(|worker| worker.state == WorkerState::Ready) {
            let fits = |node: &&NodeId| worker.group.as_ref().is_none_or(|group| group == *node);
            if let Some(node) = live.iter().find(fits) {
                (worker.state, worker.node) = (WorkerState::Running, Some(node.clone()));
            }
        }
    }

    fn work(&mut self, index: usize) {
        let Some(index) = self.pick(index) else { return };
        let worker = &self.workers[index];
        if worker.state != WorkerState::Running {
            return;
        }
        let (id, is_scavenger) = (worker.id.clone(), worker.is_scavenger);
        if let Some(number) = self.at_work.remove(&id) {
            if self.buckets.complete(&id, number) {
                assert!(self.completed.insert(number), "bucket {number} is completed twice");
            }
            return;
        }
        let workers = &self.workers;
        let is_gone = |id: &TaskId| {
            workers
                .iter()
                .find(|worker| worker.id == *id)
                .is_none_or(|worker| worker.state == WorkerState::Closed)
        };
        match self.buckets.ask(&id, is_scavenger, is_gone) {
            Answer::Bucket(number) => {
                let is_held = self.at_work.values().any(|held| *held == number);
                assert!(!is_held, "bucket {number} is worked on twice");
                self.at_work.insert(id, number);
            }
            Answer::AskAgain => {}
            Answer::Close => self.workers[index].state = WorkerState::Closed,
        }
    }

    fn lose(&mut self, index: usize) {
        let Some(index) = self.pick(index) else { return };
        if self.workers[index].state == WorkerState::Running {
            (self.workers[index].state, self.workers[index].node) = (WorkerState::Ready, None);
            self.give_back(index);
        }
    }

    fn give_back(&mut self, index: usize) {
        let id = self.workers[index].id.clone();
        self.buckets.give_back(&id);
        self.late.extend(self.at_work.remove(&id).map(|number| (id, number)));
    }

    fn wanted(&self) -> Vec<WantedWorker> {
        workers(std::slice::from_ref(&self.entry), &self.nodes.up(), "import", "root")
    }

    fn plan(&self, wanted: &[WantedWorker]) -> Plan {
        plan(&Situation {
            current: &self.workers,
            wanted,
            nodes: &self.nodes,
            is_scavenging: self.buckets.is_scavenging(),
            is_suspended: false,
            close_done: false,
        })
    }

    fn reconcile(&mut self) {
        let wanted = self.wanted();
        let before = self.workers.len();
        let changes = self.plan(&wanted).changes;
        changes.iter().for_each(|change| self.apply(change));
        assert!(self.workers.len() >= before, "nothing is deleted");
        assert_eq!(self.plan(&wanted).changes, [], "a second run changes nothing");
        self.check_sizes(&wanted);
    }

    fn apply(&mut self, change: &Change) {
        if let Change::Suspend { id } = change {
            let at = self.workers.iter().position(|worker| worker.id == *id).expect("it exists");
            assert!(self.workers[at].node.as_deref().is_some_and(|node| self.nodes.is_live(node)));
            self.give_back(at);
        }
        let new_id = TaskId(format!("w{}", self.workers.len()).into());
        assert_eq!(apply(&mut self.workers, change, || new_id), Ok(()));
    }

    /// On live nodes no more workers of a group run than are wanted of it.
    fn check_sizes(&self, wanted: &[WantedWorker]) {
        let runs_live = |worker: &&CurrentWorker| {
            worker.state == WorkerState::Running
                && worker.node.as_deref().is_some_and(|node| self.nodes.is_live(node))
        };
        for worker in self.workers.iter().filter(runs_live) {
            let running =
                self.workers.iter().filter(runs_live).filter(|other| other.group == worker.group).count();
            let most = wanted.iter().filter(|other| other.group == worker.group).count();
            assert!(running <= most, "{running} of {:?} run, {most} are wanted", worker.group);
        }
    }

    /// In the end, with all nodes alive and a definition that wants scavengers everywhere, all work gets done.
    fn finish(&mut self) {
        self.happen(&Event::Nodes { up: [true; 4], alive: [true; 4] });
        self.happen(&Event::Define { count: 1, scavengers: 1, everywhere: false });
        // Closed workers keep their places, so a new name makes new ones.
        self.entry.execution_group = "rescue {node}".into();
        self.reconcile();
        for worker in &mut self.workers {
            let is_rescue = worker.group.as_deref().is_some_and(|group| group.starts_with("rescue"));
            if is_rescue {
                (worker.state, worker.node) = (WorkerState::Running, Some("A".into()));
            } else {
                worker.state = WorkerState::Closed;
                self.at_work.remove(&worker.id);
            }
        }
        for _ in 0..200 {
            (0..self.workers.len()).for_each(|index| self.work(index));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bucket_is_lost_none_completed_twice_and_no_live_node_overcrowded(
        total in 0..30_u32,
        events in prop::collection::vec(any_event(), 0..120),
    ) {
        let mut world = World::new(total);
        for event in &events {
            world.happen(event);
            prop_assert_eq!(world.buckets.completed(), world.completed.len());
            let count = |is_so: fn(&BucketState) -> bool| {
                world.buckets.states().iter().filter(|state| is_so(state)).count()
            };
            let complete = count(|state| *state == BucketState::Complete);
            let delegated = count(|state| matches!(state, BucketState::Delegated(_)));
            prop_assert_eq!((world.buckets.completed(), world.buckets.delegated()), (complete, delegated));
        }
        world.finish();
        prop_assert!(world.buckets.is_complete(), "{:?}", world.buckets);
        prop_assert_eq!(world.completed.len(), total as usize);
    }
}
