//! Draws per second of each family beside `rand_distr`, in one run on one core.
//!
//! `cargo bench --package wci-sim --bench draws`

use rand_distr::Distribution;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use std::hint::black_box;
use wci_sim::dist::{Dist, Interpolation, ParameterError};
use wci_sim::rng::Stream;
use wci_sim::workload::{Arrivals, BLOCK, Block, Expand, Gaps, Phases, Rate, SyntheticSource};

/// Blocks a run, and runs.
const BLOCKS: usize = 64;
const RUNS: usize = 100;

fn main() -> Result<(), ParameterError> {
    println!("{:<24} {:>10} {:>10} {:>12}", "family", "M/s", "ns each", "rand_distr");
    for (name, dist, reference) in families()? {
        let ours = dist_rate(&dist);
        let theirs = reference
            .map_or(String::from("-"), |sample| format!("{:.1}", rate(|| reference_block(&*sample))));
        println!("{name:<24} {ours:>10.1} {:>10.2} {theirs:>12}", 1e3 / ours);
    }
    println!("\n{:<24} {:>10} {:>10}", "arrivals and services", "M/s", "ns each");
    for (name, arrivals) in processes()? {
        let ours = source_rate(&arrivals)?;
        println!("{name:<24} {ours:>10.1} {:>10.2}", 1e3 / ours);
    }
    Ok(())
}

fn processes() -> Result<Vec<(&'static str, Arrivals)>, ParameterError> {
    let day = 86_400_000_000_000;
    let minutes: Vec<f64> = (0..1440).map(|minute| f64::from(minute % 90) * 1e4).collect();
    let counts = vec![1_000_000; 100_000];
    Ok(vec![
        ("constant", Arrivals::constant(1e6)?),
        ("Poisson", Arrivals::poisson(1e6)?),
        ("gamma, cv 2", Arrivals::new(Gaps::Gamma { cv: 2.0 }, Rate::constant(1e6)?)?),
        ("Weibull, cv 2", Arrivals::new(Gaps::Weibull { cv: 2.0 }, Rate::constant(1e6)?)?),
        ("sinusoid", Arrivals::new(Gaps::Exponential, Rate::sinusoid(1e6, 9e5, day, 0)?)?),
        ("profile", Arrivals::new(Gaps::Exponential, Rate::intervals(day / 1440, &minutes, true)?)?),
        ("ramp", Arrivals::new(Gaps::Exponential, Rate::ramps(&[(0, 0.0), (day, 1e7)])?)?),
        (
            "on-off",
            Arrivals::new(Gaps::Exponential, Rate::on_off(2e6, 1 << 30, 1 << 30, Phases::Exponential)?)?,
        ),
        ("bursts", Arrivals::bursts(0, 1_000_000_000, 1_000_000, 500_000_000)?),
        ("bulk", Arrivals::bulk((0..100_000).map(|i| (i, 1_000_000)).collect())),
        ("counts, even", Arrivals::counts(0, 1_000_000_000, counts, Expand::Even)?),
    ])
}

/// With exponential services.
fn source_rate(arrivals: &Arrivals) -> Result<f64, ParameterError> {
    let mut source = SyntheticSource::new(1, "draws", arrivals, Dist::exponential(1e6)?, u64::MAX);
    let mut block = Block::default();
    Ok(rate(|| {
        move || {
            source.fill(&mut block);
            assert_eq!(black_box(&block).at.len(), BLOCK);
        }
    }))
}

type Reference = Box<dyn Fn(&mut Pcg64Mcg, &mut [u64])>;
type Family = (&'static str, Dist, Option<Reference>);

fn families() -> Result<Vec<Family>, ParameterError> {
    let seven = [(0.0, 1e6), (1.0, 2e6), (25.0, 9e6), (50.0, 2e7), (75.0, 9e7), (99.0, 2e9), (100.0, 9e9)];
    Ok(vec![
        ("uniform", Dist::uniform(1e6, 9e6)?, reference(rand_distr::Uniform::new(1e6, 9e6))),
        ("exponential", Dist::exponential(1e6)?, reference(rand_distr::Exp::new(1e-6))),
        ("log-normal", Dist::log_normal(1e6, 9e6)?, reference(rand_distr::LogNormal::new(13.8, 0.94))),
        ("gamma, cv 0.5", Dist::gamma_with_cv(1e6, 0.5)?, reference(rand_distr::Gamma::new(4.0, 0.25e6))),
        ("gamma, cv 2", Dist::gamma_with_cv(1e6, 2.0)?, reference(rand_distr::Gamma::new(0.25, 4e6))),
        ("Weibull", Dist::weibull(0.7, 1e6)?, reference(rand_distr::Weibull::new(1e6, 0.7))),
        ("Pareto", Dist::pareto(1e6, 1.5)?, reference(rand_distr::Pareto::new(1e6, 1.5))),
        ("empirical, linear", Dist::empirical(&seven, Interpolation::Linear)?, None),
        ("empirical, log-linear", Dist::empirical(&seven, Interpolation::LogLinear)?, None),
        ("mixture", mixture()?, None),
    ])
}

fn mixture() -> Result<Dist, ParameterError> {
    Dist::mixture([(9.0, Dist::exponential(1e6)?), (1.0, Dist::constant(1e8)?)])
}

fn reference<D: Distribution<f64> + 'static, E>(distribution: Result<D, E>) -> Option<Reference> {
    let distribution = distribution.ok()?;
    Some(Box::new(move |rng, out| out.iter_mut().for_each(|x| *x = distribution.sample(rng) as u64)))
}

fn reference_block(sample: &dyn Fn(&mut Pcg64Mcg, &mut [u64])) -> impl FnMut() {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut out = vec![0; BLOCK];
    move || {
        sample(&mut rng, &mut out);
        black_box(&out);
    }
}

fn dist_rate(dist: &Dist) -> f64 {
    let mut stream = Stream::named(1, "draws");
    let mut out = Vec::with_capacity(BLOCK);
    rate(|| {
        move || {
            out.clear();
            dist.fill(&mut stream, BLOCK, &mut out);
            black_box(&out);
        }
    })
}

/// Millions of draws a second: the best of many short runs, for the machine is shared.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn rate<F: FnMut()>(start: impl FnOnce() -> F) -> f64 {
    let mut block = start();
    let run = |_| {
        let begin = std::time::Instant::now();
        (0..BLOCKS).for_each(|_| block());
        begin.elapsed().as_secs_f64()
    };
    let best = (0..RUNS).map(run).fold(f64::INFINITY, f64::min);
    (BLOCKS * BLOCK) as f64 / best / 1e6
}
