//! What holds for every algorithm.

use super::testing::{Rig, activity, map};
use super::{Algorithm, AlgorithmKind, Wish, config_schema, to_launch};
use crate::config::{ConfigMap, KeyKind};
use crate::decision::Launch;
use crate::spec::LaunchStrategy::{Invoke, WorkerSet};
use serde_json::{Value, json};

#[test]
fn every_name_is_the_serde_name_and_reads_back() {
    for kind in AlgorithmKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.name()));
        assert_eq!(AlgorithmKind::from_name(kind.name()), Some(*kind));
    }
    assert_eq!(AlgorithmKind::from_name("No-Sync"), None);
}

#[test]
fn every_default_is_valid() {
    for kind in AlgorithmKind::ALL {
        let rule = Algorithm::with_defaults(*kind, &ConfigMap::new());
        assert_eq!((rule.kind(), rule.state()), (*kind, ConfigMap::new()));
    }
}

#[test]
fn the_documented_defaults_written_out_change_nothing() {
    for kind in AlgorithmKind::ALL {
        // The keys of the confirmed form make another rule of no-sync, so there they are left out.
        let keys = config_schema(*kind).iter().filter(|doc| !doc.help.starts_with("Confirmed form"));
        let written: ConfigMap = keys.map(|doc| (doc.key.to_owned(), doc.default.into())).collect();
        let rule = Algorithm::new(*kind, &written, &ConfigMap::new()).unwrap();
        assert_eq!(rule, Algorithm::with_defaults(*kind, &ConfigMap::new()), "{}", kind.name());
    }
}

#[test]
fn every_documented_limit_is_the_one_that_is_kept() {
    for kind in AlgorithmKind::ALL {
        for doc in config_schema(*kind) {
            assert!(!doc.help.is_empty() && doc.default.is_some(), "{}", doc.key);
            let step = if doc.kind == KeyKind::Integer { 1.0 } else { 1e-9 };
            let below = doc.minimum.map(|m| if doc.is_minimum_excluded { m } else { m - step });
            for value in [below, doc.maximum.map(|m| m + step)].into_iter().flatten() {
                let config = map(json!({doc.key: value}));
                let error = Algorithm::new(*kind, &config, &ConfigMap::new()).unwrap_err();
                assert_eq!(error.key, doc.key, "{value}");
            }
        }
    }
}

#[test]
fn every_key_refuses_what_is_no_number() {
    for kind in AlgorithmKind::ALL {
        for doc in config_schema(*kind) {
            let refused =
                [json!(true), json!([]), json!({}), json!("x"), json!(""), json!(" 1"), json!("1e999")];
            for value in refused {
                let config = map(json!({doc.key: value.clone()}));
                let error = Algorithm::new(*kind, &config, &ConfigMap::new()).unwrap_err();
                assert_eq!(error.key, doc.key, "{value}");
                assert_eq!(error.found, value.to_string());
            }
        }
    }
}

#[test]
fn every_default_interval_is_at_least_what_is_declared() {
    for kind in AlgorithmKind::ALL {
        let rig = Rig::new(*kind, json!({}), json!({}));
        let declared = kind.needs(rig.strategy).shortest_poll.get();
        assert!(rig.interval(0) >= declared, "{}", kind.name());
    }
}

#[test]
fn only_workers_that_end_by_themselves_and_use_of_slots_have_to_be_observed() {
    use AlgorithmKind::{DelayedOff, Hpa, Kpa, Lcp, TargetTracking};
    for kind in AlgorithmKind::ALL {
        let goes_by_use = [DelayedOff, Hpa, Kpa, Lcp, TargetTracking].contains(kind);
        assert_eq!(kind.needs(WorkerSet).observation, goes_by_use, "{}", kind.name());
    }
    assert!(AlgorithmKind::Backlog.needs(Invoke).observation);
    assert!(!AlgorithmKind::NoSync.needs(Invoke).observation);
}

#[test]
fn registration_on_an_invoke_provider_is_one_invocation_and_no_plan() {
    for kind in AlgorithmKind::ALL {
        let mut rule = Algorithm::with_defaults(*kind, &ConfigMap::new());
        assert_eq!(rule.registration(Invoke), Launch::InvokeWorker(1));
        assert_eq!(rule.state(), ConfigMap::new());
    }
}

#[test]
fn a_wish_becomes_the_launch_of_its_strategy() {
    assert_eq!(to_launch(Wish::Nothing, Invoke, 3), None);
    assert_eq!(to_launch(Wish::MoreWorkers(0), Invoke, 3), None);
    assert_eq!(to_launch(Wish::MoreWorkers(2), Invoke, 3), Some(Launch::InvokeWorker(2)));
    assert_eq!(to_launch(Wish::MoreWorkers(2), WorkerSet, 3), Some(Launch::SetWorkerSetSize(5)));
    assert_eq!(to_launch(Wish::Workers(2), WorkerSet, 3), Some(Launch::SetWorkerSetSize(2)));
    assert_eq!(to_launch(Wish::Workers(5), Invoke, 3), Some(Launch::InvokeWorker(2)));
    assert_eq!(to_launch(Wish::Workers(3), Invoke, 3), None);
    assert_eq!(to_launch(Wish::Workers(2), Invoke, 3), None);
}

#[test]
fn whole_numbers_of_a_state_go_out_without_a_point() {
    let mut rig = Rig::new(AlgorithmKind::NoSync, json!({}), json!({}));
    for (rate, written) in [(2.0, "2"), (0.5, "0.5"), (-0.0, "-0.0"), (1e20, "100000000000000000000.0")] {
        rig.poll(0, &activity(0, 0.0, rate));
        let slot = rig.slot("activity_last_dispatch_rate");
        assert_eq!(slot.as_f64(), Some(f64::from(rate)));
        if rate < 1e20 {
            assert_eq!(slot.to_string(), written);
        }
        let again = Rig::new(AlgorithmKind::NoSync, json!({}), rig.state());
        assert_eq!(again.state(), rig.state());
    }
    let _: Value = rig.state();
}

#[test]
fn the_baselines_poll_no_more_often_than_their_originals_look() {
    let shortest = |kind: AlgorithmKind| kind.needs(WorkerSet).shortest_poll.get();
    assert_eq!(shortest(AlgorithmKind::Kpa), 2_000);
    assert_eq!(shortest(AlgorithmKind::Hpa), 15_000);
    assert_eq!(shortest(AlgorithmKind::Keda), 15_000);
}

/// What the originals document, as their pages under docs/algorithms cite it, and ours where theory has no default.
#[test]
fn the_defaults_of_the_baselines_are_those_of_their_pages() {
    use AlgorithmKind::{DelayedOff, Hpa, Keda, Kpa, Lcp, Seasonal, TargetTracking};
    let published: [(AlgorithmKind, &[(&str, f64)]); 7] = [
        (DelayedOff, &[("break_even_ms", 60_000.0)]),
        (Lcp, &[("switching_cost_s", 60.0), ("waiting_weight", 1.0), ("metrics_poll_interval_ms", 10_000.0)]),
        (Seasonal, &[("season_weight", 0.3), ("offset_weight", 0.3), ("halfin_whitt_beta", 0.5)]),
        (
            Keda,
            &[
                ("polling_interval_ms", 30_000.0),
                ("cooldown_ms", 300_000.0),
                ("max_count", 100.0),
                ("min_count", 0.0),
                ("target_queue_size", 5.0),
                ("activation_target_queue_size", 0.0),
                ("tolerance", 0.1),
                ("scale_down_stabilization_ms", 300_000.0),
                ("scale_up_workers_per_period", 4.0),
                ("scale_up_pct_per_period", 100.0),
                ("scale_up_period_ms", 15_000.0),
                ("metrics_poll_interval_ms", 15_000.0),
            ],
        ),
        (
            Hpa,
            &[
                ("min_count", 1.0),
                ("target_utilization", 0.8),
                ("tolerance", 0.1),
                ("scale_down_stabilization_ms", 300_000.0),
                ("scale_up_workers_per_period", 4.0),
                ("scale_up_pct_per_period", 100.0),
                ("scale_up_period_ms", 15_000.0),
                ("metrics_poll_interval_ms", 15_000.0),
            ],
        ),
        (
            Kpa,
            &[
                ("target_utilization", 0.7),
                ("stable_window_ms", 60_000.0),
                ("panic_window_pct", 10.0),
                ("panic_threshold_pct", 200.0),
                ("max_scale_up_rate", 1_000.0),
                ("max_scale_down_rate", 2.0),
                ("scale_to_zero_grace_ms", 30_000.0),
                ("metrics_poll_interval_ms", 2_000.0),
            ],
        ),
        (
            TargetTracking,
            &[
                ("period_ms", 60_000.0),
                ("scale_out_periods", 3.0),
                ("scale_in_periods", 15.0),
                ("scale_in_threshold_pct", 90.0),
                ("scale_up_cooldown_ms", 300_000.0),
                ("scale_down_cooldown_ms", 300_000.0),
            ],
        ),
    ];
    for (kind, keys) in published {
        for (key, value) in keys {
            let doc = config_schema(kind).iter().find(|doc| doc.key == *key);
            assert_eq!(doc.and_then(|doc| doc.default), Some(*value), "{}: {key}", kind.name());
        }
    }
}

#[test]
fn every_key_of_an_interval_allows_what_is_declared() {
    for kind in AlgorithmKind::ALL {
        let doc = config_schema(*kind).iter().find(|doc| doc.key == "metrics_poll_interval_ms");
        let declared = kind.needs(kind.launch_strategies()[0]).shortest_poll.as_f64();
        let is_original = kind.name().starts_with("no-sync") || kind.name() == "rate-based";
        assert!(is_original || doc.is_none_or(|doc| doc.minimum == Some(declared)), "{}", kind.name());
    }
}
