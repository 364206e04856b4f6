//! Each family against its exact law and against `rand_distr`, with a control that must fail.

use super::*;
use proptest::prelude::*;
use rand_distr::Distribution;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;

const DRAWS: usize = 500_000;
/// Kolmogorov's distance times sqrt(n) exceeds this once in 1000 samples of the right distribution.
const LIMIT: f64 = 1.95;
const SECOND: f64 = 1e9;
/// Azure's seven percentiles of a function's duration.
const SEVEN: [(f64, f64); 7] =
    [(0.0, 3e6), (1.0, 4e6), (25.0, 4e7), (50.0, 1.5e8), (75.0, 9e8), (99.0, 2.6e9), (100.0, 6e10)];

fn families() -> Vec<(&'static str, Dist)> {
    let slow = Dist::log_normal(2e9, 9e9).unwrap();
    let parts = [(3.0, Dist::exponential(SECOND).unwrap()), (0.0, Dist::constant(1.0).unwrap()), (1.0, slow)];
    vec![
        ("uniform", Dist::uniform(0.3 * SECOND, SECOND).unwrap()),
        ("exponential", Dist::exponential(SECOND).unwrap()),
        ("log-normal", Dist::log_normal(0.8 * SECOND, 6.0 * SECOND).unwrap()),
        ("log-normal by cv", Dist::log_normal_with_cv(SECOND, 3.0).unwrap()),
        ("gamma cv 0.5", Dist::gamma_with_cv(SECOND, 0.5).unwrap()),
        ("gamma cv 2", Dist::gamma_with_cv(SECOND, 2.0).unwrap()),
        ("gamma shape 1", Dist::gamma(1.0, SECOND).unwrap()),
        ("Weibull 0.7", Dist::weibull(0.7, SECOND).unwrap()),
        ("Weibull by cv", Dist::weibull_with_cv(SECOND, 0.5).unwrap()),
        ("Pareto", Dist::pareto(SECOND, 2.5).unwrap()),
        ("Pareto by mean", Dist::pareto_with_mean(SECOND, 1.5).unwrap()),
        ("linear curve", Dist::empirical(&SEVEN, Interpolation::Linear).unwrap()),
        ("log-linear curve", Dist::empirical(&SEVEN, Interpolation::LogLinear).unwrap()),
        ("mixture", Dist::mixture(parts).unwrap()),
    ]
}

/// Kolmogorov's distance between draws and a law, times sqrt(n).
fn distance(draws: &[f64], law: &Dist) -> f64 {
    let mut sorted = draws.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let gap = |(i, x): (usize, &f64)| {
        let share = law.cdf(*x);
        (share - i as f64 / n).max((i + 1) as f64 / n - share)
    };
    sorted.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
}

/// Kolmogorov's distance between two samples of n draws each, times sqrt(n / 2).
fn distance_between(a: &[f64], b: &[f64]) -> f64 {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let (mut j, mut worst) = (0, 0_usize);
    for (i, x) in a.iter().enumerate() {
        while j < b.len() && b[j] < *x {
            j += 1;
        }
        worst = worst.max(i.abs_diff(j));
    }
    worst as f64 / (2.0 * a.len() as f64).sqrt()
}

fn drawn(dist: &Dist, name: &str) -> Vec<f64> {
    let mut draws = vec![0.0; DRAWS];
    dist.draw_into(&mut Stream::named(7, name), &mut draws);
    draws
}

#[test]
fn draws_follow_their_law_and_a_law_three_percent_off_is_noticed() {
    for (name, dist) in families() {
        let draws = drawn(&dist, name);
        let right = distance(&draws, &dist);
        let wrong = distance(&draws, &dist.scaled(1.03).unwrap());
        assert!(right < LIMIT, "{name}: {right}");
        assert!(wrong > LIMIT, "{name}: the control passed with {wrong}");
    }
}

#[test]
fn draws_agree_with_rand_distr() {
    fn check<D: Distribution<f64>>(name: &str, reference: D, ours: Dist) {
        let mut rng = Pcg64Mcg::seed_from_u64(11);
        let theirs: Vec<f64> = (0..DRAWS).map(|_| reference.sample(&mut rng)).collect();
        let right = distance_between(&drawn(&ours, name), &theirs);
        let wrong = distance_between(&drawn(&ours.scaled(1.03).unwrap(), name), &theirs);
        assert!(right < LIMIT, "{name}: {right}");
        assert!(wrong > LIMIT, "{name}: the control passed with {wrong}");
    }
    check("exp", rand_distr::Exp::new(1e-9).unwrap(), Dist::exponential(SECOND).unwrap());
    let normal = rand_distr::LogNormal::from_mean_cv(SECOND, 0.8).unwrap();
    check("log-normal", normal, Dist::log_normal_with_cv(SECOND, 0.8).unwrap());
    check("gamma 3", rand_distr::Gamma::new(3.0, SECOND).unwrap(), Dist::gamma(3.0, SECOND).unwrap());
    check("gamma 0.4", rand_distr::Gamma::new(0.4, SECOND).unwrap(), Dist::gamma(0.4, SECOND).unwrap());
    check("weibull", rand_distr::Weibull::new(SECOND, 1.4).unwrap(), Dist::weibull(1.4, SECOND).unwrap());
    check("pareto", rand_distr::Pareto::new(SECOND, 1.8).unwrap(), Dist::pareto(SECOND, 1.8).unwrap());
    let uniform = rand_distr::Uniform::new(0.0, SECOND).unwrap();
    check("uniform", uniform, Dist::uniform(0.0, SECOND).unwrap());
}

#[test]
fn means_are_what_was_asked_for() {
    for mean in [1e6, 3e11] {
        let asked = [
            Dist::log_normal_with_cv(mean, 3.0),
            Dist::gamma_with_cv(mean, 0.2),
            Dist::gamma_with_cv(mean, 5.0),
            Dist::weibull_with_cv(mean, 0.002),
            Dist::weibull_with_cv(mean, 400.0),
            Dist::pareto_with_mean(mean, 1.5),
        ];
        for dist in asked.map(Result::unwrap) {
            assert!((dist.mean() / mean - 1.0).abs() < 1e-9, "{dist:?}");
        }
    }
    assert_eq!(Dist::pareto(1.0, 1.0).unwrap().mean(), f64::INFINITY);
}

#[test]
fn means_match_the_draws() {
    for (name, dist) in families() {
        let draws = drawn(&dist, name);
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
        // A Pareto distribution of shape 1.5 has no variance, so its mean settles slowly.
        let tolerance = if name == "Pareto by mean" { 0.05 } else { 4.0 * (variance / n).sqrt() / mean };
        assert!((mean / dist.mean() - 1.0).abs() < tolerance, "{name}: {mean} {}", dist.mean());
    }
}

#[test]
fn coefficients_of_variation_are_what_was_asked_for() {
    let exact = [0.3, 0.5, 1.0, 2.0];
    for cv in exact {
        for dist in [Dist::gamma_with_cv(1.0, cv).unwrap(), Dist::weibull_with_cv(1.0, cv).unwrap()] {
            let mut draws = vec![0.0; 1_000_000];
            dist.draw_into(&mut Stream::named(3, "cv"), &mut draws);
            let n = draws.len() as f64;
            let mean = draws.iter().sum::<f64>() / n;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
            assert!((variance.sqrt() / mean / cv - 1.0).abs() < 0.02, "{dist:?}: {}", variance.sqrt() / mean);
        }
    }
}

#[test]
fn median_and_p99_are_what_was_asked_for() {
    let dist = Dist::log_normal(800e6, 6e9).unwrap();
    assert!((dist.quantile(0.5) / 800e6 - 1.0).abs() < 1e-12);
    assert!((dist.quantile(0.99) / 6e9 - 1.0).abs() < 1e-12);
}

#[test]
fn quantiles_invert_the_distribution_function() {
    for (name, dist) in families() {
        for p in [1e-6, 0.01, 0.3, 0.5, 0.9, 0.99, 0.999_999] {
            let back = dist.cdf(dist.quantile(p));
            assert!((back - p).abs() < 1e-9, "{name}: {p} came back as {back}");
        }
    }
}

#[test]
fn quantiles_of_large_gamma_shapes_stay_exact() {
    // Both sides of the change to the cube root.
    for p in [0.01, 0.5, 0.99] {
        let [below, above] = [0.999e5, 1.001e5].map(|shape: f64| {
            let dist = Dist::gamma(shape, 1.0 / shape).unwrap();
            (dist.quantile(p) - 1.0) * shape.sqrt()
        });
        assert!((below - above).abs() < 1e-5, "{p}: {below} {above}");
    }
}

#[test]
fn quantile_of_a_share_of_one_is_the_largest_time() {
    let bounded = Dist::mixture([
        (1.0, Dist::constant(5.0).unwrap()),
        (1.0, Dist::uniform(1.0, 7.0).unwrap()),
        (1.0, Dist::empirical(&SEVEN, Interpolation::Linear).unwrap()),
    ]);
    assert_eq!(bounded.unwrap().quantile(1.0), 6e10);
    assert_eq!(Dist::exponential(1.0).unwrap().quantile(1.0), f64::INFINITY);
    let steps =
        Dist::mixture([(1.0, Dist::constant(5.0).unwrap()), (1.0, Dist::constant(9.0).unwrap())]).unwrap();
    assert_eq!([0.0, 0.5, 0.51, f64::NAN].map(|p| steps.quantile(p)), [5.0, 5.0, 9.0, 5.0]);
}

#[test]
fn log_linear_curves_pass_through_their_percentiles() {
    let dist = Dist::empirical(&SEVEN, Interpolation::LogLinear).unwrap();
    for (percentage, value) in SEVEN {
        assert!((dist.quantile(percentage / 100.0) / value - 1.0).abs() < 1e-12);
    }
    let half_way = dist.quantile(0.375);
    assert!((half_way / (4e7_f64 * 1.5e8).sqrt() - 1.0).abs() < 1e-12, "the geometric mean: {half_way}");
}

#[test]
fn curves_without_ends_hold_their_outer_values() {
    let dist = Dist::empirical(&[(50.0, 10.0), (90.0, 20.0)], Interpolation::Linear).unwrap();
    assert_eq!([0.1, 0.5, 0.7, 0.95].map(|p| dist.quantile(p)), [10.0, 10.0, 15.0, 20.0]);
    assert_eq!([9.0, 10.0, 15.0, 20.0].map(|x| dist.cdf(x)), [0.0, 0.5, 0.7, 1.0]);
    assert_eq!(dist.mean(), 0.5 * 10.0 + 0.4 * 15.0 + 0.1 * 20.0);
    let single = Dist::empirical(&[(100.0, 10.0)], Interpolation::LogLinear).unwrap();
    assert_eq!(single.sample(&mut Stream::named(1, "single")), 10);
}

#[test]
fn scaling_keeps_the_luck() {
    for (name, dist) in families() {
        let doubled = drawn(&dist.scaled(2.0).unwrap(), name);
        for (one, two) in drawn(&dist, name).into_iter().zip(doubled) {
            assert!((two - 2.0 * one).abs() <= 1e-12 * two, "{name}: {one} {two}");
        }
    }
}

#[test]
fn filling_draws_the_same_as_sampling() {
    for (name, dist) in families() {
        let mut filled = Vec::new();
        dist.fill(&mut Stream::named(7, name), 5000, &mut filled);
        let mut stream = Stream::named(7, name);
        assert_eq!(filled.len(), 5000);
        assert!(filled.iter().all(|x| *x == dist.sample(&mut stream)), "{name}");
    }
}

#[test]
fn nanoseconds_round_to_the_nearest_and_saturate() {
    let two_52 = (1_u64 << 52) as f64;
    let cases =
        [(0.0, 0), (-0.0, 0), (-3.0, 0), (0.4, 0), (1.6, 2), (2.5, 2), (3.5, 4), (two_52 - 0.5, 1 << 52)];
    for (x, expected) in cases {
        assert_eq!(nanos(x), expected, "{x}");
    }
    assert_eq!(nanos(two_52 * 8.0), 1 << 55);
    assert_eq!(nanos(1e300), u64::MAX);
    assert_eq!(nanos(f64::NAN), 0);
}

#[test]
fn refusals_say_what_was_found_and_expected() {
    let refused = |dist: Result<Dist, ParameterError>| dist.unwrap_err().to_string();
    let mixture = |weight| Dist::mixture([(weight, Dist::constant(1.0).unwrap())]);
    let cases = [
        (refused(Dist::constant(-1.0)), "constant: value is -1, expected a number, 0 or more"),
        (refused(Dist::uniform(5.0, 4.0)), "uniform distribution: max is 4, expected at least min, 5"),
        (
            refused(Dist::exponential(f64::NAN)),
            "exponential distribution: mean is NaN, expected a positive number",
        ),
        (
            refused(Dist::log_normal(8.0, 8.0)),
            "log-normal distribution: p99 is 8, expected more than the median, 8",
        ),
        (
            refused(Dist::gamma(0.0, 1.0)),
            "gamma distribution: shape is 0, expected a number from 0.000000000001 to",
        ),
        (
            refused(Dist::weibull_with_cv(1.0, 0.0)),
            "Weibull distribution: cv is 0, expected a number from 0.001",
        ),
        (
            refused(Dist::pareto_with_mean(1.0, 1.0)),
            "Pareto distribution: shape is 1, expected more than 1, or there is no mean",
        ),
        (refused(mixture(f64::INFINITY)), "mixture: weight is inf, expected a number, 0 or more"),
        (refused(mixture(0.0)), "mixture: sum of the weights is 0, expected a positive number"),
        (
            refused(Dist::empirical(&[], Interpolation::Linear)),
            "empirical distribution: number of percentiles is 0",
        ),
        (
            refused(Dist::empirical(&[(1.0, 5.0), (1.0, 6.0)], Interpolation::Linear)),
            "empirical distribution: percentage is 1, expected more than the one before, 1",
        ),
        (
            refused(Dist::empirical(&[(1.0, 5.0), (2.0, 4.0)], Interpolation::Linear)),
            "empirical distribution: value is 4, expected at least the one before, 5",
        ),
        (
            refused(Dist::empirical(&[(1.0, 0.0)], Interpolation::LogLinear)),
            "empirical distribution: value of a log-linear curve is 0, expected a positive number",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.starts_with(expected), "{found}");
    }
}

proptest! {
    #[test]
    fn any_parameters_are_refused_or_draw(a in any::<f64>(), b in any::<f64>(), p in any::<f64>(), seed: u64) {
        let (near_a, near_b) = (a.abs() % 1e12, b.abs() % 1e3);
        for (a, b) in [(a, b), (near_a, near_b)] {
            let dists = [
                Dist::constant(a),
                Dist::uniform(a, b),
                Dist::exponential(a),
                Dist::log_normal(a, b),
                Dist::log_normal_with_cv(a, b),
                Dist::gamma(a, b),
                Dist::gamma_with_cv(a, b),
                Dist::weibull(b, a),
                Dist::weibull_with_cv(a, b),
                Dist::pareto(a, b),
                Dist::pareto_with_mean(a, b),
                Dist::empirical(&[(10.0, a), (p, b)], Interpolation::Linear),
                Dist::empirical(&[(10.0, a), (p, b)], Interpolation::LogLinear),
            ];
            for dist in dists.into_iter().flatten() {
                let mixture = Dist::mixture([(1.0, dist.clone()), (a.abs() % 5.0, Dist::constant(3.0)?)])?;
                for dist in [dist, mixture] {
                    let draw = dist.draw(&mut Stream::named(seed, "any"));
                    prop_assert!(draw >= 0.0, "{dist:?} drew {draw}");
                    prop_assert!(dist.mean() >= 0.0);
                    prop_assert!(dist.quantile(p.abs() % 1.0) >= 0.0);
                    let _ = dist.scaled(b);
                }
            }
        }
    }
}
