//! The files in `deploy/` fit the program: options exist, figures exist, the YAML is YAML.

use std::path::PathBuf;
use std::process::Command;
use wci_providers::serve::metrics::{Labels, Metrics};

fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// What the program says about a command.
fn help(command: &[&str]) -> String {
    let said =
        Command::new(env!("CARGO_BIN_EXE_wci-controller")).args(command).arg("--help").output().unwrap();
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn every_option_exists() {
    let (run, cluster) = (help(&["run"]), help(&["cluster", "run"]));
    let files = [
        ("Dockerfile", &run),
        ("kubernetes.yaml", &run),
        ("wci-controller.service", &run),
        ("cluster.yaml", &cluster),
    ];
    for (name, help) in files {
        let text = file(name);
        let options = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        let ours = ["--log-", "--metrics-", "--keda-", "--dynamic-", "--intake-", "--interval-", "--close-"];
        let options: Vec<_> =
            options.filter(|word| ours.iter().any(|start| word.starts_with(start))).collect();
        assert!(!options.is_empty(), "{name}");
        for option in options {
            assert!(help.contains(&format!("{option} ")), "{name}: {option}");
        }
    }
}

#[test]
fn the_dashboard_shows_figures_that_exist() {
    let (metrics, none) = (Metrics::default(), Labels::default());
    // A figure without a value is not written.
    let counters = [&metrics.signals, &metrics.scale_up, &metrics.scale_up_throttled, &metrics.operations];
    for counter in counters.into_iter().chain([&metrics.workflow_error, &metrics.task_match_error]) {
        counter.write(&none, |counter| counter.inc());
    }
    metrics.backlog_count.write(&none, |gauge| gauge.set(1));
    metrics.backlog_age.write(&none, |gauge| gauge.set(1.0));
    metrics.target_worker_count.write(&none, |gauge| gauge.set(1));
    metrics.stuck_count.write(&none, |gauge| gauge.set(1));
    metrics.latency.write(&none, |latency| latency.observe(1.0));
    let text = metrics.text();
    let dashboard = file("grafana-dashboard.json");
    let _: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    const PREFIX: &str = "worker_controller_instance_";
    let mut found = 0;
    for (at, _) in dashboard.match_indices(PREFIX) {
        let rest = &dashboard[at..];
        let name = &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap()];
        let family = name.trim_end_matches("_total").trim_end_matches("_bucket");
        assert!(text.contains(&format!("# HELP {family} ")), "{name}");
        found += 1;
    }
    assert!(found >= 9, "{found} figures");
}

#[cfg(feature = "kubernetes")]
#[test]
fn the_example_of_a_job_is_one() {
    let text = file("cluster.yaml");
    let map = text.split("\n---\n").last().unwrap();
    let job = wci_providers::cluster::Job::read(&serde_saphyr::from_str(map).unwrap()).unwrap();
    assert_eq!((job.name.as_str(), job.task.workers[0].count), ("recompute", 2));
}

#[test]
fn the_manifests_are_yaml_with_a_kind() {
    for name in ["kubernetes.yaml", "cluster.yaml"] {
        let text = file(name);
        let kinds: Vec<_> = text.lines().filter(|line| line.starts_with("kind: ")).collect();
        assert_eq!(text.split("\n---\n").count(), kinds.len(), "{name}");
    }
}
