//! A played run is the run of the command line: in slices, with hands, and from the scenario that comes out.

use toml::{Table, Value};
use wci_sim::driver::{Quiet, Simulation};
use wci_sim::scenario::{Scenario, Surroundings};
use wci_sim::trace::MemoryFiles;
use wci_wasm::{Player, Slice};

const SECOND: u64 = 1_000_000_000;

fn slice(until: u64) -> Slice {
    Slice { until, most_events: 777, to_action: false }
}

fn play(player: &mut Player, until: u64) {
    while !player.advance(slice(until)).unwrap() {}
}

fn preset(name: &str) -> Player {
    Player::new(&text_of(name), &format!("{name}.toml")).unwrap()
}

fn text_of(name: &str) -> String {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
    std::fs::read_to_string(format!("{scenarios}/{name}.toml")).unwrap()
}

/// The digest of a run in one go, as on the command line.
fn digest_of(toml: &str) -> String {
    let no_file = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let mut resolved = Scenario::from_toml(toml, "x.toml", &no_file).unwrap().resolve().unwrap();
    let around = Surroundings { files: &MemoryFiles::default(), variable: &|_| None };
    let sources = resolved.open_sources(resolved.model.seed, around).unwrap();
    Simulation::new(resolved.model, sources).run(&mut Quiet).unwrap().summary.digest
}

#[test]
fn a_run_in_slices_is_the_run_in_one_go() {
    for name in ["demo-no-sync", "demo-pid", "lambda-burst", "outage"] {
        let mut player = preset(name);
        play(&mut player, 7 * SECOND);
        player.view().unwrap();
        player.summary().unwrap();
        play(&mut player, u64::MAX);
        assert_eq!(player.summary().unwrap().digest, digest_of(&text_of(name)), "{name}");
    }
}

fn change(key: &str, value: &str) -> Table {
    Table::from_iter([(key.to_owned(), value.parse::<Value>().unwrap())])
}

#[test]
fn what_hands_did_is_in_the_scenario_and_gives_the_same_run() {
    // A later planned change must be made anew on top of what the hand set.
    let toml = text_of("demo-rate-based");
    let mut player = Player::new(&toml, "hands.toml").unwrap();
    play(&mut player, 100 * SECOND);
    let rate = change("arrival_rate", "{ workload = \"tasks\", rate = 9.0 }");
    let done = player.act(rate).unwrap();
    assert_eq!(done["at"].as_str(), Some("100001ms"));
    play(&mut player, 400 * SECOND);
    player.act(change("add_tasks", "{ workload = \"tasks\", count = 500 }")).unwrap();
    player.act(change("scaling", "{ group = \"workers\", config = { max_count = 7 } }")).unwrap();
    player
        .act(change("service", "{ workload = \"tasks\", times = { kind = \"exponential\", mean = \"1s\" } }"))
        .unwrap();
    play(&mut player, u64::MAX);
    let again = player.scenario().to_toml();
    assert_eq!(player.summary().unwrap().digest, digest_of(&again), "{again}");
    assert_ne!(player.summary().unwrap().digest, digest_of(&toml));
}

#[test]
fn a_change_that_makes_no_sense_is_refused_and_leaves_the_run_alone() {
    let mut player = preset("demo-no-sync");
    play(&mut player, SECOND);
    let before = player.scenario().to_toml();
    let error = player.act(change("add_tasks", "{ workload = \"nobody\", count = 1 }")).unwrap_err();
    assert!(error.to_string().contains("nobody"), "{error}");
    assert_eq!(player.scenario().to_toml(), before);
}

#[test]
fn a_jump_stops_at_the_next_decision_that_acts() {
    let mut player = preset("demo-no-sync");
    let jump = Slice { until: u64::MAX, most_events: 50, to_action: true };
    while !player.advance(jump).unwrap() {}
    let log: serde_json::Value = serde_json::from_str(&player.log().unwrap()).unwrap();
    let lines = log["lines"].as_array().unwrap();
    assert!(lines.last().unwrap()["acted"].as_bool().unwrap());
    assert_eq!(lines.iter().filter(|line| line["acted"] == true).count(), 1);
    assert!(lines[0]["why"].as_str().unwrap().starts_with("no-sync saw"));
}

#[test]
fn parameters_are_described_by_the_schema() {
    let player = preset("demo-no-sync");
    let paths = [
        "spec.scaling_group_specs.workers.scaling.config.scale_up_cooloff_ms",
        "group.workers.worker.lifetime",
        "workload.tasks.service.min",
        "workload.tasks.service.median",
    ];
    let controls = player.controls(&paths.map(str::to_owned));
    assert_eq!(controls.len(), 3, "uniform times have no median");
    let cooldown = &controls[0];
    assert_eq!((cooldown.kind, cooldown.minimum), ("integer", Some(0.0)));
    assert_eq!(cooldown.default, Some(100.0.into()));
    assert_eq!(controls[2].kind, "duration");
    // The one that pages fetch.
    let schema = include_str!("../../docs/simulators/pkg/schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let help = player.help(&paths.map(str::to_owned), &schema);
    assert!(help[..3].iter().all(|text| text.ends_with('.')), "{help:?}");
    assert_eq!(help[3], "");
}

#[test]
fn points_never_pass_their_limit_and_end_with_the_run() {
    let mut player = preset("demo-no-sync");
    play(&mut player, u64::MAX);
    let end = player.view().unwrap().t_ms / 1000.0;
    let points = player.points(None).unwrap();
    let last = points.chunks(wci_wasm::COLUMNS.len()).next_back().unwrap();
    assert!((last[0] - end).abs() < 1.0, "{} {end}", last[0]);
    assert!(points.len() <= 10_000 * wci_wasm::COLUMNS.len());
}

#[test]
fn a_dropped_trace_replaces_the_arrivals() {
    let mut player = preset("demo-no-sync");
    player.add_file("week.csv", b"timestamp,duration\n0,1\n5,2\n9.5,0.5\n".to_vec());
    player.replay_trace("week.csv", "csv").unwrap();
    play(&mut player, u64::MAX);
    assert_eq!(player.summary().unwrap().total.tasks.completed, 3);
    let mut other = preset("demo-no-sync");
    assert!(other.replay_trace("week.csv", "no-such-format").is_err());
    other.replay_trace("week.csv", "csv").unwrap();
    assert!(other.begin().unwrap_err().to_string().contains("week.csv"), "a missing file is named");
}
