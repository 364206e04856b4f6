//! Every edge of `seasonal`.

use crate::algorithm::AlgorithmKind::Seasonal;
use crate::algorithm::testing::{Rig, activity, input, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::Rule;
use crate::metrics::MetricsSnapshot;
use serde_json::{Value, json};

/// A midnight.
const T0: i64 = 1_700_006_400_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

fn rig(config: Value) -> Rig {
    Rig::new(Seasonal, config, json!({}))
}

fn poll(rig: &mut Rig, ms: i64, backlog: i64, rate: f32) -> Verdict {
    rig.poll(T0 + ms, &activity(backlog, rate, rate))
}

#[test]
fn before_anything_is_known_the_present_rate_stands_in() {
    // 8 tasks/s at 2 a worker are 4 workers, and sqrt(4) / 2 as the margin.
    let verdict = poll(&mut rig(json!({})), 0, 0, 8.0);
    assert_eq!((verdict.wish, said(&verdict)), (Wish::Workers(5), (Rule::ForecastAbove, 5, 5, None)));
    assert_eq!((input(&verdict, "forecast_rate"), input(&verdict, "forecast_load")), (8.0, 4.0));
    let smoothed = &mut rig(json!({}));
    poll(smoothed, 0, 0, 8.0);
    assert!((input(&poll(smoothed, 30_000, 0, 18.0), "forecast_rate") - 11.0).abs() < 1e-9);
}

#[test]
fn the_margin_is_half_the_root_of_the_load_and_the_backlog_is_worked_off_in_a_minute() {
    let size = |backlog, rate| said(&poll(&mut rig(json!({})), 0, backlog, rate)).1;
    assert_eq!((size(0, 18.0), size(0, 32.0), size(0, 0.0)), (11, 18, 0));
    // 17 + sqrt(17) / 2 is just above 19.
    assert_eq!(size(0, 34.0), 20);
    // 18 tasks/s and 840 / 60 s
    assert_eq!(size(840, 18.0), 18);
}

#[test]
fn the_same_time_of_yesterday_is_foreseen_a_minute_ahead() {
    let mut rig = rig(json!({"offset_weight": 1e-9}));
    for ms in (0..DAY).step_by(usize::try_from(MINUTE).unwrap()) {
        poll(&mut rig, ms, 0, if (8 * 60..16 * 60).contains(&(ms / MINUTE)) { 40.0 } else { 2.0 });
    }
    let forecast = |rig: &mut Rig, ms| input(&poll(rig, DAY + ms, 0, 2.0), "forecast_rate");
    let eight = 8 * 60 * MINUTE;
    assert!(forecast(&mut rig, 0) < 3.0);
    assert!(forecast(&mut rig, eight - MINUTE - 1) < 3.0);
    assert!(forecast(&mut rig, eight - 30_000) > 39.0);
}

#[test]
fn a_day_that_is_busier_than_the_last_one_lifts_the_forecast() {
    let mut rig = rig(json!({}));
    for ms in (0..DAY).step_by(usize::try_from(5 * MINUTE).unwrap()) {
        poll(&mut rig, ms, 0, 10.0);
    }
    let first = input(&poll(&mut rig, DAY, 0, 20.0), "forecast_rate");
    let later = input(&poll(&mut rig, DAY + MINUTE, 0, 20.0), "forecast_rate");
    // The offset goes three tenths of the way at each decision.
    assert!((first - 13.0).abs() < 1e-9 && (later - 15.1).abs() < 1e-9, "{first} {later}");
}

#[test]
fn a_part_weighs_three_tenths_of_its_profile() {
    let mut rig = rig(json!({}));
    for (day, rate) in [(0, 10.0), (1, 20.0)] {
        poll(&mut rig, day * DAY, 0, rate);
        poll(&mut rig, day * DAY + 15 * MINUTE, 0, 0.0);
    }
    let profile = rig.slot("arrival_rate_by_part");
    assert_eq!(
        (profile.as_array().map(Vec::len), &profile[0], &profile[1]),
        (Some(96), &json!(13), &json!(0))
    );
}

#[test]
fn signals_and_missing_data_change_nothing() {
    let mut rig = rig(json!({}));
    assert_eq!(rig.add(T0, &missed()), Verdict::NOTHING);
    assert_eq!(said(&rig.poll(T0, &MetricsSnapshot::default())), (Rule::NoChange, 0, 0, None));
    assert_eq!(rig.interval(T0), 30_000);
}
