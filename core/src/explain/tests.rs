//! Explanations, read as a person would.

use crate::algorithm::AlgorithmKind::{
    self, Backlog, DelayedOff, Fixed, Hpa, Keda, Kpa, Lcp, NoSync, PeakRate, Pid, RateBased, Seasonal,
    TargetTracking,
};
use crate::algorithm::{Algorithm, Context};
use crate::config::ConfigMap;
use crate::decision::{Limit, Reason, Rule};
use crate::metrics::{MetricsSnapshot, Observation, QueueMetrics};
use crate::signals::TaskAdd;
use crate::time::Timestamp;
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000_000;

fn algorithm(kind: AlgorithmKind, config: Value, state: Value) -> Algorithm {
    let map = |value: Value| value.as_object().cloned().unwrap_or_else(ConfigMap::new);
    Algorithm::new(kind, &map(config), &map(state)).unwrap()
}

fn context(algorithm: &Algorithm) -> Context<'static> {
    const NOTHING: &Observation = &Observation {
        ready: None,
        starting: None,
        draining: None,
        busy_slots: None,
        slots: None,
        running: None,
        backlog_count: None,
        mean_concurrency: None,
    };
    let strategy = *algorithm.launch_strategies().last().unwrap();
    Context { now: Timestamp::from_millis(NOW), strategy, observation: NOTHING }
}

fn on_add(kind: AlgorithmKind, config: Value, state: Value) -> String {
    let mut algorithm = algorithm(kind, config, state);
    let add: TaskAdd =
        serde_json::from_value(json!({"task_queue_type": 2, "no_sync_match_signals_batched": 3})).unwrap();
    let verdict = algorithm.on_task_added(context(&algorithm), &add);
    verdict.reason.unwrap().explain(kind.name())
}

fn on_poll(kind: AlgorithmKind, config: Value, state: Value, backlog: i64, rate: f32) -> String {
    let mut algorithm = algorithm(kind, config, state);
    let queue = QueueMetrics {
        last_backlog_count: backlog,
        last_arrival_rate: rate,
        last_processing_rate: rate,
        ..QueueMetrics::default()
    };
    let metrics = MetricsSnapshot { activity: Some(queue), ..MetricsSnapshot::default() };
    let verdict = algorithm.on_metrics(context(&algorithm), &metrics);
    verdict.reason.unwrap().explain(kind.name())
}

#[test]
fn no_sync_reads_as_plain_sentences() {
    let ago = |ms: i64| json!({"last_scale_up_time_ms": NOW - ms, "worker_count": 2});
    let flat = json!({"last_scale_up_time_ms": 0, "activity_last_dispatch_rate": 2});
    let cases = [
        (
            on_add(NoSync, json!({}), ago(100)),
            "Why: no-sync saw 3 tasks that found no waiting worker. It starts one more worker.",
        ),
        (
            on_add(NoSync, json!({}), ago(40)),
            "Why: no-sync saw 3 tasks that found no waiting worker. It does not start one more worker, because only \
          40 ms of the cooldown of 100 ms have passed.",
        ),
        (
            on_poll(NoSync, json!({"scale_up_backlog_threshold": 5}), ago(60_000), 12, 1.0),
            "Why: no-sync saw a backlog of 12 activity tasks, above the threshold of 5. It starts one more worker.",
        ),
        (
            on_poll(NoSync, json!({"scale_up_dispatch_rate_epsilon": 0.5}), flat, 12, 2.25),
            "Why: no-sync saw a backlog of 12 activity tasks, above the threshold of 0. It does not start one more \
          worker, because the dispatch rate has moved by no more than 0.5 since the last poll.",
        ),
        (
            on_poll(NoSync, json!({"scale_up_backlog_threshold": 50}), ago(660_000), 12, 1.0),
            "Why: no-sync saw a backlog of 12 activity tasks 11 min after it last started a worker, whose lifetime is \
          10 min. It starts one more worker.",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text, expected);
    }
}

#[test]
fn rules_that_count_workers_read_as_plain_sentences() {
    let cases = [
        (
            on_poll(RateBased, json!({}), json!({"worker_count": 2}), 100, 20.0),
            "Why: rate-based saw 20 tasks/s arrive (average 20) and a backlog of 100; at 5.6 tasks/s a worker that is \
          work for 3.93 workers, and 5 with the safety margin. It goes from 2 to 5 workers.",
        ),
        (
            on_poll(
                RateBased,
                json!({}),
                json!({"worker_count": 2, "last_no_sync_match_time_ms": NOW - 20_000}),
                0,
                0.0,
            ),
            "Why: rate-based saw 0 tasks/s arrive (average 0) and a backlog of 0; at 2 tasks/s a worker that is work \
          for 0 workers, and 0 with the safety margin. It stays at 2 workers and does not go to 0, because a task \
          found no waiting worker 20 s ago, and 90 s of quiet are needed.",
        ),
        (
            on_poll(Backlog, json!({"max_count": 2}), json!({"worker_count": 2}), 7, 0.0),
            "Why: backlog saw 7 tasks wait, so no slot is free. It stays at 2 workers and does not go to 3, because \
          the maximum is 2.",
        ),
        (
            on_poll(Backlog, json!({"empty_backlog_ms": 0}), json!({"worker_count": 2}), 0, 0.0),
            "Why: backlog saw no task wait for 0 ms (enough: 0 ms). It goes from 2 to 1 workers.",
        ),
        (
            on_poll(Pid, json!({}), json!({"worker_count": 2}), 22, 0.0),
            "Why: pid saw a backlog of 22 where 2 are meant to wait; its control loop asks for 3 workers. It goes from \
          2 to 3 workers.",
        ),
        (
            on_poll(
                PeakRate,
                json!({}),
                json!({"worker_count": 2, "dispatch_rates_by_worker_count": {"1": [8]}}),
                0,
                1.0,
            ),
            "Why: peak-rate saw 1 tasks/s dispatched; one worker fewer has carried 8 tasks/s. It goes from 2 to 1 \
          workers.",
        ),
        (
            on_poll(Fixed, json!({"count": 4}), json!({}), 0, 0.0),
            "Why: fixed keeps 4 workers. It goes from 0 to 4 workers.",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text, expected);
    }
}

#[test]
fn no_change_reads_as_a_sentence_with_numbers_and_units() {
    let ago = |ms: i64| json!({"last_scale_up_time_ms": NOW - ms, "worker_count": 2});
    let cases = [
        (
            on_poll(NoSync, json!({"scale_up_backlog_threshold": 5}), ago(60_000), 0, 1.0),
            "Why: no-sync saw no task wait (more than 5 would start a worker). It starts no worker.",
        ),
        (
            on_poll(NoSync, json!({"scale_up_backlog_threshold": 5}), ago(60_000), 1, 1.0),
            "Why: no-sync saw a backlog of 1 activity task, not above the threshold of 5; it last started a worker \
          60 s ago, and replaces it after 10 min. It starts no worker.",
        ),
        (
            on_poll(RateBased, json!({}), json!({"worker_count": 0}), 0, 0.0),
            "Why: rate-based saw 0 tasks/s arrive (average 0) and a backlog of 0; at 2 tasks/s a worker that is work \
          for 0 workers, and 0 with the safety margin. It stays at 0 workers.",
        ),
        (
            on_poll(Backlog, json!({}), json!({"worker_count": 2}), 0, 1.0),
            "Why: backlog has seen no task wait for 0 ms; 30 s without any would remove a worker. It stays at 2 \
          workers.",
        ),
        (
            on_poll(
                PeakRate,
                json!({}),
                json!({"worker_count": 2, "dispatch_rates_by_worker_count": {"1": [8]}}),
                0,
                7.5,
            ),
            "Why: peak-rate saw 7.5 tasks/s dispatched, and fewer than 7.2 tasks/s would remove a worker. It stays at \
          2 workers.",
        ),
        (
            on_poll(PeakRate, json!({}), json!({"worker_count": 2}), 0, 7.5),
            "Why: peak-rate saw 7.5 tasks/s dispatched and a backlog of 0. It stays at 2 workers, because nothing is \
          known about the rate with one worker fewer.",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text, expected);
    }
}

#[test]
fn no_explanation_shows_the_key_of_a_record() {
    for kind in AlgorithmKind::ALL.iter().copied() {
        for (backlog, rate) in [(0, 0.0), (1, 1.0), (100, 20.0), (-1, 1.0)] {
            let text = on_poll(kind, json!({}), json!({}), backlog, rate);
            assert!(!text.contains('_') && !text.contains("unknown"), "{text}");
            let text = on_busy_poll(kind, json!({"worker_count": 3}));
            assert!(!text.contains('_') && !text.contains("unknown"), "{text}");
        }
    }
}

/// Two workers of two slots, all busy, with 40 more tasks waiting.
fn on_busy_poll(kind: AlgorithmKind, state: Value) -> String {
    let mut algorithm = algorithm(kind, json!({}), state);
    let observation = Observation {
        ready: Some(2),
        starting: Some(0),
        slots: Some(4),
        busy_slots: Some(4),
        mean_concurrency: Some(44.0),
        ..Observation::default()
    };
    let queue = QueueMetrics { last_backlog_count: 40, last_arrival_rate: 18.0, ..QueueMetrics::default() };
    let metrics = MetricsSnapshot { activity: Some(queue), ..MetricsSnapshot::default() };
    let context = Context { observation: &observation, ..context(&algorithm) };
    algorithm.on_metrics(context, &metrics).reason.unwrap().explain(kind.name())
}

#[test]
fn baselines_read_as_plain_sentences() {
    let two = || json!({"worker_count": 2});
    let cases = [
        (
            on_busy_poll(Hpa, two()),
            "Why: hpa saw 100 % of the slots busy where 80 % shall be. It goes from 2 to 3 workers.",
        ),
        (
            on_busy_poll(TargetTracking, two()),
            "Why: target-tracking saw 100 % of the slots busy where 75 % shall be (0 periods in a row above that, 0 \
          well below). It stays at 2 workers, because the measure has not been out of its range for enough periods in \
          a row.",
        ),
        (
            on_busy_poll(Keda, two()),
            "Why: keda saw a backlog of 40 where 5 tasks for each worker may wait. It goes from 2 to 6 workers, not to \
          8, because one action may add only so many workers.",
        ),
        (
            on_busy_poll(Keda, json!({})),
            "Why: keda saw a backlog of 40 and no worker. It goes from 0 to 1 workers.",
        ),
        (
            on_busy_poll(Kpa, two()),
            "Why: kpa is in panic mode and lately saw 44 tasks run and wait, where each of 2 ready workers shall have \
          1.4. It goes from 2 to 32 workers.",
        ),
        (
            on_busy_poll(DelayedOff, two()),
            "Why: delayed-off saw 44 tasks run and wait, work for 22 workers of 2 slots; it keeps what was needed \
          within the last 60 s. It goes from 2 to 22 workers.",
        ),
        (
            on_busy_poll(Seasonal, two()),
            "Why: seasonal saw 18 tasks/s arrive and a backlog of 40, and expects 18 tasks/s within 60 s; that is work \
          for 9.33 workers, and 11 with the safety margin. It goes from 2 to 11 workers.",
        ),
        (
            on_busy_poll(Lcp, two()),
            "Why: lcp saw 44 tasks run and wait on workers of 2 slots; as far as hindsight goes, 30 to 44 workers are \
          right. It goes from 2 to 30 workers.",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(text, expected);
    }
}

#[test]
fn a_size_that_is_set_again_starts_no_further_workers() {
    let text = Reason::new(Rule::SizeIssuedAgain).wishing(5, 5, None).explain("fixed");
    assert!(text.ends_with("It sets the size to 5 again."), "{text}");
}

#[test]
fn every_rule_and_limit_explains_itself_even_without_numbers() {
    for rule in Rule::ALL {
        for limit in Limit::ALL {
            let text = Reason::new(*rule).wishing(2, 1, Some(*limit)).explain("kpa");
            assert!(text.starts_with("Why: kpa ") && text.ends_with('.') && !text.contains(".."), "{text}");
        }
    }
}

#[test]
fn a_rule_without_words_of_its_own_shows_its_numbers() {
    let reason = Reason::new(Rule::RateLimited).with("backlog_count", 3.0);
    assert!(reason.explain("no-sync").ends_with("(backlog count 3)."), "{}", reason.explain("no-sync"));
}

#[test]
fn a_time_that_was_never_set_is_not_shown_as_fifty_years() {
    let text = on_poll(NoSync, json!({"scale_up_backlog_threshold": 50}), json!({}), 12, 1.0);
    assert!(text.contains("12 activity tasks and has never started a worker."), "{text}");
}
