//! Every edge of `target-tracking`.

use crate::algorithm::AlgorithmKind::TargetTracking;
use crate::algorithm::testing::{Rig, error, missed, said};
use crate::algorithm::{Verdict, Wish};
use crate::decision::{Limit, Rule};
use crate::metrics::MetricsSnapshot;
use serde_json::{Value, json};

/// A whole minute.
const T0: i64 = 1_699_999_980_000;
const NO_STATISTICS: &MetricsSnapshot = &MetricsSnapshot { workflow: None, activity: None, nexus: None };

struct Set(Rig, u32);

impl Set {
    fn new(workers: u32, config: Value) -> Self {
        Self(Rig::new(TargetTracking, config, json!({"worker_count": workers})), workers)
    }

    /// Looks each 10 s throughout these minutes while that share of the slots is busy, in percent; gives the verdict
    /// of the first look of each minute. The set has the size it was last given.
    fn minutes(&mut self, minutes: std::ops::Range<i64>, busy_pct: u32) -> Vec<Verdict> {
        let looks = |minute: i64| (0..6).map(move |look| minute * 60_000 + look * 10_000);
        let mut firsts = Vec::new();
        for ms in minutes.flat_map(looks) {
            self.0.see(self.1, 0, self.1 * 100, self.1 * busy_pct);
            let verdict = self.0.poll(T0 + ms, NO_STATISTICS);
            if let Wish::Workers(size) = verdict.wish {
                self.1 = size;
            }
            if ms % 60_000 == 0 {
                firsts.push(verdict);
            } else {
                assert_eq!(verdict.wish, Wish::Nothing, "only the end of a period decides");
            }
        }
        firsts
    }

    fn wishes(&mut self, minutes: std::ops::Range<i64>, busy_pct: u32) -> Vec<Wish> {
        self.minutes(minutes, busy_pct).into_iter().map(|verdict| verdict.wish).collect()
    }
}

#[test]
fn out_comes_after_three_minutes_above_the_target() {
    let mut set = Set::new(10, json!({}));
    let verdicts = set.minutes(0..4, 90);
    assert_eq!(said(&verdicts[2]).3, Some(Limit::TooFewPeriods));
    // ceil(10 * 0.9 / 0.75)
    assert_eq!(
        (verdicts[3].wish, said(&verdicts[3])),
        (Wish::Workers(12), (Rule::UtilizationAbove, 12, 12, None))
    );
}

#[test]
fn the_target_itself_is_not_above_it() {
    let verdicts = Set::new(10, json!({})).minutes(0..6, 75);
    for verdict in verdicts {
        assert_eq!((verdict.wish, said(&verdict).3), (Wish::Nothing, Some(Limit::TooFewPeriods)));
    }
}

#[test]
fn in_comes_after_fifteen_minutes_below_nine_tenths_of_the_target() {
    let wishes = Set::new(100, json!({})).wishes(0..16, 67);
    assert_eq!(wishes[..15], [Wish::Nothing; 15]);
    // ceil(100 * 0.67 / 0.75)
    assert_eq!(wishes[15], Wish::Workers(90));
    // 68 % is above 0.9 * 75 % = 67.5 %, although 91 workers would do.
    assert_eq!(Set::new(100, json!({})).wishes(0..18, 68), [Wish::Nothing; 18]);
}

#[test]
fn two_scale_ins_are_300_s_apart() {
    let mut set = Set::new(100, json!({}));
    let sizes: Vec<_> = set.wishes(0..26, 60);
    let acted: Vec<_> = (0..26).filter(|minute| sizes[*minute] != Wish::Nothing).collect();
    assert_eq!(acted, [15, 20, 25]);
}

#[test]
fn for_300_s_only_a_larger_result_adds_to_a_scale_out() {
    let mut set = Set::new(10, json!({}));
    set.minutes(0..4, 90);
    let same = set.minutes(4..5, 90).remove(0);
    assert_eq!((same.wish, said(&same).3), (Wish::Nothing, Some(Limit::Cooldown)));
    // ceil(10 * 1.0 / 0.75) by the size before the scale-out, not ceil(12 * 1.0 / 0.75) = 16.
    set.minutes(5..6, 100);
    assert_eq!(set.wishes(6..7, 100), [Wish::Workers(14)]);
}

#[test]
fn after_300_s_the_next_scale_out_goes_by_the_size_of_the_moment() {
    let mut set = Set::new(10, json!({}));
    let wishes = set.wishes(0..9, 90);
    let acted: Vec<_> = (0..9).filter(|minute| wishes[*minute] != Wish::Nothing).collect();
    assert_eq!(acted, [3, 8]);
    // ceil(12 * 0.9 / 0.75)
    assert_eq!(wishes[8], Wish::Workers(15));
}

#[test]
fn a_minute_within_the_range_breaks_the_row() {
    let mut set = Set::new(10, json!({}));
    set.minutes(0..2, 90);
    set.minutes(2..3, 70);
    assert_eq!(set.wishes(3..6, 90), [Wish::Nothing; 3]);
    assert_eq!(set.wishes(6..7, 90), [Wish::Workers(12)]);
}

#[test]
fn a_minute_without_data_breaks_the_row() {
    let mut set = Set::new(10, json!({}));
    set.minutes(0..2, 90);
    assert_eq!(set.wishes(3..6, 90), [Wish::Nothing; 3]);
    assert_eq!(set.wishes(6..7, 90), [Wish::Workers(12)]);
}

#[test]
fn a_period_counts_with_its_average() {
    let mut set = Set::new(10, json!({"scale_out_periods": 1}));
    for (look, busy) in [1000, 1000, 1000, 400, 400, 400].into_iter().enumerate() {
        set.0.see(10, 0, 1000, busy);
        set.0.poll(T0 + i64::try_from(look).unwrap() * 10_000, NO_STATISTICS);
    }
    assert_eq!(set.wishes(1..2, 0), [Wish::Nothing], "0.7 on average is below the target");
}

#[test]
fn it_never_has_fewer_than_one_worker_and_takes_no_signals() {
    let mut set = Set::new(0, json!({}));
    assert_eq!(set.0.add(T0, &missed()), Verdict::NOTHING);
    assert_eq!(set.0.poll(T0, NO_STATISTICS).wish, Wish::Workers(1));
    assert!(error(TargetTracking, json!({"min_count": 0})).contains("at least 1"));
}
