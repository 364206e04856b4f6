//! Any valid parameters.

use super::*;
use proptest::prelude::*;

/// A number of any size, often 0 or huge.
fn any_rate() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), -12.0..12.0_f64, 1e-3..1e3_f64, any::<f64>()].prop_map(f64::abs)
}

fn any_nanos() -> impl Strategy<Value = u64> {
    prop_oneof![0..10_u64, 1000..HOUR, any::<u64>()]
}

fn any_arrivals() -> impl Strategy<Value = Result<Arrivals, ParameterError>> {
    let gaps = prop_oneof![
        Just(Gaps::Even),
        Just(Gaps::Exponential),
        (0.01..50.0_f64).prop_map(|cv| Gaps::Gamma { cv }),
        (0.01..50.0_f64).prop_map(|cv| Gaps::Weibull { cv }),
    ];
    let points = || prop::collection::vec((any_nanos(), any_rate()), 0..5);
    // Many stays a second until the end of time would take as long.
    let stay = || SECOND..DAY;
    let rate = prop_oneof![
        any_rate().prop_map(Rate::constant),
        points().prop_map(|points| Rate::steps(&sorted(points))),
        points().prop_map(|points| Rate::ramps(&sorted(points))),
        (any_nanos(), prop::collection::vec(any_rate(), 0..5), any::<bool>())
            .prop_map(|(interval, rates, repeat)| Rate::intervals(interval, &rates, repeat)),
        (any_rate(), 0.0..=1.0_f64, any_nanos(), any_nanos())
            .prop_map(|(mean, depth, period, phase)| Rate::sinusoid(mean, mean * depth, period, phase)),
        (any_rate(), stay(), stay()).prop_map(|(rate, on, off)| Rate::on_off(
            rate,
            on,
            off,
            Phases::Constant
        )),
        prop::collection::vec((any_rate(), stay()), 0..4).prop_map(|states| Rate::modulated(&states)),
    ];
    let expand = prop_oneof![Just(Expand::Uniform), Just(Expand::Even), Just(Expand::Start)];
    let times = || prop::collection::vec(any_nanos(), 0..20);
    prop_oneof![
        7 => (gaps, rate).prop_map(|(gaps, rate)| Arrivals::new(gaps, rate?)),
        1 => (any_nanos(), 1000..DAY, any_nanos(), any_nanos())
            .prop_map(|(first, period, size, spread)| Arrivals::bursts(first, period, size, spread % (period + 1))),
        1 => times().prop_map(|times| Ok(Arrivals::bulk(times.iter().map(|at| (*at, at % 3000)).collect()))),
        1 => times().prop_map(|times| Ok(Arrivals::instants(times))),
        1 => (any_nanos(), any_nanos(), times(), expand)
            .prop_map(|(start, interval, counts, expand)| Arrivals::counts(start, interval, counts, expand)),
    ]
}

fn sorted(mut points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    points.sort_by_key(|point| point.0);
    points
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_process_runs_forward_and_below_its_horizon(
        arrivals in any_arrivals(),
        horizon in prop_oneof![Just(HOUR), 0..30 * DAY, Just(100 * 365 * DAY)],
        changes in prop::collection::vec((0..BLOCK, prop_oneof![Just(0.0), Just(1.0), 1e-3..1e3_f64]), 0..4),
        seed: u64,
    ) {
        let Ok(arrivals) = arrivals else { return Ok(()) };
        let mut source = SyntheticSource::new(seed, "any", &arrivals, Dist::constant(1.0)?, horizon);
        let (mut block, mut now) = (Block::default(), 0);
        for (taken, factor) in changes.into_iter().chain([(0, 2.0); 3]) {
            source.fill(&mut block);
            let mut last = now;
            for at in &block.at {
                prop_assert!(*at >= last && *at < horizon, "{at} after {last}, horizon {horizon}");
                last = *at;
            }
            let taken = taken.min(block.at.len());
            now = block.at[..taken].last().map_or(now, |at| *at);
            source.set_rate_factor(now, factor, taken)?;
        }
    }
}
