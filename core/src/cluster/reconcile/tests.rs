//! Every row of the reconciliation's table, and what holds around it.

use super::*;
use crate::cluster::Node;
use crate::cluster::wanted::{WorkersPerNode, workers};

/// Workers of one task, to which plans are done.
struct Task {
    workers: Vec<CurrentWorker>,
    entry: WorkersPerNode,
}

impl Task {
    fn new(count: u32, scavengers: u32) -> Self {
        Self { workers: Vec::new(), entry: WorkersPerNode { count, scavengers, ..WorkersPerNode::default() } }
    }

    /// With workers as the definition wants them on these nodes, all of them running there.
    fn running_on(count: u32, nodes: &[&str]) -> Self {
        let mut task = Self::new(count, 1);
        task.run(nodes);
        task.start_all();
        task
    }

    fn start_all(&mut self) {
        for worker in self.workers.iter_mut().filter(|worker| worker.state == WorkerState::Ready) {
            worker.state = WorkerState::Running;
            worker.node.clone_from(&worker.group);
        }
    }

    fn plan(&self, nodes: &Nodes, is_scavenging: bool) -> Plan {
        let wanted = workers(std::slice::from_ref(&self.entry), &nodes.up(), "import", "Big import");
        plan(&Situation {
            current: &self.workers,
            wanted: &wanted,
            nodes,
            is_scavenging,
            is_suspended: false,
            close_done: false,
        })
    }

    fn run(&mut self, names: &[&str]) -> [u32; 6] {
        self.run_on(&Nodes::all_up(names), false)
    }

    /// A run, and a second one that must change nothing.
    fn run_on(&mut self, nodes: &Nodes, is_scavenging: bool) -> [u32; 6] {
        let plan = self.plan(nodes, is_scavenging);
        let outcome = plan.carry_out(|change| do_it(&mut self.workers, change));
        assert_eq!(outcome.status, Status::Success);
        assert_eq!(self.plan(nodes, is_scavenging).changes, [], "a second run changes nothing");
        outcome.counts()
    }
}

fn do_it(workers: &mut Vec<CurrentWorker>, change: &Change) -> Result<(), ChangeError> {
    let id = TaskId(format!("w{}", workers.len()).into());
    apply(workers, change, || id)
}

#[test]
fn misnamed_workers_and_wrong_scavengers_are_put_right() {
    let mut task = Task::running_on(4, &["D"]);
    task.workers[1].name = "x".into();
    task.workers[2].name = "y".into();
    task.workers[2].is_scavenger = true;
    task.workers[3].is_scavenger = true;
    assert_eq!(task.run(&["D"]), [1, 1, 2, 0, 0, 0]);
    let scavengers = task.workers.iter().filter(|worker| worker.is_scavenger).count();
    assert_eq!((scavengers, task.workers.len()), (1, 4));
}

#[test]
fn workers_of_a_node_that_is_gone_are_stopped_and_those_of_a_new_one_made() {
    let mut task = Task::running_on(2, &["D", "A"]);
    // They run on a node that lives although that of their group is gone.
    task.workers.iter_mut().for_each(|worker| worker.node = Some("D".into()));
    assert_eq!(task.run(&["D", "B"]), [2, 0, 0, 2, 2, 0]);
    assert_eq!(task.workers.len(), 6);
}

#[test]
fn a_node_joins_leaves_and_comes_back() {
    let mut task = Task::running_on(2, &["D"]);
    assert_eq!(task.run(&["D", "A"]), [2, 0, 0, 0, 2, 0]);
    for worker in &mut task.workers[2..] {
        (worker.state, worker.node) = (WorkerState::Running, Some("D".into()));
    }
    assert_eq!(task.run(&["D"]), [2, 0, 0, 2, 0, 0]);
    assert_eq!(task.run(&["D", "A"]), [4, 0, 0, 0, 0, 2]);
}

#[test]
fn surplus_workers_of_a_node_are_stopped() {
    let mut task = Task::running_on(4, &["D"]);
    task.entry.count = 2;
    assert_eq!(task.run(&["D"]), [2, 0, 0, 2, 0, 0]);
}

#[test]
fn another_scavenger_is_an_adapted_worker() {
    let mut task = Task::running_on(2, &["D"]);
    task.entry.scavengers = 2;
    assert_eq!(task.run(&["D"]), [1, 0, 1, 0, 0, 0]);
}

#[test]
fn in_the_scavenging_phase_only_scavengers_are_made() {
    let mut task = Task::running_on(2, &["D"]);
    assert_eq!(task.run_on(&Nodes::all_up(&["D", "N"]), true)[4], 1);
}

#[test]
fn what_does_not_run_on_a_live_node_is_left_alone() {
    for (state, is_up, is_alive, suspended) in [
        (WorkerState::Running, true, true, 1),
        (WorkerState::Running, true, false, 0),
        (WorkerState::Running, false, true, 0),
        (WorkerState::Running, false, false, 0),
        (WorkerState::Ready, true, true, 0),
        (WorkerState::Closed, true, true, 0),
        (WorkerState::Other, true, true, 0),
    ] {
        let mut task = Task::running_on(1, &["A", "D"]);
        task.workers[0].state = state;
        task.entry.node_identifiers = vec!["D".into()];
        let mut nodes = Nodes::all_up(&["A", "D"]);
        *nodes.0.get_mut("A").unwrap() = Node { is_up, is_alive };
        let told = format!("{state:?} up {is_up} alive {is_alive}");
        assert_eq!(task.run_on(&nodes, false), [1, 0, 0, suspended, 0, 0], "{told}");
    }
}

#[test]
fn a_closed_worker_can_match_and_is_not_started_again() {
    let mut task = Task::running_on(1, &["D"]);
    task.workers[0].state = WorkerState::Closed;
    assert_eq!(task.run(&["D"]), [1, 0, 0, 0, 0, 0]);
    assert_eq!(task.workers[0].state, WorkerState::Closed);
}

#[test]
fn the_best_worker_is_kept() {
    let order = [
        (WorkerState::Other, None),
        (WorkerState::Closed, None),
        (WorkerState::Suspended, None),
        (WorkerState::Ready, None),
        (WorkerState::Ready, Some("D")),
        (WorkerState::Running, Some("D")),
    ];
    for best in 1..order.len() {
        let mut task = Task::new(1, 1);
        task.run(&["D"]);
        let like = task.workers.remove(0);
        task.workers = order[..=best]
            .iter()
            .enumerate()
            .map(|(number, (state, node))| CurrentWorker {
                id: TaskId(format!("w{number}").into()),
                state: *state,
                node: node.map(NodeId::from),
                name: if number == best { "misnamed".into() } else { "other".into() },
                ..like.clone()
            })
            .collect();
        let plan = task.plan(&Nodes::all_up(&["D"]), false);
        assert!(matches!(&plan.changes[0], Change::Rename { from, .. } if &**from == "misnamed"), "{plan:?}");
    }
}

#[test]
fn a_full_pass_of_matches_comes_before_any_renaming() {
    let mut task = Task::running_on(2, &["D"]);
    task.entry.scavengers = 2;
    task.workers[1].is_scavenger = true;
    // The first one would fit the second one's place; it must not take it.
    task.workers[0].name = "x".into();
    assert_eq!(task.run(&["D"]), [1, 1, 0, 0, 0, 0]);
}

#[test]
fn under_a_suspended_coordinator_workers_are_made_suspended_and_none_goes_on() {
    let nodes = Nodes::all_up(&["D"]);
    let wanted = workers(&[], &nodes.up(), "import", "Big import");
    let situation = |current| Situation {
        current,
        wanted: &wanted,
        nodes: &nodes,
        is_scavenging: false,
        is_suspended: true,
        close_done: false,
    };
    let made = plan(&situation(&[]));
    assert!(matches!(made.changes[..], [Change::Create { is_suspended: true, .. }]));
    let mut current = Vec::new();
    made.carry_out(|change| do_it(&mut current, change));
    assert_eq!(plan(&situation(&current)), Plan { matched: 1, changes: Vec::new() });
}

#[test]
fn a_conflict_ends_the_run_with_what_was_done_so_far() {
    let mut task = Task::running_on(3, &["D"]);
    task.workers[1].name = "x".into();
    task.workers[2].name = "y".into();
    let mut done = 0;
    let outcome = task.plan(&Nodes::all_up(&["D"]), false).carry_out(|_| {
        done += 1;
        if done == 2 { Err(ChangeError::Conflict) } else { Ok(()) }
    });
    assert_eq!((outcome.status, outcome.counts()), (Status::Warning, [1, 1, 0, 0, 0, 0]));
    let failed =
        task.plan(&Nodes::all_up(&["D"]), false).carry_out(|_| Err(ChangeError::Failed("gone".into())));
    assert_eq!((failed.status, failed.message.as_deref()), (Status::FatalError, Some("gone")));
}

#[test]
fn when_the_work_is_done_idle_workers_can_be_closed() {
    let mut task = Task::running_on(2, &["D"]);
    task.workers[0].state = WorkerState::Suspended;
    let nodes = Nodes::all_up(&["D", "N"]);
    let wanted = workers(std::slice::from_ref(&task.entry), &nodes.up(), "import", "Big import");
    let done = plan(&Situation {
        current: &task.workers,
        wanted: &wanted,
        nodes: &nodes,
        is_scavenging: true,
        is_suspended: false,
        close_done: true,
    });
    assert_eq!(done.changes, [Change::Close { id: task.workers[0].id.clone() }]);
}

#[test]
fn renaming_holds_only_if_the_worker_is_still_as_it_was() {
    let mut task = Task::running_on(1, &["D"]);
    task.workers[0].name = "x".into();
    let plan = task.plan(&Nodes::all_up(&["D"]), false);
    task.workers[0].name = "y".into();
    let outcome = plan.carry_out(|change| do_it(&mut task.workers, change));
    assert_eq!((outcome.status, outcome.renamed), (Status::Warning, 0));
}

#[test]
fn adapting_holds_only_if_nobody_has_adapted_the_worker_meanwhile() {
    let mut task = Task::running_on(2, &["D"]);
    task.entry.scavengers = 2;
    let plan = task.plan(&Nodes::all_up(&["D"]), false);
    task.workers[1].is_scavenger = true;
    let outcome = plan.carry_out(|change| do_it(&mut task.workers, change));
    assert_eq!((outcome.status, outcome.counts()), (Status::Warning, [1, 0, 0, 0, 0, 0]));
}
