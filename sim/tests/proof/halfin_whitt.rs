//! The square-root staffing rule's limit (Halfin, Whitt 1981): with `load + beta * sqrt(load)` servers the chance of
//! waiting depends on beta alone, as the load grows. Proves the formula behind the safety staffing of `rate-based`.

use crate::exact::{erlang_c, halfin_whitt};
use crate::standard::{Figure, Proof, assert_digits};
use crate::support::{System, exponential};

const KNOWN: [(f64, f64); 3] = [(0.5, 0.504_538_64), (1.0, 0.223_361_27), (2.0, 0.026_881_36)];

#[test]
fn the_formula_has_the_known_digits() {
    for (beta, limit) in KNOWN {
        assert_digits(halfin_whitt(beta), limit, 8);
    }
}

/// The error falls as the square root of the load grows: at a load of 10,000 and beta 0.5 it is still 0.2 %.
#[test]
fn exact_chances_approach_the_limit_as_the_load_grows() {
    let off =
        |beta: f64, load: f64| erlang_c((load + beta * load.sqrt()) as u32, load) / halfin_whitt(beta) - 1.0;
    for (beta, _) in KNOWN {
        let errors = [1e4, 1e6].map(|load| off(beta, load));
        assert!((errors[0] / errors[1] - 10.0).abs() < 0.1, "beta {beta}: {errors:?}");
    }
    assert_digits(off(0.5, 1e4), 0.002, 3);
}

/// 25 erlangs, beta 1: five workers more.
#[test]
fn waits_as_the_staffing_rule_promises() {
    let exact = erlang_c(30, 25.0);
    assert!((exact / halfin_whitt(1.0) - 1.0).abs() < 0.15, "{exact}");
    let system = |slow, tasks| System::servers(30, 25.0, exponential(slow), tasks);
    let figures = vec![Figure::chance_of_waiting(exact)];
    Proof::new("M/M/30, load 25 (beta 1)", 1e6, figures, system).run();
}
