//! M/G/1 (Pollaczek, Khinchine): the mean wait depends on the services' mean and variance alone. Proves service
//! distributions.
//!
//! The log-normal rows cost most of this suite's time: with a squared coefficient of variation of 9 a rare long
//! service decides, and the error falls slowly.

use crate::exact;
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, constant, exponential, log_normal};
use wci_sim::dist::Dist;

#[test]
fn the_formula_has_the_known_digits() {
    for (squared_cv, waits) in [(0.0, [0.5, 2.0, 4.5]), (1.0, [1.0, 4.0, 9.0]), (9.0, [5.0, 20.0, 45.0])] {
        for (utilization, wait) in [0.5, 0.8, 0.9].into_iter().zip(waits) {
            assert_digits(exact::pollaczek_khinchine(utilization, squared_cv), wait, 10);
        }
    }
}

#[test]
fn waits_behind_deterministic_services() {
    prove("M/D/1", constant, 0.0, [(0.5, 1e5), (0.8, 3e5), (0.9, 8e5)]);
}

#[test]
fn waits_behind_exponential_services() {
    prove("M/M/1", exponential, 1.0, [(0.5, 2e5), (0.8, 6e5), (0.9, 1.8e6)]);
}

#[test]
fn waits_behind_log_normal_services_at_utilization_0_5() {
    prove("M/G/1, log-normal", |mean| log_normal(mean, 9.0), 9.0, [(0.5, 1.1e7)]);
}

#[test]
fn waits_behind_log_normal_services_at_utilization_0_8() {
    prove("M/G/1, log-normal", |mean| log_normal(mean, 9.0), 9.0, [(0.8, 1.2e7)]);
}

#[test]
fn waits_behind_log_normal_services_at_utilization_0_9() {
    prove("M/G/1, log-normal", |mean| log_normal(mean, 9.0), 9.0, [(0.9, 1.7e7)]);
}

/// `cases` are utilizations with the number of tasks they need.
fn prove<const N: usize>(name: &str, service: fn(f64) -> Dist, squared_cv: f64, cases: [(f64, f64); N]) {
    for (utilization, tasks) in cases {
        let figures = vec![Figure::mean_wait(exact::pollaczek_khinchine(utilization, squared_cv))];
        let system = |slow, tasks| System::servers(1, utilization, service(slow), tasks);
        let name = format!("{name}, utilization {utilization}");
        let proof = Proof::new(name, tasks, figures, system);
        Proof { counterproof_tasks: tasks.min(2e6), ..proof }.run();
    }
}
