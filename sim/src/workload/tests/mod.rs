//! What each process promises: its rate and variation, its horizon, its luck.

use super::*;
use crate::dist::{Dist, ParameterError};

mod any;
mod changes;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

fn run_with(seed: u64, arrivals: &Arrivals, horizon: u64) -> Block {
    let service = Dist::exponential(1e6).unwrap();
    let mut source = SyntheticSource::new(seed, "orders", arrivals, service, horizon);
    let (mut all, mut block) = (Block::default(), Block::default());
    loop {
        source.fill(&mut block);
        assert_eq!(block.at.len(), block.service.len());
        assert!(block.at.len() <= BLOCK);
        if block.at.is_empty() {
            return all;
        }
        all.at.extend(&block.at);
        all.service.extend(&block.service);
    }
}

fn run(arrivals: &Arrivals, horizon: u64) -> Vec<u64> {
    run_with(1, arrivals, horizon).at
}

fn varying(rate: Result<Rate, ParameterError>) -> Arrivals {
    Arrivals::new(Gaps::Exponential, rate.unwrap()).unwrap()
}

fn even(rate: Result<Rate, ParameterError>) -> Arrivals {
    Arrivals::new(Gaps::Even, rate.unwrap()).unwrap()
}

fn count(at: &[u64], from: u64, to: u64) -> usize {
    at.partition_point(|x| *x < to) - at.partition_point(|x| *x < from)
}

/// One of each kind.
fn processes() -> Vec<(&'static str, Arrivals)> {
    vec![
        ("constant", Arrivals::constant(7.0).unwrap()),
        ("poisson", Arrivals::poisson(7.0).unwrap()),
        ("gamma", Arrivals::new(Gaps::Gamma { cv: 2.0 }, Rate::constant(7.0).unwrap()).unwrap()),
        ("weibull", Arrivals::new(Gaps::Weibull { cv: 0.5 }, Rate::constant(7.0).unwrap()).unwrap()),
        ("on-off", varying(Rate::on_off(20.0, 30 * SECOND, 60 * SECOND, Phases::Exponential))),
        ("constant on-off", varying(Rate::on_off(20.0, 30 * SECOND, 60 * SECOND, Phases::Constant))),
        ("modulated", varying(Rate::modulated(&[(1.0, 60 * SECOND), (9.0, 30 * SECOND), (0.0, 9 * SECOND)]))),
        ("sinusoid", varying(Rate::sinusoid(7.0, 7.0, HOUR / 4, 0))),
        ("steps", varying(Rate::steps(&[(60 * SECOND, 3.0), (HOUR / 2, 12.0)]))),
        ("ramps", varying(Rate::ramps(&[(0, 0.0), (HOUR / 2, 12.0), (HOUR / 2, 3.0), (HOUR, 0.0)]))),
        ("profile", varying(Rate::intervals(60 * SECOND, &[5.0, 0.0, 10.0], true))),
        ("bursts", Arrivals::bursts(SECOND, 60 * SECOND, 100, 30 * SECOND).unwrap()),
        ("bulk", Arrivals::bulk(vec![(HOUR / 2, 3000), (SECOND, 50)])),
        ("instants", Arrivals::instants((0..5000).map(|i| i * SECOND / 2).rev().collect())),
        ("uniform counts", counts(Expand::Uniform)),
        ("even counts", counts(Expand::Even)),
        ("counts at the start", counts(Expand::Start)),
    ]
}

fn counts(expand: Expand) -> Arrivals {
    Arrivals::counts(0, 60 * SECOND, vec![500, 0, 1, 2000, 3], expand).unwrap()
}

#[test]
fn renewal_gaps_have_the_rate_and_variation_asked_for() {
    let gaps = |gaps| Arrivals::new(gaps, Rate::constant(50.0).unwrap()).unwrap();
    let cases = [
        (gaps(Gaps::Even), 0.0),
        (gaps(Gaps::Exponential), 1.0),
        (gaps(Gaps::Gamma { cv: 0.4 }), 0.4),
        (gaps(Gaps::Gamma { cv: 2.5 }), 2.5),
        (gaps(Gaps::Weibull { cv: 0.4 }), 0.4),
        (gaps(Gaps::Weibull { cv: 2.5 }), 2.5),
    ];
    for (arrivals, cv) in cases {
        let at = run(&arrivals, 4 * HOUR);
        let gaps: Vec<f64> = at.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e9).collect();
        let n = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        let found = (gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / n).sqrt() / mean;
        assert!((mean * 50.0 - 1.0).abs() < 4.0 * cv / n.sqrt() + 1e-6, "{arrivals:?}: mean gap {mean}");
        assert!((found - cv).abs() < 0.02 * cv + 1e-6, "{arrivals:?}: cv {found}");
    }
}

#[test]
fn constant_arrivals_begin_at_once_and_number_rate_times_horizon() {
    let at = run(&Arrivals::constant(3.0).unwrap(), 60 * SECOND);
    assert_eq!(at.len(), 180);
    assert_eq!(at[..4], [0, 333_333_333, 666_666_667, SECOND]);
}

#[test]
fn poisson_counts_vary_as_much_as_their_mean() {
    let at = run(&Arrivals::poisson(20.0).unwrap(), 10 * HOUR);
    let dispersion = dispersion(&at, 10 * HOUR, SECOND);
    // The standard error of an index of dispersion is sqrt(2 / windows).
    assert!((dispersion - 1.0).abs() < 4.0 * (2.0_f64 / 36_000.0).sqrt(), "{dispersion}");
}

/// Variance over mean of the counts in windows.
fn dispersion(at: &[u64], horizon: u64, window: u64) -> f64 {
    let counts: Vec<f64> =
        (0..horizon / window).map(|i| count(at, i * window, (i + 1) * window) as f64).collect();
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    counts.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / counts.len() as f64 / mean
}

#[test]
fn on_off_and_modulated_sources_have_their_mean_and_burstiness() {
    let horizon = 60 * DAY;
    // For exponential phases the counts' variance in long windows is known: mean + 2 rate^2 p (1 - p) tau * window,
    // p the share of time on, tau = 1 / (1 / on + 1 / off).
    let on_off = varying(Rate::on_off(3.0, 20 * SECOND, 40 * SECOND, Phases::Exponential));
    let at = run(&on_off, horizon);
    let rate = at.len() as f64 / (horizon / SECOND) as f64;
    assert!((rate / 1.0 - 1.0).abs() < 0.01, "{rate}");
    let expected = 1.0 + 2.0 * 9.0 * (2.0 / 9.0) * (40.0 / 3.0);
    let found = dispersion(&at, horizon, 2000 * SECOND);
    assert!((found / expected - 1.0).abs() < 0.1, "{found} {expected}");

    let constant = varying(Rate::on_off(3.0, 20 * SECOND, 40 * SECOND, Phases::Constant));
    let at = run(&constant, HOUR);
    assert!(at.iter().all(|at| at % (60 * SECOND) < 20 * SECOND), "it begins with the on phase");
    assert!((at.len() as f64 - 3600.0).abs() < 4.0 * 60.0);

    let states = [(1.0, 30 * SECOND), (5.0, 20 * SECOND), (0.0, 10 * SECOND)];
    let modulated = Rate::modulated(&states).unwrap();
    let expected = (30.0 + 100.0) / 60.0;
    assert_eq!(modulated.at(0), expected);
    let rate = run(&varying(Ok(modulated)), horizon).len() as f64 / (horizon / SECOND) as f64;
    assert!((rate / expected - 1.0).abs() < 0.01, "{rate}");
}

#[test]
fn exponential_phases_begin_as_if_they_had_run_forever() {
    let on_off = varying(Rate::on_off(30.0, 20 * SECOND, 40 * SECOND, Phases::Exponential));
    let runs = 3000;
    let early: usize = (0..runs).map(|seed| run_with(seed, &on_off, SECOND).at.len()).sum();
    let rate = early as f64 / runs as f64;
    assert!((rate / 10.0 - 1.0).abs() < 0.1, "{rate} in the first second");
}

#[test]
fn even_points_fall_into_steps_and_ramps_by_their_area() {
    let steps = run(&even(Rate::steps(&[(10 * SECOND, 5.0), (20 * SECOND, 50.0)])), 30 * SECOND);
    assert_eq!([0, 10, 20].map(|from| count(&steps, from * SECOND, (from + 10) * SECOND)), [0, 50, 500]);
    assert_eq!(steps[0], 10 * SECOND, "the first arrival waits for the first rate");

    let ramps = [(0, 0.0), (10 * SECOND, 20.0), (20 * SECOND, 0.0), (20 * SECOND, 3.0)];
    let at = run(&even(Rate::ramps(&ramps)), 30 * SECOND);
    let tenths = [(0, 5, 25), (5, 10, 75), (10, 15, 75), (15, 20, 25), (20, 30, 30)];
    for (from, to, expected) in tenths {
        let found = count(&at, from * SECOND, to * SECOND);
        assert!(found.abs_diff(expected) <= 1, "{from} to {to} s: {found}, not {expected}");
    }

    let profile = |repeat| run(&even(Rate::intervals(10 * SECOND, &[2.0, 0.0, 4.0], repeat)), 70 * SECOND);
    let tens =
        |at: &[u64]| (0..7).map(|i| count(at, i * 10 * SECOND, (i + 1) * 10 * SECOND)).collect::<Vec<_>>();
    assert_eq!(tens(&profile(true)), [20, 0, 40, 20, 0, 40, 20]);
    assert_eq!(tens(&profile(false)), [20, 0, 40, 0, 0, 0, 0]);
}

#[test]
fn poisson_counts_in_steps_and_ramps_match_their_area() {
    let steps = run(&varying(Rate::steps(&[(0, 5.0), (HOUR, 50.0)])), 2 * HOUR);
    let ramp = run(&varying(Rate::ramps(&[(0, 0.0), (HOUR, 20.0)])), 2 * HOUR);
    let cases = [
        (count(&steps, 0, HOUR), 18_000.0),
        (count(&steps, HOUR, 2 * HOUR), 180_000.0),
        (count(&ramp, 0, HOUR / 2), 9_000.0),
        (count(&ramp, HOUR / 2, HOUR), 27_000.0),
        (count(&ramp, HOUR, 2 * HOUR), 72_000.0),
    ];
    for (found, expected) in cases {
        assert!((found as f64 - expected).abs() < 4.0 * expected.sqrt(), "{found} {expected}");
    }
}

#[test]
fn a_sinusoidal_day_is_busiest_after_a_quarter_less_its_phase() {
    let quarters = |phase| {
        let at = run(&even(Rate::sinusoid(2.0, 2.0, DAY, phase)), 2 * DAY);
        assert_eq!(at.len(), 4 * 86_400);
        [0, 1, 2, 3].map(|i| count(&at, DAY + i * DAY / 4, DAY + (i + 1) * DAY / 4) as f64)
    };
    // The integral of 2 (1 + sin) over a quarter around its peak and its trough, and beside them.
    let (half, around) = (43_200.0, 2.0 * 86_400.0 / std::f64::consts::TAU);
    let from_mean = [half + around, half + around, half - around, half - around];
    let close = |found: [f64; 4], expected: [f64; 4]| {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 2.0), "{found:?} {expected:?}");
    };
    close(quarters(0), from_mean);
    close(quarters(DAY / 4), [from_mean[1], from_mean[2], from_mean[3], from_mean[0]]);
}

#[test]
fn a_sinusoid_may_reach_zero_whatever_its_mean() {
    for mean in (1..1000).map(|i| f64::from(i) / 7.0) {
        Rate::sinusoid(mean, mean, DAY, 0).unwrap();
    }
}

#[test]
fn bursts_come_every_period_and_stay_in_their_spread() {
    let at = run(&Arrivals::bursts(5 * SECOND, 60 * SECOND, 1000, 20 * SECOND).unwrap(), HOUR);
    assert_eq!(at.len(), 60_000);
    let since = |at: u64| (at - 5 * SECOND) % (60 * SECOND);
    assert!(at.iter().all(|at| since(*at) < 20 * SECOND));
    let mean = at.iter().map(|at| since(*at) as f64 / 1e9).sum::<f64>() / 60_000.0;
    // Uniform over 20 s: standard deviation 20 / sqrt(12).
    assert!((mean - 10.0).abs() < 4.0 * 5.774 / 60_000.0_f64.sqrt(), "{mean}");
    let sudden = run(&Arrivals::bursts(0, 60 * SECOND, 3, 0).unwrap(), 2 * 60 * SECOND);
    assert_eq!(sudden, [0, 0, 0, 60 * SECOND, 60 * SECOND, 60 * SECOND]);
}

#[test]
fn bulk_and_instants_arrive_when_they_should() {
    assert_eq!(run(&Arrivals::bulk(vec![(9, 1), (4, 2), (5, 0)]), 10), [4, 4, 9]);
    assert_eq!(run(&Arrivals::instants(vec![9, 4, 10, 4]), 10), [4, 4, 9]);
    assert_eq!(run(&Arrivals::bulk(vec![(7, 5000)]), 10), vec![7; 5000]);
}

#[test]
fn counts_keep_to_their_intervals() {
    let minute = 60 * SECOND;
    for expand in [Expand::Uniform, Expand::Even, Expand::Start] {
        let at = run(&counts(expand), HOUR);
        let found: Vec<usize> = (0..5).map(|i| count(&at, i * minute, (i + 1) * minute)).collect();
        assert_eq!(found, [500, 0, 1, 2000, 3], "{expand:?}");
        assert_eq!(at.len(), 2504);
    }
    let start = run(&counts(Expand::Start), HOUR);
    assert!(start.iter().all(|at| at % minute == 0));
    let even = run(&counts(Expand::Even), HOUR);
    let gap = minute / 500;
    assert!(even[..500].windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(gap) <= 1));
    assert!(even[0] > 0 && even[0] < gap, "a random phase, {}", even[0]);
}

#[test]
fn uniform_counts_are_uniform() {
    let at = run(&Arrivals::counts(0, DAY, vec![200_000], Expand::Uniform).unwrap(), DAY);
    let (n, day) = (at.len() as f64, DAY as f64);
    let gap = |(i, at): (usize, &u64)| ((i as f64 + 0.5) / n - *at as f64 / day).abs();
    let distance = at.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt();
    assert!(distance > 0.3 && distance < 1.95, "{distance}");
}

#[test]
fn nothing_arrives_at_or_after_the_horizon_and_time_never_turns_back() {
    for (name, arrivals) in processes() {
        let whole = run(&arrivals, HOUR);
        assert!(whole.len() > 1500, "{name}: {}", whole.len());
        assert!(whole.windows(2).all(|pair| pair[0] <= pair[1]), "{name}");
        assert!(whole.iter().all(|at| *at < HOUR), "{name}");
        // A shorter horizon cuts and changes nothing else; one on an arrival excludes it.
        for horizon in [whole[1200], whole[1400] + 1, 0] {
            assert_eq!(run(&arrivals, horizon), whole[..count(&whole, 0, horizon)], "{name}");
        }
    }
}

#[test]
fn seeds_and_names_give_their_own_luck() {
    for (name, arrivals) in processes() {
        let [one, again, other] = [1, 1, 2].map(|seed| run_with(seed, &arrivals, HOUR));
        assert_eq!((&one.at, &one.service), (&again.at, &again.service), "{name}");
        assert_ne!(one.service, other.service, "{name}");
        let lucky = !matches!(name, "constant" | "bulk" | "instants" | "counts at the start");
        assert_eq!(one.at != other.at, lucky, "{name}");
    }
    let service = Dist::exponential(1e6).unwrap();
    let [mut orders, mut refunds] = ["orders", "refunds"]
        .map(|name| SyntheticSource::new(1, name, &Arrivals::poisson(5.0).unwrap(), service.clone(), HOUR));
    let (mut a, mut b) = (Block::default(), Block::default());
    orders.fill(&mut a);
    refunds.fill(&mut b);
    assert_ne!(a.at, b.at);
    assert_ne!(a.service, b.service);
}

#[test]
fn another_rate_keeps_the_luck() {
    let whole = run(&Arrivals::poisson(8.0).unwrap(), HOUR);
    let half = run(&Arrivals::poisson(4.0).unwrap(), HOUR);
    assert!(half.len() > 14_000);
    assert!(whole.iter().zip(&half).all(|(one, two)| (2 * one).abs_diff(*two) <= 1), "points of unit rate");

    // A step up after 10 min: the points before it stay, those after it come nearer.
    let steps = run(&varying(Rate::steps(&[(0, 4.0), (HOUR / 6, 8.0)])), HOUR);
    let before = count(&half, 0, HOUR / 6);
    assert_eq!(steps[..before], half[..before]);
    for (bent, straight) in steps[before..].iter().zip(&half[before..]) {
        assert!((HOUR / 6 + (straight - HOUR / 6) / 2).abs_diff(*bent) <= 1);
    }

    let sinusoid = run(&varying(Rate::sinusoid(4.0, 0.0, DAY, 0)), HOUR);
    assert!(sinusoid.iter().zip(&half).all(|(one, two)| one.abs_diff(*two) <= 1));
}

#[test]
fn another_rate_keeps_the_states() {
    let on_off = |rate| even(Rate::on_off(rate, 30 * SECOND, 60 * SECOND, Phases::Exponential));
    let [slow, fast] = [100.0, 1000.0].map(|rate| run(&on_off(rate), HOUR));
    // Each fast arrival lies within a slow source's gap of a slow one: both are on at the same times.
    for at in fast {
        let next = slow.partition_point(|x| *x < at);
        let near = [next.checked_sub(1), Some(next)].into_iter().flatten().filter_map(|i| slow.get(i));
        assert!(near.map(|x| x.abs_diff(at)).min().unwrap() <= SECOND / 100 + 1, "{at}");
    }
}

#[test]
fn rates_are_known_at_every_time() {
    let at = |arrivals: Arrivals, times: [u64; 3]| times.map(|now| arrivals.rate_at(now).unwrap());
    assert_eq!(at(Arrivals::poisson(8.0).unwrap(), [0, 5, HOUR]), [8.0; 3]);
    let close = |found: [f64; 3], expected: [f64; 3]| {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?} {expected:?}");
    };
    let steps = varying(Rate::steps(&[(10, 4.0), (20, 8.0)]));
    close(at(steps, [9, 10, HOUR]), [0.0, 4.0, 8.0]);
    let ramps = varying(Rate::ramps(&[(10, 4.0), (20, 8.0)]));
    close(at(ramps, [0, 15, 25]), [4.0, 6.0, 8.0]);
    let profile = |repeat| varying(Rate::intervals(10, &[1.0, 2.0], repeat));
    close(at(profile(true), [5, 15, 25]), [1.0, 2.0, 1.0]);
    close(at(profile(false), [5, 15, 25]), [1.0, 2.0, 0.0]);
    close(at(varying(Rate::sinusoid(4.0, 3.0, DAY, 0)), [0, DAY / 4, 7 * DAY / 4]), [4.0, 7.0, 1.0]);
    assert_eq!(Arrivals::instants(vec![]).rate_at(0), None);
}

#[test]
fn refusals_say_what_was_found_and_expected() {
    let rate = |rate: Result<Rate, ParameterError>| rate.unwrap_err().to_string();
    let arrivals = |arrivals: Result<Arrivals, ParameterError>| arrivals.unwrap_err().to_string();
    let cases = [
        (rate(Rate::constant(-1.0)), "constant rate: rate is -1, expected 0, or from 1e-12 to 1e12 a second"),
        (rate(Rate::steps(&[])), "steps: number of points is 0, expected at least one"),
        (
            rate(Rate::ramps(&[(5, 1.0), (4, 1.0)])),
            "ramps: time is 4, expected at least the one before, 5 ns",
        ),
        (
            rate(Rate::intervals(0, &[1.0], true)),
            "rates per interval: interval is 0, expected more than 0 ns",
        ),
        (
            rate(Rate::sinusoid(2.0, 3.0, 1, 0)),
            "sinusoidal rate: amplitude is 3, expected a number from 0 to 2",
        ),
        (rate(Rate::sinusoid(0.0, 0.0, 1, 0)), "sinusoidal rate: mean is 0, expected a positive number"),
        (rate(Rate::modulated(&[(1.0, 5000)])), "modulated rate: number of states is 1, expected at least 2"),
        (
            rate(Rate::on_off(1.0, 0, 5000, Phases::Constant)),
            "on-off rate: mean stay is 0, expected at least 1000 ns",
        ),
        (arrivals(Arrivals::bursts(0, 5, 1, 6)), "bursts: spread is 6, expected at most the period, 5 ns"),
        (
            arrivals(Arrivals::new(Gaps::Gamma { cv: 0.0 }, Rate::constant(1.0).unwrap())),
            "gamma distribution: cv is 0, expected a number from 0.000001 to 1000000",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}
