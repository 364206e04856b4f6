//! Servers that are switched on for waiting tasks and off when idle (Welch 1964; Gandhi, Doroudi, Harchol-Balter,
//! Scheller-Wolf 2013). Proves cold starts and their cancellation.

use crate::exact;
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, constant, exponential};

/// Mean setup.
const SETUP: f64 = 10.0;

#[test]
fn the_chain_has_the_known_digits() {
    for (servers, utilization, sojourn, in_setup) in
        [(2, 0.5, 7.117_807, 0.829_142), (5, 0.5, 3.889_140, 1.972_931), (50, 0.8, 1.706_492, 8.204_935)]
    {
        let means = exact::setup(servers, servers as f64 * utilization, SETUP, 0.0);
        assert_digits(means.sojourn, sojourn, 6);
        assert_digits(means.in_setup, in_setup, 6);
    }
}

/// Two ways to the same number: the chain of one server and Welch's formula.
#[test]
fn the_chain_of_one_server_agrees_with_welch() {
    assert_digits(exact::welch(0.5, SETUP), 12.0, 12);
    for arrival_rate in [0.2, 0.5, 0.7] {
        let means = exact::setup(1, arrival_rate, SETUP, 0.0);
        assert_digits(means.sojourn, exact::welch(arrival_rate, SETUP), 9);
    }
}

#[test]
fn one_server_sojourns_as_welch_says() {
    let figures = vec![Figure::mean_sojourn(exact::welch(0.5, SETUP))];
    // Services are a sixth of the sojourn only, so that slow ones take longer to give themselves away.
    prove("M/M/1 with setup, utilization 0.5", 1, 0.5, 6e5, figures);
}

#[test]
fn two_servers_start_as_the_chain_says() {
    prove_chain(2, 0.5, 2e5);
}

#[test]
fn five_servers_start_as_the_chain_says() {
    prove_chain(5, 0.5, 2e5);
}

#[test]
fn eight_busier_servers_start_as_the_chain_says() {
    prove_chain(8, 0.7, 2e5);
}

#[test]
fn fifty_servers_start_as_the_chain_says() {
    prove_chain(50, 0.8, 3e5);
}

fn prove_chain(servers: u32, utilization: f64, tasks: f64) {
    let means = exact::setup(servers as usize, f64::from(servers) * utilization, SETUP, 0.0);
    let figures = vec![Figure::mean_sojourn(means.sojourn), Figure::in_setup(means.in_setup)];
    let name = format!("M/M/{servers} with setup, utilization {utilization}");
    prove(&name, servers, utilization, tasks, figures);
}

fn prove(name: &str, servers: u32, utilization: f64, tasks: f64, figures: Vec<Figure>) {
    let system = |slow, tasks| {
        let rate = f64::from(servers) * utilization;
        System::with_setup(servers, rate, exponential(slow), SETUP, constant(0.0), tasks)
    };
    Proof::new(name, tasks, figures, system).run();
}
