//! Tests of the journal: its format, its reader, and what replays find.

use super::*;
use crate::controller::{FailureClass, GroupUpdate, Request, Update};
use crate::decision::{ActionId, ActionKind};
use crate::metrics::{MetricsSnapshot, Observation, QueueMetrics};
use crate::signals::TaskAdd;
use crate::spec::Spec;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "arn-of-a-secret-role";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn spec_json(algorithm: &str, config: Value) -> Value {
    json!({ "scaling_group_specs": { "orders": {
        "task_types": [2],
        "compute": { "provider_type": "aws-lambda", "config": { "arn": SECRET } },
        "scaling": { "scaling_algorithm": algorithm, "config": config },
    } } })
}

fn spec(algorithm: &str, config: Value) -> Spec {
    Spec::from_json(&spec_json(algorithm, config)).unwrap()
}

fn add() -> TaskAdd {
    serde_json::from_value(
        json!({ "task_queue_name": "q", "task_queue_type": 2, "no_sync_match_signals_batched": 1 }),
    )
    .unwrap()
}

fn backlog(count: i64) -> MetricsSnapshot {
    let queue = QueueMetrics { last_backlog_count: count, last_arrival_rate: 0.1, ..QueueMetrics::default() };
    MetricsSnapshot { activity: Some(queue), ..MetricsSnapshot::default() }
}

/// A controller that is recorded.
struct Recorded {
    controller: Controller,
    writer: JournalWriter<Vec<u8>>,
}

impl Recorded {
    fn start() -> Self {
        let version =
            WorkerDeploymentVersion { deployment_name: "shop".to_owned(), build_id: "7".to_owned() };
        let state = State::new(Some(spec("no-sync", json!({ "scale_up_cooloff_ms": 500 }))), at(0));
        let (controller, _) = Controller::start(version, Settings::default(), state, at(0));
        let writer = JournalWriter::begin(Vec::new(), &controller).unwrap();
        Self { controller, writer }
    }

    fn give(&mut self, t: Timestamp, input: Input) -> Step {
        let step = self.controller.handle(t, input.clone());
        self.writer.record(t, &input, &step).unwrap();
        step
    }

    fn request(&mut self, t: Timestamp, request: Request) -> Step {
        self.give(t, Input::Requested { request_id: "r".to_owned(), request: Box::new(request) })
    }

    fn text(self) -> String {
        String::from_utf8(self.writer.into_inner()).unwrap()
    }
}

/// A journal of signals, a poll, an observation and a failure.
fn sample() -> String {
    let mut run = Recorded::start();
    let invoke = run.give(at(1000), Input::TaskAdd(add()));
    let _ = run.give(at(1010), Input::TaskAdd(add()));
    let id = invoke.actions[0].id;
    let invoke = run.give(at(1200), Input::ActionFinished { id, result: Ok(()) });
    assert_eq!(invoke.actions, []);
    let _ = run.give(at(1900), Input::TaskAdd(add()));
    let id = ActionId(id.0 + 1);
    let _ = run.give(at(2000), Input::ActionFinished { id, result: Err(FailureClass::Throttled) });
    let poll = run.give(at(300_000), Input::WokeUp);
    let seen = Observation { ready: Some(1), ..Observation::default() };
    let _ = run.give(at(300_100), Input::Observation { group: "orders".into(), observation: seen });
    let _ = run.give(at(300_100), Input::Metrics { id: poll.actions[0].id, result: Ok(backlog(3)) });
    run.text()
}

fn records(journal: &str, piece: usize) -> Result<Vec<Record>, JournalError> {
    let mut reader = JournalReader::new();
    let mut records = Vec::new();
    for bytes in journal.as_bytes().chunks(piece) {
        reader.feed(bytes, |record| records.push(record))?;
    }
    reader.finish(|record| records.push(record))?;
    Ok(records)
}

fn error(journal: &str) -> JournalError {
    records(journal, 1000).unwrap_err()
}

#[test]
fn lines_have_the_documented_form() {
    let journal = sample();
    let lines: Vec<&str> = journal.lines().collect();
    let header =
        format!(r#"{{"journal":1,"core":"{}","version":{{"deployment_name":"#, env!("CARGO_PKG_VERSION"));
    assert!(lines[0].starts_with(&header), "{}", lines[0]);
    assert!(lines[1].starts_with(r#"{"n":1,"t":1700000001000,"input":{"task_add":{"#), "{}", lines[1]);
    let mut step = serde_json::from_str::<Value>(lines[1]).unwrap()["step"].take();
    assert!(step["decisions"][0]["inputs"].take().is_object());
    let decision = json!({
        "group": "orders", "algorithm": "no-sync", "rule": "no_sync_match", "inputs": null,
        "recommended_workers": 1, "desired_workers": 1, "limit": null, "action_id": 1,
    });
    let expected = json!({
        "actions": [{ "id": 1, "invoke_worker": { "group": "orders", "count": 1 } }],
        "decisions": [decision],
        "wake_at": 1_700_000_300_000_i64,
    });
    assert_eq!(step, expected);
    let inputs: Vec<Value> =
        lines[1..].iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["input"].clone()).collect();
    assert_eq!(inputs[2], json!({ "action_finished": { "id": 1, "result": { "ok": null } } }));
    assert_eq!(inputs[4], json!({ "action_finished": { "id": 2, "result": { "err": "throttled" } } }));
    assert_eq!(inputs[5], json!("woke_up"));
    assert_eq!(inputs[6], json!({ "observation": { "group": "orders", "observation": { "ready": 1 } } }));
    assert_eq!(inputs[7]["metrics"]["result"]["ok"]["activity"]["last_backlog_count"], json!(3));
}

#[test]
fn a_journal_is_read_in_pieces_of_any_size() {
    let journal = sample();
    let whole = records(&journal, journal.len()).unwrap();
    assert_eq!(whole.len(), journal.lines().count());
    for piece in [1, 2, 7, 100, 4096] {
        assert_eq!(records(&journal, piece).unwrap(), whole);
    }
    assert_eq!(records(journal.trim_end(), 50).unwrap(), whole, "the last line break may be missing");
    assert_eq!(records(&journal.replace('\n', "\r\n"), 50).unwrap(), whole);
}

#[test]
fn what_is_read_is_written_again_byte_for_byte() {
    let journal = sample();
    let write = |record: &Record| match record {
        Record::Header(header) => serde_json::to_string(header).unwrap(),
        Record::Entry(entry) => serde_json::to_string(entry).unwrap(),
    };
    let again: Vec<String> = records(&journal, 64).unwrap().iter().map(write).collect();
    assert_eq!(again, journal.lines().collect::<Vec<_>>());
}

#[test]
fn errors_name_the_line_and_what_is_wrong() {
    let journal = sample();
    let lines: Vec<&str> = journal.lines().collect();
    let broken = format!("{}\n{}\n{{\"n\":2\n", lines[0], lines[1]);
    assert_eq!(error(&broken).line, 3);
    let gap = format!("{}\n{}\n{}\n", lines[0], lines[1], lines[3]);
    assert_eq!(error(&gap).to_string(), "journal line 3: found entry 3, expected entry 2: lines are missing");
    let headless = error(lines[1]);
    assert!(headless.line == 1 && headless.what.contains("header"), "{headless}");
    assert_eq!(error("").what, "found the end, expected a header");
    let later = lines[0].replace("\"journal\":1", "\"journal\":2");
    assert_eq!(error(&later).what, "found format 2, this release reads up to 1");
    let unknown = format!("{}\n{}\n", lines[0], lines[1].replace("task_add", "task_subtract"));
    assert!(error(&unknown).what.contains("task_subtract"), "{}", error(&unknown));
}

#[test]
fn a_header_may_lack_what_has_defaults() {
    let header = r#"{"journal":1,"core":"0.0.1","version":{"deployment_name":"d","build_id":"b"}}"#;
    let [Record::Header(header)] = &records(header, 10).unwrap()[..] else { panic!("no header") };
    assert_eq!((&header.settings, &header.state), (&Settings::default(), &State::default()));
}

#[test]
fn a_replay_makes_every_step_again() {
    let replayed = replay(sample().as_bytes()).unwrap();
    assert_eq!((replayed.entries, replayed.different_steps), (8, 0));
    assert!(replayed.decisions >= 4);
}

#[test]
fn a_replay_finds_a_step_that_came_out_differently() {
    let journal = sample().replacen(
        r#""invoke_worker":{"group":"orders","count":1}"#,
        r#""invoke_worker":{"group":"orders","count":2}"#,
        1,
    );
    let replayed = replay(journal.as_bytes()).unwrap();
    assert_eq!((replayed.different_steps, replayed.differences[0].n), (1, 1));
    let counts: Vec<_> = [&replayed.differences[0].recorded, &replayed.differences[0].replayed]
        .into_iter()
        .map(|step| match step.actions[0].kind {
            ActionKind::InvokeWorker { count, .. } => count,
            _ => 0,
        })
        .collect();
    assert_eq!(counts, [2, 1]);
}

#[test]
fn joined_journals_replay_one_run_after_the_other() {
    let joined = sample() + &sample();
    let replayed = replay(joined.as_bytes()).unwrap();
    assert_eq!((replayed.entries, replayed.different_steps), (16, 0));
}

/// Updates of all kinds: valid ones, masked ones, invalid ones.
fn journal_of_updates() -> String {
    let mut run = Recorded::start();
    let group = |config: Value| json!({ "compute": { "provider_type": "aws-lambda", "config": config } });
    let upsert = |config: Value| {
        let update_mask = vec!["provider.details".to_owned()];
        let change = GroupUpdate { spec: group(config), update_mask };
        Update { upsert_scaling_groups: [("orders".to_owned(), change)].into(), ..Update::default() }
    };
    let whole = |spec: Value| Update { spec: Some(spec), ..Update::default() };
    let secret = |suffix: &str| json!({ "arn": format!("{SECRET}{suffix}") });
    for update in [
        whole(spec_json("no-sync", json!({}))),
        upsert(secret("-2")),
        upsert(secret("-2")),
        upsert(json!({ "arm": SECRET })),
        whole(json!({ "scaling_group_specs": { "x": group(json!([SECRET])) } })),
    ] {
        let _ = run.request(at(500), Request::Validate(update.clone()));
        let check = run.request(at(1000), Request::Update(update));
        let ActionKind::CheckSpec { .. } = check.actions[0].kind else { continue };
        let validated = ActionId(check.actions[0].id.0 - 1);
        let _ = run.give(at(1100), Input::SpecChecked { id: validated, result: Ok(()) });
        let register = run.give(at(1200), Input::SpecChecked { id: check.actions[0].id, result: Ok(()) });
        let id = register.actions[0].id;
        let stored = run.give(at(1300), Input::Registered { id, result: Ok(vec!["orders".into()]) });
        assert!(matches!(stored.actions[0].kind, ActionKind::Answer { .. }));
    }
    run.text()
}

#[test]
fn no_configuration_of_a_provider_reaches_a_journal() {
    let journal = journal_of_updates();
    assert!(journal.contains("config_hash"));
    assert!(!journal.contains(SECRET));
    assert!(!sample().contains(SECRET));
}

#[test]
fn updates_replay_without_the_configurations() {
    let journal = journal_of_updates();
    let replayed = replay(journal.as_bytes()).unwrap();
    assert_eq!(replayed.differences, []);
    assert!(journal.contains("not recorded"), "an invalid change is left out");
}

#[test]
fn a_spec_that_cannot_be_read_stays_out_of_the_header() {
    let value =
        json!({ "spec": { "of_a_later_release": SECRET }, "unknown": SECRET, "wci": { "more": SECRET } });
    let state: State = serde_json::from_value(value).unwrap();
    let controller = Controller::resume(WorkerDeploymentVersion::default(), Settings::default(), state);
    let header = serde_json::to_string(&Header::of(&controller)).unwrap();
    assert!(!header.contains(SECRET), "{header}");
}

#[test]
fn another_spec_decides_differently_on_the_same_inputs() {
    let same = replay_with_spec(sample().as_bytes(), &spec("no-sync", json!({ "scale_up_cooloff_ms": 500 })))
        .unwrap();
    let wishes = |decisions: &[crate::decision::Decision]| {
        decisions.iter().map(|decision| decision.action_id.is_some()).collect::<Vec<_>>()
    };
    assert!(!same.is_empty());
    for step in same.iter().filter(|step| step.n != 2 && step.n != 3) {
        assert_eq!(wishes(&step.recorded), wishes(&step.other), "entry {}", step.n);
    }
    let slow = replay_with_spec(
        sample().as_bytes(),
        &spec("no-sync", json!({ "scale_up_cooloff_ms": 60_000, "metrics_poll_interval_ms": 60_000 })),
    )
    .unwrap();
    let invoked = |steps: &[OpenLoopStep]| {
        steps.iter().flat_map(|step| &step.other).filter(|decision| decision.action_id.is_some()).count()
    };
    assert_eq!((invoked(&same), invoked(&slow)), (3, 2));
}

#[test]
fn another_kind_of_spec_sees_signals_statistics_and_deferred_statistics() {
    let sized = json!({ "scaling_group_specs": { "set": {
        "compute": { "provider_type": "k8s" },
        "scaling": { "scaling_algorithm": "rate-based", "config": { "initial_count": 2 } },
    } } });
    let steps = replay_with_spec(sample().as_bytes(), &Spec::from_json(&sized).unwrap()).unwrap();
    let rules: Vec<_> =
        steps.iter().flat_map(|step| &step.other).map(|d| (&*d.group, d.reason.rule.code())).collect();
    assert!(rules.iter().all(|(group, _)| *group == "set"));
    let of = |rule: crate::decision::Rule| rules.iter().filter(|(_, code)| *code == rule.code()).count();
    assert_eq!(of(crate::decision::Rule::NoSyncMatch), 3);
    assert_eq!(
        of(crate::decision::Rule::CapacityMeasured) + of(crate::decision::Rule::CapacityUnknown),
        1,
        "the deferred decision sees the next recorded statistics"
    );
}

/// A spec whose group defers a decision with each signal.
fn deferring() -> Value {
    let config = json!({ "initial_count": 2, "max_count": 2 });
    json!({ "scaling_group_specs": { "set": {
        "compute": { "provider_type": "k8s" },
        "scaling": { "scaling_algorithm": "rate-based", "config": config },
    } } })
}

/// A journal of deferred decisions, on statistics read for them and on those of less than a second ago.
fn journal_of_deferred(settings: Settings) -> String {
    let state = State::new(Some(Spec::from_json(&deferring()).unwrap()), at(0));
    let (controller, _) = Controller::start(WorkerDeploymentVersion::default(), settings, state, at(0));
    let writer = JournalWriter::begin(Vec::new(), &controller).unwrap();
    let mut run = Recorded { controller, writer };
    let mut rate = 1.0;
    for t in [1000, 1600, 2400, 2700, 299_500, 300_000, 300_400, 302_000] {
        let input = if t == 300_000 { Input::WokeUp } else { Input::TaskAdd(add()) };
        let step = run.give(at(t), input);
        if let Some(fetch) = step.actions.first() {
            rate += 1.0;
            let queue = QueueMetrics { last_processing_rate: rate, ..QueueMetrics::default() };
            let read = MetricsSnapshot { activity: Some(queue), ..MetricsSnapshot::default() };
            let _ = run.give(at(t + 50), Input::Metrics { id: fetch.id, result: Ok(read) });
        }
    }
    run.text()
}

fn always_reading() -> Settings {
    Settings { deferred_metrics_max_age: crate::Millis::ZERO, ..Settings::default() }
}

fn fetches(journal: &str) -> usize {
    journal.matches(r#""fetch_metrics":{"why":{"deferred""#).count()
}

#[test]
fn deferred_decisions_replay_with_and_without_a_read() {
    let (reused, read) = (journal_of_deferred(Settings::default()), journal_of_deferred(always_reading()));
    assert_eq!((fetches(&reused), fetches(&read)), (4, 7));
    for journal in [reused, read] {
        assert_eq!(replay(journal.as_bytes()).unwrap().differences, []);
    }
}

#[test]
fn a_journal_from_before_statistics_were_reused_replays_equally() {
    let journal = journal_of_deferred(always_reading());
    let older = journal.replace(r#","deferred_metrics_max_age":0"#, "");
    assert!(older.len() < journal.len());
    let replayed = replay(older.as_bytes()).unwrap();
    assert_eq!((replayed.entries, replayed.differences), (16, vec![]));
}

#[test]
fn the_same_spec_decides_the_same_whether_a_recording_read_or_not() {
    for settings in [Settings::default(), always_reading()] {
        let journal = journal_of_deferred(settings);
        let steps = replay_with_spec(journal.as_bytes(), &Spec::from_json(&deferring()).unwrap()).unwrap();
        assert!(steps.len() >= 8);
        for step in steps {
            assert_eq!(step.other, step.recorded, "entry {}", step.n);
        }
    }
}

#[test]
fn a_further_run_under_other_settings_changes_how_the_other_spec_reads() {
    let older = journal_of_deferred(always_reading());
    let joined = older.clone() + &journal_of_deferred(Settings::default());
    let steps = replay_with_spec(joined.as_bytes(), &Spec::from_json(&deferring()).unwrap()).unwrap();
    let first = replay_with_spec(older.as_bytes(), &Spec::from_json(&deferring()).unwrap()).unwrap().len();
    let rules = |decisions: &[crate::decision::Decision]| {
        decisions.iter().map(|decision| decision.reason.rule).collect::<Vec<_>>()
    };
    for step in &steps[first..] {
        assert_eq!(rules(&step.other), rules(&step.recorded), "entry {}", step.n);
    }
}

/// The entry after a trip through JSON.
fn carried(input: Input) -> Input {
    let entry = Entry { n: 1, t: at(0), input, step: Step::default() };
    let read: Entry = serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
    read.input
}

proptest! {
    #[test]
    fn every_float_survives_the_round_trip(arrivals in any::<f32>(), mean in any::<f64>()) {
        let queue = QueueMetrics { last_arrival_rate: arrivals, ..QueueMetrics::default() };
        let metrics = MetricsSnapshot { nexus: Some(queue), ..MetricsSnapshot::default() };
        let Input::Metrics { result: Ok(read), .. } = carried(Input::Metrics { id: ActionId(1), result: Ok(metrics) })
        else { panic!("another input came back") };
        let read = read.nexus.unwrap().last_arrival_rate;
        prop_assert!(read.to_bits() == arrivals.to_bits() || (!read.is_finite() && !arrivals.is_finite()));

        let observation = Observation { mean_concurrency: Some(mean), ..Observation::default() };
        let Input::Observation { observation: read, .. } =
            carried(Input::Observation { group: "g".into(), observation })
        else { panic!("another input came back") };
        let expected = Some(mean).filter(|mean| mean.is_finite());
        prop_assert_eq!(read.mean_concurrency.map(f64::to_bits), expected.map(f64::to_bits));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..2000_usize) {
        let journal = sample();
        let mut damaged = journal.as_bytes().to_vec();
        let place = cut.min(damaged.len());
        damaged.splice(place..place, bytes);
        let _ = replay(&damaged);
    }
}
