//! An instance for each request that finds none idle, exponential services and expiry. Proves keep-alive.

use crate::exact;
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, exponential};
use wci_sim::model::{KeepAlive, Routing, SECOND};

const ARRIVAL_RATE: f64 = 0.9;
const WARM: f64 = 1.991;
const COLD: f64 = 2.244;

#[test]
fn the_chain_has_the_known_digits() {
    for (expiry, cold, instances, running) in
        [(600.0, 0.008_584_17, 6.429_308, 1.793_855), (60.0, 0.055_439_40, 4.798_251, 1.804_524)]
    {
        let means = exact::per_request(ARRIVAL_RATE, WARM, COLD, expiry);
        assert_digits(means.cold, cold, 8);
        assert_digits(means.instances, instances, 6);
        assert_digits(means.running, running, 6);
    }
}

#[test]
fn starts_as_many_instances_that_stay_for_600_seconds() {
    prove(600.0, Routing::Newest, "newest", 3e5);
}

#[test]
fn starts_as_many_instances_that_stay_for_60_seconds() {
    prove(60.0, Routing::Newest, "newest", 2e5);
}

/// An exponential time has no memory, so the order in which idle instances are taken cannot matter here.
#[test]
fn starts_as_many_instances_in_any_order() {
    prove(60.0, Routing::LongestIdle, "longest idle", 2e5);
    prove(60.0, Routing::Random, "random", 2e5);
}

fn prove(expiry: f64, routing: Routing, order: &str, tasks: f64) {
    let means = exact::per_request(ARRIVAL_RATE, WARM, COLD, expiry);
    let figures = vec![
        Figure::chance_of_cold_start(means.cold),
        Figure::instances(means.instances),
        Figure::running(means.running),
    ];
    let system = |slow: f64, tasks: f64| {
        let keep_alive = KeepAlive::Exponential(expiry * SECOND as f64);
        let (warm, cold) = (exponential(WARM * slow), exponential(COLD * slow));
        let mut system = System::per_request(ARRIVAL_RATE, warm, cold, keep_alive, tasks);
        system.model.routing = routing;
        system
    };
    Proof::new(format!("per request, expiry {expiry} s, {order} first"), tasks, figures, system).run();
}
