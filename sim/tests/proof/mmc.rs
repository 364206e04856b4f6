//! M/M/c under the real controller, which keeps the workers there by the algorithm `fixed`. Proves matching, slots and
//! queues.

use crate::exact;
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, exponential};

#[test]
fn the_formulas_have_the_known_digits() {
    for (servers, load, chance, wait) in [
        (2, 1.6, 0.711_111_111_1, 1.777_777_777_8),
        (10, 9.0, 0.668_731_524_1, 0.668_731_524_1),
        (50, 45.0, 0.363_864_467_2, 0.072_772_893_4),
    ] {
        assert_digits(exact::erlang_c(servers, load), chance, 10);
        assert_digits(exact::mean_wait(servers, load), wait, 10);
    }
}

#[test]
fn waits_as_with_2_servers_at_utilization_0_8() {
    prove(2, 0.8, 8e5);
}

#[test]
fn waits_as_with_10_servers_at_utilization_0_9() {
    prove(10, 0.9, 2.8e6);
}

#[test]
fn waits_as_with_50_servers_at_utilization_0_9() {
    prove(50, 0.9, 7e6);
}

fn prove(servers: u32, utilization: f64, tasks: f64) {
    let load = f64::from(servers) * utilization;
    let figures = vec![
        Figure::chance_of_waiting(exact::erlang_c(servers, load)),
        Figure::mean_wait(exact::mean_wait(servers, load)),
    ];
    let system = |slow, tasks| System::controlled_servers(servers, load, exponential(slow), tasks);
    let name = format!("M/M/{servers}, utilization {utilization}");
    Proof { counterproof_tasks: 1e6, ..Proof::new(name, tasks, figures, system) }.run();
}
