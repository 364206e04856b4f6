//! The standard every claim is held to, and its counterproof.
//!
//! Seeds 1 to 30, fixed beforehand. A figure is reproduced if its 95 % interval (Student) reaches at most 1 % of the
//! mean to either side and the mean lies within 4 standard errors of the exact value. The same test with services
//! whose rate is 3 % too low has to be refused: a test that cannot fail proves nothing.

use crate::book;
use crate::support::System;
use rayon::prelude::*;
use wci_sim::results::RunResult;

/// The seeds of all proofs.
pub const SEEDS: std::ops::RangeInclusive<u64> = 1..=30;
/// Quantile 0.975 of Student's distribution with 29 degrees of freedom.
const STUDENT: f64 = 2.045_229_642_132_703;
/// The widest interval to either side, relative to the mean.
const WIDEST: f64 = 0.01;
/// The farthest mean, in standard errors.
const FARTHEST: f64 = 4.0;
/// Factor on services of the counterproof.
const TOO_SLOW: f64 = 1.0 / 0.97;

/// One figure of a system.
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// What theory says.
    pub exact: f64,
    /// What a run says.
    pub of: fn(&RunResult) -> f64,
}

impl Figure {
    /// Share of tasks that waited.
    pub fn chance_of_waiting(exact: f64) -> Self {
        let of = |run: &RunResult| 1.0 - run.summary.total.sync_match_ratio.unwrap_or(f64::NAN);
        Self { name: "chance of waiting", exact, of }
    }

    /// Mean wait in seconds.
    pub fn mean_wait(exact: f64) -> Self {
        let of = |run: &RunResult| run.summary.total.schedule_to_start.mean.unwrap_or(f64::NAN) / 1000.0;
        Self { name: "mean wait (s)", exact, of }
    }

    /// Mean sojourn in seconds.
    pub fn mean_sojourn(exact: f64) -> Self {
        let of = |run: &RunResult| run.summary.total.sojourn.mean.unwrap_or(f64::NAN) / 1000.0;
        Self { name: "mean sojourn (s)", exact, of }
    }

    /// Share of requests that were refused.
    pub fn refused(exact: f64) -> Self {
        let of = |run: &RunResult| {
            let tasks = &run.summary.total.tasks;
            tasks.rejected as f64 / tasks.arrived as f64
        };
        Self { name: "share refused", exact, of }
    }

    /// Share of requests that started their instance.
    pub fn chance_of_cold_start(exact: f64) -> Self {
        let of = |run: &RunResult| run.summary.total.workers.cold_start_ratio.unwrap_or(f64::NAN);
        Self { name: "chance of a cold start", exact, of }
    }

    /// Mean number of instances.
    pub fn instances(exact: f64) -> Self {
        Self { name: "instances", exact, of: |run| run.summary.total.workers.mean }
    }

    /// Mean number of running requests.
    pub fn running(exact: f64) -> Self {
        Self { name: "running", exact, of: |run| run.worker_means.busy_slots }
    }

    /// Mean number of servers in setup.
    pub fn in_setup(exact: f64) -> Self {
        Self { name: "servers in setup", exact, of: |run| run.worker_means.starting }
    }

    /// Mean number of servers that are on.
    pub fn servers_on(exact: f64) -> Self {
        Self { name: "servers on", exact, of: |run| run.worker_means.ready }
    }
}

/// Mean of the replications and its standard error.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    pub mean: f64,
    pub standard_error: f64,
}

impl Estimate {
    /// From one value a seed.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self { mean, standard_error: (squares / (n - 1.0) / n).sqrt() }
    }

    /// Half the width of the 95 % interval.
    pub fn half_width(self) -> f64 {
        STUDENT * self.standard_error
    }

    /// Half the width of the 95 % interval relative to the mean.
    pub fn relative_half_width(self) -> f64 {
        self.half_width() / self.mean.abs()
    }

    /// How many standard errors it lies above the exact value.
    pub fn distance(self, exact: f64) -> f64 {
        (self.mean - exact) / self.standard_error
    }

    /// Whether it reproduces the exact value.
    ///
    /// # Errors
    /// Says what the standard refuses.
    pub fn judge(self, exact: f64) -> Result<(), String> {
        let (width, distance) = (self.relative_half_width(), self.distance(exact));
        let is_narrow = width <= WIDEST;
        let is_near = distance.abs() <= FARTHEST;
        match (is_narrow, is_near) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("the interval of {} is +-{:.2} %: too wide", self.mean, 100.0 * width)),
            (true, false) => Err(format!("{} is {distance:+.1} standard errors from {exact}", self.mean)),
        }
    }
}

/// Runs all seeds and gives each figure's estimate.
pub fn replicate(system: &System, figures: &[Figure]) -> Vec<Estimate> {
    let figures_of = |run: &RunResult| figures.iter().map(|figure| (figure.of)(run)).collect::<Vec<f64>>();
    let runs: Vec<Vec<f64>> = SEEDS.into_par_iter().map(|seed| figures_of(&system.run(seed))).collect();
    let values = |i: usize| runs.iter().map(|run| run[i]).collect::<Vec<f64>>();
    (0..figures.len()).map(|i| Estimate::of(&values(i))).collect()
}

/// A system held to the standard. `system` makes it from a factor on all services and the number of tasks.
pub struct Proof<S> {
    pub name: String,
    pub figures: Vec<Figure>,
    /// Tasks of one replication.
    pub tasks: f64,
    /// Tasks of one replication of the counterproof: as many, or fewer where so many are not needed to refuse it.
    pub counterproof_tasks: f64,
    pub system: S,
}

impl<S: Fn(f64, f64) -> System> Proof<S> {
    /// A proof whose counterproof is as long.
    pub fn new(name: impl Into<String>, tasks: f64, figures: Vec<Figure>, system: S) -> Self {
        Self { name: name.into(), figures, tasks, counterproof_tasks: tasks, system }
    }

    /// Holds the system to the standard: as theory has it, it reproduces every figure, with slow services it does not.
    pub fn run(self) {
        let estimates = replicate(&(self.system)(1.0, self.tasks), &self.figures);
        let rows: Vec<_> = self.figures.iter().zip(&estimates).collect();
        for (figure, estimate) in &rows {
            println!("{}", book::row(&self.name, figure, **estimate));
        }
        for (figure, estimate) in &rows {
            let verdict = estimate.judge(figure.exact);
            verdict.unwrap_or_else(|why| panic!("{}, {}: {why}", self.name, figure.name));
            book::check(&self.name, figure, **estimate);
        }
        self.refuse_slow_services();
    }

    /// The counterproof. Too wide an interval is no refusal: a mean itself has to give it away.
    fn refuse_slow_services(&self) {
        let slow = (self.system)(TOO_SLOW, self.counterproof_tasks);
        let estimates = replicate(&slow, &self.figures);
        let mut distances = self.figures.iter().zip(&estimates).map(|(f, e)| e.distance(f.exact));
        assert!(
            distances.any(|distance| distance.abs() > FARTHEST),
            "{}: services 3 % too slow pass as well, so this proves nothing: {estimates:?}",
            self.name
        );
    }
}

/// Asserts that a computed value has the known digits.
pub fn assert_digits(computed: f64, known: f64, decimals: i32) {
    let unit = libm::pow(10.0, f64::from(-decimals));
    assert!((computed - known).abs() <= unit, "{computed} instead of {known}");
}

#[test]
fn judges_means_and_intervals() {
    let estimate = Estimate { mean: 1.0, standard_error: 0.004 };
    assert!(estimate.judge(1.015).is_ok());
    assert!(estimate.judge(1.017).is_err(), "more than 4 standard errors off");
    assert!(Estimate { standard_error: 0.005, ..estimate }.judge(1.0).is_err(), "wider than 1 %");
    assert!(Estimate { mean: f64::NAN, ..estimate }.judge(1.0).is_err(), "no number");
    assert!(Estimate { standard_error: f64::NAN, ..estimate }.judge(1.0).is_err(), "no interval");
}

#[test]
fn estimates_mean_and_standard_error() {
    let estimate = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(estimate.mean, 3.0);
    assert_digits(estimate.standard_error, 0.5_f64.sqrt(), 12);
}
