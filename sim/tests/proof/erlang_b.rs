//! Erlang B: requests that find every instance busy are refused. Proves limits on concurrency.

use crate::exact;
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, exponential, log_normal, nanos};
use wci_sim::dist::Dist;
use wci_sim::model::KeepAlive;

#[test]
fn the_formula_has_the_known_digits() {
    assert_digits(exact::erlang_b(5, 3.0), 0.110_054_347_8, 10);
    assert_digits(exact::erlang_b(10, 5.0), 0.018_384_570_3, 10);
    assert_digits(exact::erlang_b(50, 45.0), 0.054_104_472_2, 10);
}

#[test]
fn refuses_as_many_of_5_servers_at_load_3() {
    prove("Erlang B, 5 servers, load 3", 5, 3.0, 1e5, exponential);
}

#[test]
fn refuses_as_many_of_10_servers_at_load_5() {
    prove("Erlang B, 10 servers, load 5", 10, 5.0, 5e5, exponential);
}

#[test]
fn refuses_as_many_of_50_servers_at_load_45() {
    prove("Erlang B, 50 servers, load 45", 50, 45.0, 4e5, exponential);
}

/// The formula holds for services of any distribution.
#[test]
fn refuses_as_many_when_services_vary_widely() {
    let service = |mean| log_normal(mean, 9.0);
    prove("Erlang B, 5 servers, load 3, log-normal services", 5, 3.0, 2e5, service);
}

/// Instances of the platform's per-request mode are the servers. How long idle ones stay must not matter.
fn prove(name: &str, servers: u32, load: f64, tasks: f64, service: fn(f64) -> Dist) {
    let figures = vec![Figure::refused(exact::erlang_b(servers, load))];
    let system = |slow: f64, tasks: f64| {
        let keep_alive = KeepAlive::Fixed(nanos(0.5));
        let mut system = System::per_request(load, service(slow), service(slow), keep_alive, tasks);
        system.model.groups[0].provider.concurrency = Some(servers);
        system
    };
    Proof::new(name, tasks, figures, system).run();
}
