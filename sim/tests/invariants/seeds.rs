//! The seed decides a run, and nothing else does.

use crate::any::Scenario;
use crate::chunks::same;
use crate::harness::{ensure, for_every_seed};
use wci_sim::driver::Quiet;

#[test]
fn the_same_seed_gives_the_same_run() {
    for_every_seed("the_same_seed_gives_the_same_run", |scenario| {
        same(&scenario.run(&mut Quiet)?, &scenario.run(&mut Quiet)?)
    });
}

#[test]
fn another_seed_gives_another_digest() {
    for_every_seed("another_seed_gives_another_digest", |scenario| {
        let mut other = Scenario { model: scenario.model.clone(), arrivals: scenario.arrivals.clone() };
        other.model.seed += 1 << 32;
        let digests = [scenario.run(&mut Quiet)?.summary.digest, other.run(&mut Quiet)?.summary.digest];
        ensure(digests[0] != digests[1], || format!("both have the digest {}", digests[0]))
    });
}

/// Names and titles are no part of what happened.
#[test]
fn names_do_not_change_the_digest() {
    for_every_seed("names_do_not_change_the_digest", |scenario| {
        let mut other = Scenario { model: scenario.model.clone(), arrivals: scenario.arrivals.clone() };
        other.model.title = "another title".into();
        other.model.name = "another-name".into();
        let digests = [scenario.run(&mut Quiet)?.summary.digest, other.run(&mut Quiet)?.summary.digest];
        ensure(digests[0] == digests[1], || format!("digests {digests:?}"))
    });
}
