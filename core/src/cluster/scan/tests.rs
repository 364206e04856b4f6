//! The table of scans, and what a scan takes care of around the latch.

use super::*;
use crate::cluster::eligibility::{AutoScaling, Mode};
use crate::cluster::reconcile::{WorkerState, apply};
use crate::time::Millis;

const HOUR: i64 = 3_600_000;
const T0: i64 = 1_700_000_000_000;

/// A task with two workers a node that never start, and the scans of it.
struct Cluster {
    config: ScanConfig,
    state: ScanState,
    task: FoundTask,
    records: Vec<ScanRecord>,
}

impl Cluster {
    fn new(min: i64, max: i64, nodes_at_start: &[&str]) -> Self {
        let entry = WorkersPerNode { count: 2, ..WorkersPerNode::default() };
        let facts = TaskFacts {
            oid: "t".into(),
            name: "Big import".into(),
            archetypes: Vec::new(),
            is_running: true,
            waits_for_children: true,
            auto_scaling: AutoScaling::default(),
        };
        let activity = FoundActivity {
            name: "import".into(),
            workers: Some(vec![entry]),
            is_in_progress: true,
            is_scavenging: false,
            is_work_complete: false,
            is_suspended: false,
            current: Vec::new(),
        };
        let latch = LatchConfig {
            min_interval: Some(Millis::new(min)),
            max_interval: Some(Millis::new(max)),
            skip_initial: false,
        };
        let config = ScanConfig { latch, ..ScanConfig::default() };
        let task = FoundTask { facts, activities: vec![activity] };
        let mut cluster = Self { config, state: ScanState::default(), task, records: Vec::new() };
        let started = cluster.config.task(&cluster.task, &Nodes::all_up(nodes_at_start));
        cluster.apply(&started);
        cluster
    }

    fn apply(&mut self, scan: &TaskScan) {
        for change in scan.activities.iter().flat_map(|activity| &activity.plan.changes) {
            let current = &mut self.task.activities[0].current;
            let new_id = TaskId(format!("w{}", current.len()).into());
            assert_eq!(apply(current, change, || new_id), Ok(()));
        }
    }

    /// Whether this scan reconciled, what it left pending, and how many children there are then.
    fn scan(&mut self, at: i64, names: &[&str]) -> (bool, Option<bool>, usize) {
        self.scan_failing(at, names, false);
        let scan = &self.records[self.records.len() - 1].scan;
        (!scan.tasks.is_empty(), self.state.latch.pending, self.task.activities[0].current.len())
    }

    fn scan_failing(&mut self, at: i64, names: &[&str], fails: bool) -> LatchReason {
        let (t, nodes) = (Timestamp::from_millis(T0 + at), Nodes::all_up(names));
        let tasks = vec![self.task.clone()];
        let scan = self.config.scan(&self.state, t, &nodes, &tasks);
        let mut failed = BTreeSet::new();
        for task in scan.tasks.clone() {
            if fails {
                failed.insert(task.task);
            } else {
                self.apply(&task);
            }
        }
        self.state.store(t, &tasks, &scan, &failed);
        let reason = scan.reason;
        self.records.push(ScanRecord { t, nodes, tasks, scan, failed });
        reason
    }
}

/// Decides recorded scans again; the number of the first that differs, with what is decided now.
fn replay(config: &ScanConfig, mut state: ScanState, records: &[ScanRecord]) -> Option<(usize, Scan)> {
    for (number, record) in records.iter().enumerate() {
        let scan = config.scan(&state, record.t, &record.nodes, &record.tasks);
        if scan != record.scan {
            return Some((number, scan));
        }
        state.store(record.t, &record.tasks, &scan, &record.failed);
    }
    None
}

#[test]
fn eight_scans_with_a_minimum_of_an_hour_and_a_maximum_of_a_day() {
    let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
    assert_eq!(cluster.scan(0, &["D"]), (true, Some(false), 2));
    assert_eq!(cluster.scan(1, &["D"]), (false, Some(false), 2));
    assert_eq!(cluster.scan(2, &["D", "N"]), (false, Some(true), 2));
    assert_eq!(cluster.scan(3, &["D", "N"]), (false, Some(true), 2));
    assert_eq!(cluster.scan(2 * HOUR, &["D", "N"]), (true, Some(false), 4));
    assert_eq!(cluster.scan(5 * HOUR, &["D"]), (true, Some(false), 4));
    assert_eq!(cluster.scan(53 * HOUR, &["D"]), (true, Some(false), 4));
    assert_eq!(cluster.records[6].scan.reason, LatchReason::MaxReached);

    let mut skips = Cluster::new(HOUR, 24 * HOUR, &["D", "N"]);
    skips.config.latch.skip_initial = true;
    assert_eq!(skips.scan(0, &["D"]), (false, None, 4));
}

#[test]
fn a_journal_is_decided_the_same_again_and_a_difference_is_found() {
    let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
    for (at, names) in [(0, &["D"][..]), (1, &["D", "N"]), (2 * HOUR, &["D", "N"]), (5 * HOUR, &["N"])] {
        cluster.scan(at, names);
    }
    let lines: Vec<String> =
        cluster.records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    let records: Vec<ScanRecord> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records, cluster.records);
    assert_eq!(replay(&cluster.config, ScanState::default(), &records), None);
    let other = ScanConfig::default();
    assert_eq!(replay(&other, ScanState::default(), &records).map(|(number, _)| number), Some(1));
}

#[test]
fn tasks_that_must_not_be_touched_are_told_with_the_reason() {
    let mut cluster = Cluster::new(0, HOUR, &["D"]);
    cluster.task.facts.auto_scaling.mode = Some(Mode::Disabled);
    cluster.scan(0, &["D", "N"]);
    let task = &cluster.records[0].scan.tasks[0];
    assert_eq!((task.ineligible, task.activities.len()), (Some(Ineligible::Disabled), 0));
}

#[test]
fn only_activities_with_workers_that_are_in_progress_are_touched() {
    let plans = |change: fn(&mut FoundActivity)| {
        let mut cluster = Cluster::new(0, HOUR, &["D"]);
        change(&mut cluster.task.activities[0]);
        cluster.scan(0, &["D", "N"]);
        cluster.records[0].scan.tasks[0].activities.len()
    };
    assert_eq!(plans(|_| {}), 1);
    assert_eq!(plans(|activity| activity.workers = None), 0);
    assert_eq!(plans(|activity| activity.is_in_progress = false), 0);
}

#[test]
fn a_failed_task_is_only_tried_again_where_that_is_switched_on() {
    for (retry_failed, reason) in [(false, LatchReason::NothingChanged), (true, LatchReason::FailedBefore)] {
        let mut cluster = Cluster::new(60_000, 24 * HOUR, &["D"]);
        cluster.config.retry_failed = retry_failed;
        cluster.scan_failing(0, &["D", "N"], true);
        assert_eq!(
            cluster.scan_failing(60_000, &["D", "N"], false),
            LatchReason::NothingChanged,
            "too early"
        );
        assert_eq!(cluster.scan_failing(60_001, &["D", "N"], false), reason);
        assert_eq!(cluster.task.activities[0].current.len(), if retry_failed { 4 } else { 2 });
        assert_eq!(cluster.state.failed.is_empty(), retry_failed);
        assert_eq!(cluster.scan_failing(60_002, &["D", "N"], false), LatchReason::NothingChanged);
    }
}

#[test]
fn idle_workers_of_finished_work_are_closed_where_that_is_switched_on() {
    for close_done in [false, true] {
        let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
        cluster.scan(0, &["D"]);
        cluster.config.close_done = close_done;
        cluster.task.activities[0].is_work_complete = true;
        let reason = cluster.scan_failing(1, &["D"], false);
        assert_eq!(reason == LatchReason::WorkDone, close_done);
        let closed =
            cluster.task.activities[0].current.iter().filter(|w| w.state == WorkerState::Closed).count();
        assert_eq!(closed, if close_done { 2 } else { 0 });
        assert_eq!(cluster.scan_failing(2, &["D"], false), LatchReason::NothingChanged);
    }
}

#[test]
fn a_changed_distribution_is_followed_once_the_minimum_has_passed() {
    for (follow_definitions, early, late, workers) in [
        (false, LatchReason::NothingChanged, LatchReason::NothingChanged, 2),
        (true, LatchReason::DefinitionTooEarly, LatchReason::DefinitionChanged, 3),
    ] {
        let mut cluster = Cluster::new(60_000, 24 * HOUR, &["D"]);
        cluster.config.follow_definitions = follow_definitions;
        cluster.scan(0, &["D"]);
        cluster.task.activities[0].workers.as_mut().unwrap()[0].count = 3;
        assert_eq!(cluster.scan_failing(60_000, &["D"], false), early);
        assert_eq!(cluster.scan_failing(60_001, &["D"], false), late);
        assert_eq!(cluster.task.activities[0].current.len(), workers);
        assert_eq!(cluster.scan_failing(60_002, &["D"], false), LatchReason::NothingChanged);
        assert_eq!(replay(&cluster.config, ScanState::default(), &cluster.records), None);
    }
}

#[test]
fn a_changed_distribution_waits_when_it_fails_and_is_nothing_for_a_disabled_task() {
    let mut cluster = Cluster::new(0, 24 * HOUR, &["D"]);
    cluster.scan(0, &["D"]);
    cluster.task.activities[0].workers.as_mut().unwrap()[0].count = 3;
    cluster.task.facts.auto_scaling.mode = Some(Mode::Disabled);
    assert_eq!(cluster.scan_failing(1, &["D"], false), LatchReason::NothingChanged);
    cluster.task.facts.auto_scaling.mode = None;
    assert_eq!(cluster.scan_failing(2, &["D"], true), LatchReason::DefinitionChanged);
    assert_eq!(cluster.scan_failing(3, &["D"], false), LatchReason::DefinitionChanged);
    assert_eq!(cluster.task.activities[0].current.len(), 3);
}

#[test]
fn a_definition_that_waits_is_put_off_once_for_each_change() {
    let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
    cluster.scan(0, &["D"]);
    let define = |cluster: &mut Cluster, count| {
        cluster.task.activities[0].workers.as_mut().unwrap()[0].count = count;
    };
    let mut told = Vec::new();
    for (at, count) in [(1, 3), (2, 3), (3, 4), (4, 4), (5, 2), (6, 3)] {
        define(&mut cluster, count);
        told.push(cluster.scan_failing(at, &["D"], false));
    }
    use LatchReason::{DefinitionTooEarly, DefinitionWaits, NothingChanged};
    let again = [DefinitionTooEarly, DefinitionWaits, DefinitionTooEarly, DefinitionWaits];
    assert_eq!(told[..4], again);
    assert_eq!(told[4..], [NothingChanged, DefinitionTooEarly], "it was changed back, and then again");
    assert_eq!(replay(&cluster.config, ScanState::default(), &cluster.records), None);
}

#[test]
fn a_task_reconciled_by_itself_waits_by_itself() {
    let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
    cluster.scan(0, &["D"]);
    let define = |cluster: &mut Cluster, count, at| {
        cluster.task.activities[0].workers.as_mut().unwrap()[0].count = count;
        cluster.scan_failing(at, &["D"], false)
    };
    assert_eq!(define(&mut cluster, 3, HOUR + 1), LatchReason::DefinitionChanged);
    assert_eq!(define(&mut cluster, 4, HOUR + 2), LatchReason::DefinitionTooEarly, "an hour after its own");
    assert_eq!(cluster.state.last_of(&"t".into()), Some(Timestamp::from_millis(T0 + HOUR + 1)));
    assert_eq!(
        cluster.state.latch.last_reconciliation,
        Some(Timestamp::from_millis(T0)),
        "the latch is for all"
    );
    // A change of the nodes asks for the time that all tasks were reconciled.
    assert_eq!(cluster.scan_failing(HOUR + 3, &["D", "N"], false), LatchReason::NodesChanged);
    assert!(cluster.state.by_itself.is_empty());
}

#[test]
fn a_task_that_fails_again_and_again_is_tried_at_the_shortest_interval() {
    let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
    cluster.config.retry_failed = true;
    cluster.scan_failing(0, &["D"], true);
    let mut tries = 0;
    for minute in 1..=300 {
        tries += u32::from(cluster.scan_failing(minute * 60_000, &["D"], true) == LatchReason::FailedBefore);
    }
    assert_eq!(tries, 4, "at 61, 122, 183 and 244 minutes");
}

#[test]
fn the_workers_of_a_suspended_coordinator_wait_until_it_is_resumed() {
    let mut cluster = Cluster::new(0, 24 * HOUR, &["D"]);
    cluster.task.activities[0].is_suspended = true;
    cluster.scan(0, &["D"]);
    assert_eq!(cluster.scan(1, &["D", "N"]), (true, Some(false), 4));
    let state = |cluster: &Cluster| cluster.task.activities[0].current[3].state;
    assert_eq!(state(&cluster), WorkerState::Suspended);
    assert_eq!(cluster.scan_failing(2, &["D", "N"], false), LatchReason::NothingChanged);
    cluster.task.activities[0].is_suspended = false;
    assert_eq!(cluster.scan_failing(3, &["D", "N"], false), LatchReason::CoordinatorResumed);
    assert_eq!(state(&cluster), WorkerState::Ready);
    assert_eq!(cluster.scan_failing(4, &["D", "N"], false), LatchReason::NothingChanged);
    assert_eq!(replay(&cluster.config, ScanState::default(), &cluster.records), None);
}

#[test]
fn nodes_that_change_too_early_are_put_off_also_when_some_tasks_are_reconciled() {
    let resume = |cluster: &mut Cluster| cluster.task.activities[0].is_suspended = false;
    let finish = |cluster: &mut Cluster| {
        cluster.config.close_done = true;
        cluster.task.activities[0].is_work_complete = true;
    };
    type Befalls = fn(&mut Cluster);
    let cases: [(Befalls, LatchReason, LatchReason); 2] = [
        (resume, LatchReason::ResumedTooEarly, LatchReason::CoordinatorResumed),
        (finish, LatchReason::WorkDoneTooEarly, LatchReason::WorkDone),
    ];
    for (befalls, both, alone) in cases {
        for (nodes, expected) in [(&["D", "N"][..], both), (&["D"], alone)] {
            let mut cluster = Cluster::new(HOUR, 24 * HOUR, &["D"]);
            cluster.task.activities[0].is_suspended = true;
            cluster.scan(0, &["D"]);
            befalls(&mut cluster);
            let reason = cluster.scan_failing(1, nodes, false);
            assert_eq!(reason, expected);
            assert_eq!((reason.puts_off(), reason.reconciles_some()), (expected == both, true));
            assert_eq!(cluster.state.latch.pending, Some(expected == both), "told is what is stored");
            assert!(reason.sentence().starts_with(alone.sentence()));
            assert_eq!(reason.sentence().contains("put off"), reason.puts_off());
            let later = cluster.scan_failing(HOUR + 1, nodes, false);
            assert_eq!(later == LatchReason::PutOffBefore, expected == both);
            assert_eq!(replay(&cluster.config, ScanState::default(), &cluster.records), None);
        }
    }
}

#[test]
fn a_state_of_a_newer_release_is_refused_and_unknown_fields_are_kept() {
    let read = |text: &str| serde_json::from_str::<ScanState>(text).unwrap();
    assert_eq!(read("{}"), ScanState::default());
    assert_eq!(read("{\"schema\":2}").check(), Err("found 2, expected at most 1".to_owned()));
    let mut state = read("{\"schema\":1,\"new\":{\"a\":1}}");
    let record = ScanConfig::default().scan(&state, Timestamp::EPOCH, &Nodes::all_up(&["A"]), &[]);
    state.store(Timestamp::EPOCH, &[], &record, &BTreeSet::new());
    assert!(serde_json::to_string(&state).unwrap().contains("\"new\":{\"a\":1}"));
}

/// One recorded state of each release.
#[test]
fn the_recorded_state_of_this_release_is_read() {
    let text = include_str!("../../../tests/states/cluster-0.1.0.json");
    let state: ScanState = serde_json::from_str(text).unwrap();
    assert_eq!((state.check(), state.unknown.len()), (Ok(()), 0));
    assert_eq!(serde_json::to_value(&state).unwrap(), serde_json::from_str::<Value>(text).unwrap());
}
