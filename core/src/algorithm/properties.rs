//! What holds for every algorithm whatever happens: seeded cases of arbitrary configurations, states, statistics
//! and clocks.

use super::{Algorithm, AlgorithmKind, Context, Verdict, Wish};
use crate::config::{ConfigMap, KeyKind};
use crate::metrics::{MetricsSnapshot, Observation, QueueMetrics, TaskQueueType};
use crate::signals::TaskAdd;
use crate::spec::{LaunchStrategy, WireTaskType};
use crate::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

const STATE_KEYS: [&str; 40] = [
    "worker_count",
    "ewma_arrival_rate",
    "ewma_dispatch_rate",
    "ewma_per_consumer_capacity",
    "last_scale_up_time_ms",
    "last_scale_down_time_ms",
    "last_no_sync_match_time_ms",
    "workflow_last_dispatch_rate",
    "activity_last_dispatch_rate",
    "nexus_last_dispatch_rate",
    "activity_dispatch_rate_within_epsilon_since_ms",
    "activity_suppress_scale_up_until_ms",
    "activity_dispatch_ref_rate",
    "workflow_dispatch_rate_within_epsilon_since_ms",
    "nexus_suppress_scale_up_until_ms",
    "backlog_empty_since_ms",
    "error_integral",
    "last_error",
    "last_control_time_ms",
    "dispatch_rates_by_worker_count",
    "recommended_workers",
    "worker_count_changes",
    "last_activity_check_time_ms",
    "last_active_time_ms",
    "concurrency_by_tick",
    "last_panic_time_ms",
    "panic_worker_count",
    "idle_since_ms",
    "slots_per_worker",
    "part_number",
    "part_mean",
    "part_look_count",
    "utilization_by_period",
    "worker_count_before_scale_up",
    "needed_workers",
    "cost_by_worker_count",
    "arrival_rate_by_part",
    "profile_offset_rate",
    "unknown",
    "",
];

fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..200_i64).prop_map(Value::from),
        (0..200_000_i64).prop_map(Value::from),
        (0.0..5.0).prop_map(|f: f64| Value::from(f)),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => any_number(),
        2 => any_number().prop_map(|n| Value::from(n.to_string())),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => ".{0,8}".prop_map(Value::from),
        1 => prop::collection::vec(any_number(), 0..4).prop_map(Value::from),
        1 => prop::collection::vec(prop::collection::vec(any_number(), 1..4), 0..4).prop_map(|pairs| json!(pairs)),
        1 => prop::collection::btree_map("[0-9]{1,3}", prop::collection::vec(any_number(), 0..4), 0..4)
            .prop_map(|m| json!(m)),
    ]
}

fn any_state() -> impl Strategy<Value = ConfigMap> {
    let key = prop::sample::select(STATE_KEYS.as_slice()).prop_map(str::to_owned);
    prop::collection::btree_map(key, any_json(), 0..8).prop_map(|m| m.into_iter().collect())
}

/// A configuration with plausible values of some documented keys.
fn any_config(kind: AlgorithmKind) -> impl Strategy<Value = ConfigMap> {
    let key = prop::sample::select(kind.config_schema());
    prop::collection::vec((key, 0..40_i32, 0.0..1.2_f64), 0..6).prop_map(|entries| {
        let value = |doc: &crate::config::KeyDoc, n: i32, f: f64| match doc.kind {
            KeyKind::Integer if doc.unit == "ms" => json!(i64::from(n) * 3_000),
            KeyKind::Integer => json!(n),
            _ => json!(f),
        };
        entries.into_iter().map(|(doc, n, f)| (doc.key.to_owned(), value(&doc, n, f))).collect()
    })
}

fn any_queue() -> impl Strategy<Value = Option<QueueMetrics>> {
    let backlog = prop_oneof![3 => 0..200_i64, 1 => Just(0), 1 => any::<i64>()];
    let rate = || prop_oneof![4 => 0.0..50.0_f32, 1 => Just(0.0_f32), 1 => any::<f32>()];
    prop::option::weighted(
        0.8,
        (backlog, rate(), rate()).prop_map(
            |(last_backlog_count, last_arrival_rate, last_processing_rate)| QueueMetrics {
                last_backlog_count,
                last_arrival_rate,
                last_processing_rate,
                ..QueueMetrics::default()
            },
        ),
    )
}

#[derive(Clone, Debug)]
enum Event {
    Started,
    Added { task_type: TaskQueueType, is_sync_match: bool, no_sync: u32, rate_limited: u32 },
    Polled(MetricsSnapshot),
    Deferred(MetricsSnapshot),
    Observed(Observation),
    Registered,
}

fn any_snapshot() -> impl Strategy<Value = MetricsSnapshot> {
    (any_queue(), any_queue(), any_queue()).prop_map(|(workflow, activity, nexus)| MetricsSnapshot {
        workflow,
        activity,
        nexus,
    })
}

fn any_observation() -> impl Strategy<Value = Observation> {
    let count = || prop_oneof![6 => prop::option::of(0..50_u32), 1 => any::<Option<u32>>()];
    let mean = prop_oneof![4 => (0.0..100.0_f64).prop_map(Some), 1 => any::<Option<f64>>()];
    let backlog = prop_oneof![4 => (0..100_i64).prop_map(Some), 1 => any::<Option<i64>>()];
    let ready = any::<Option<u32>>().prop_map(|ready| ready.map(|ready| ready % 50));
    let parts = (ready, prop::option::of(0..9_u32), count(), count(), count(), backlog, mean);
    parts.prop_map(|(ready, starting, busy_slots, slots, running, backlog_count, mean_concurrency)| {
        Observation {
            ready,
            starting,
            draining: None,
            busy_slots,
            slots,
            running,
            backlog_count,
            mean_concurrency,
        }
    })
}

fn any_event() -> impl Strategy<Value = (i64, Event)> {
    let task_type = prop::sample::select(TaskQueueType::ALL.as_slice());
    let event = prop_oneof![
        1 => Just(Event::Started),
        4 => (task_type, any::<bool>(), prop_oneof![0..4_u32, any::<u32>()], 0..2_u32).prop_map(
            |(task_type, is_sync_match, no_sync, rate_limited)| Event::Added { task_type, is_sync_match, no_sync, rate_limited }
        ),
        6 => any_snapshot().prop_map(Event::Polled),
        2 => any_snapshot().prop_map(Event::Deferred),
        3 => any_observation().prop_map(Event::Observed),
        1 => Just(Event::Registered),
    ];
    let passes = prop_oneof![6 => 0..120_000_i64, 1 => -100_000..0_i64, 1 => any::<i64>()];
    (passes, event)
}

#[derive(Clone, Debug)]
struct Case {
    kind: AlgorithmKind,
    strategy: LaunchStrategy,
    config: ConfigMap,
    state: ConfigMap,
    events: Vec<(i64, Event)>,
}

fn any_case() -> impl Strategy<Value = Case> {
    prop::sample::select(AlgorithmKind::ALL).prop_flat_map(|kind| {
        let strategy = prop::sample::select(kind.launch_strategies());
        let events = prop::collection::vec(any_event(), 1..40);
        (strategy, any_config(kind), any_state(), events)
            .prop_map(move |(strategy, config, state, events)| Case { kind, strategy, config, state, events })
    })
}

fn happen(rule: &mut Algorithm, context: Context<'_>, event: &Event) -> Verdict {
    match event {
        Event::Started => rule.on_started(context),
        Event::Added { task_type, is_sync_match, no_sync, rate_limited } => {
            let add = TaskAdd {
                task_queue_name: "".into(),
                task_queue_type: WireTaskType(*task_type),
                is_sync_match: *is_sync_match,
                sync_match_signals_batched: 0,
                no_sync_match_signals_batched: *no_sync,
                rate_limited_signals_batched: *rate_limited,
            };
            let verdict = rule.on_task_added(context, &add);
            assert!(add.is_eligible() || verdict == Verdict::NOTHING);
            verdict
        }
        Event::Polled(metrics) => {
            let verdict = rule.on_metrics(context, metrics);
            assert!(verdict.reason.is_some());
            verdict
        }
        Event::Deferred(metrics) => rule.on_deferred_metrics(context, metrics),
        Event::Observed(..) => Verdict::NOTHING,
        Event::Registered => {
            rule.registration(context.strategy);
            Verdict::NOTHING
        }
    }
}

/// What the limits promise for one verdict.
fn check(case: &Case, before: Option<u32>, verdict: &Verdict) {
    let number = |key: &str| case.config.get(key).and_then(Value::as_u64).map(|n| u32::try_from(n).unwrap());
    let documented = |key: &str| {
        let doc = case.kind.config_schema().iter().find(|doc| doc.key == key)?;
        number(key).or(doc.default.map(|d| d as u32))
    };
    let (min, max) = (documented("min_count"), documented("max_count"));
    match (verdict.wish, before) {
        (Wish::Workers(size), Some(before)) if size > before => {
            assert!(max.is_none_or(|max| size <= max), "{size} is above {max:?}");
            let step = documented("max_scale_up_step");
            assert!(
                step.is_none_or(|step| size - before <= step),
                "from {before} to {size} is above {step:?}"
            );
        }
        (Wish::Workers(size), Some(before)) if size < before => {
            assert!(min.is_none_or(|min| size >= min), "{size} is below {min:?}");
        }
        (Wish::MoreWorkers(more), before) => {
            assert_eq!(case.strategy, LaunchStrategy::Invoke);
            assert!(more > 0);
            let after = before.map(|before| before.saturating_add(more));
            assert!(
                max.is_none_or(|max| after.is_none_or(|after| after <= max)),
                "{after:?} is above {max:?}"
            );
        }
        _ => {}
    }
    let numbers = verdict.reason.iter().flat_map(|reason| &reason.inputs);
    assert!(numbers.into_iter().all(|(_, value)| value.is_finite()));
    if let Some(reason) = &verdict.reason {
        let names: std::collections::BTreeSet<_> = reason.inputs.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), reason.inputs.len(), "each number has a name of its own: {reason:?}");
        assert!(reason.explain(case.kind.name()).starts_with("Why: "));
    }
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(f64::is_finite),
        Value::Array(items) => items.iter().all(is_finite),
        Value::Object(map) => map.values().all(is_finite),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_limits_hold_and_states_survive(case in any_case()) {
        let Ok(mut rule) = Algorithm::new(case.kind, &case.config, &case.state) else { return Ok(()) };
        let mut now: i64 = 1_700_000_000_000;
        let mut observation = Observation::default();
        for (passes, event) in &case.events {
            now = now.saturating_add(*passes);
            if let Event::Observed(seen) = event {
                observation = *seen;
            }
            let context = Context { now: Timestamp::from_millis(now), strategy: case.strategy, observation: &observation };
            let mut resumed = Algorithm::new(case.kind, &case.config, &rule.state()).unwrap();
            // A poll looks at what the host sees before it decides.
            let polled = matches!(event, Event::Polled(_) | Event::Started);
            let observed = if polled && case.strategy == LaunchStrategy::Invoke { observation.workers() } else { None };
            let before = observed.or(rule.planned());
            let verdict = happen(&mut rule, context, event);
            prop_assert_eq!(&verdict, &happen(&mut resumed, context, event), "after a restart");
            prop_assert_eq!(rule.state(), resumed.state());
            prop_assert_eq!(rule.poll_interval(context.now), resumed.poll_interval(context.now));
            check(&case, before, &verdict);
            prop_assert!(rule.state().values().all(is_finite));
        }
    }

    #[test]
    fn arbitrary_configs_are_read_or_refused_by_key(
        kind in prop::sample::select(AlgorithmKind::ALL),
        config in prop::collection::btree_map("[a-z_]{0,12}|max_count|scale_up_cooldown_ms|scale_up_cooloff_ms|kp|count", any_json(), 0..4),
    ) {
        let config: ConfigMap = config.into_iter().collect();
        if let Err(error) = Algorithm::new(kind, &config, &ConfigMap::new()) {
            let known = kind.config_schema().iter().any(|doc| doc.key == error.key);
            prop_assert!(known || config.contains_key(&error.key));
        }
    }
}
