//! Setup as in [`crate::setup`], but idle servers stay for an exponential time. Proves starting, cancelling and idle
//! exit together.

use crate::exact;
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, exponential};

/// Mean setup.
const SETUP: f64 = 10.0;

#[test]
fn the_chain_has_the_known_digits() {
    for (off, sojourn, on) in [(10.0, 1.840_014, 3.270_842), (100.0, 1.198_501, 4.265_313)] {
        let means = exact::setup(5, 2.5, SETUP, off);
        assert_digits(means.sojourn, sojourn, 6);
        assert_digits(means.on, on, 6);
    }
}

#[test]
fn five_servers_stay_for_10_seconds() {
    prove(5, 0.5, 10.0, 2e5);
}

#[test]
fn five_servers_stay_for_100_seconds() {
    prove(5, 0.5, 100.0, 2e5);
}

#[test]
fn twenty_busier_servers_stay_for_30_seconds() {
    prove(20, 0.7, 30.0, 3e5);
}

fn prove(servers: u32, utilization: f64, off: f64, tasks: f64) {
    let rate = f64::from(servers) * utilization;
    let means = exact::setup(servers as usize, rate, SETUP, off);
    let figures = vec![
        Figure::mean_sojourn(means.sojourn),
        Figure::in_setup(means.in_setup),
        Figure::servers_on(means.on),
    ];
    let system =
        |slow, tasks| System::with_setup(servers, rate, exponential(slow), SETUP, exponential(off), tasks);
    let name = format!("M/M/{servers} with setup, utilization {utilization}, off after {off} s");
    Proof::new(name, tasks, figures, system).run();
}
