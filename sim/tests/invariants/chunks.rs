//! How a run is cut into calls changes nothing: a page that pauses and scrubs sees the run that the command line sees.

use crate::any::Scenario;
use crate::harness::{ensure, for_every_seed};
use wci_sim::driver::Quiet;
use wci_sim::model::Nanos;
use wci_sim::results::RunResult;
use wci_sim::rng::Stream;

#[test]
fn cutting_a_run_changes_nothing() {
    for_every_seed("cutting_a_run_changes_nothing", |scenario| {
        let whole = scenario.run(&mut Quiet)?;
        let mut stream = Stream::named(scenario.model.seed, "cuts");
        let cut = run_in_pieces(scenario, |now, next| match stream.below(4) {
            // Nothing new, the next event and no more, just before it, and far beyond.
            0 => now,
            1 => next,
            2 => next.saturating_sub(1).max(now),
            _ => now + stream.below(scenario.model.horizon / 20),
        })?;
        same(&whole, &cut)
    });
}

/// `until` says from now and the next event's time how far the next piece goes.
fn run_in_pieces(
    scenario: &Scenario,
    mut until: impl FnMut(Nanos, Nanos) -> Nanos,
) -> Result<RunResult, String> {
    let mut simulation = scenario.simulation();
    while !simulation.is_done() {
        let world = simulation.world();
        let next = world.queue.next_time().clamp(world.now, world.now + scenario.model.horizon);
        let until = until(world.now, next);
        simulation.run_until(until, &mut Quiet).map_err(|e| e.to_string())?;
    }
    simulation.finish().map_err(|e| e.to_string())
}

/// Whether two runs are the same in all they say.
pub fn same(a: &RunResult, b: &RunResult) -> Result<(), String> {
    ensure(a.summary == b.summary, || format!("summaries differ:\n{:?}\n{:?}", a.summary, b.summary))?;
    ensure(a.worker_means == b.worker_means, || format!("{:?} and {:?}", a.worker_means, b.worker_means))?;
    ensure(a.timeline == b.timeline, || "timelines differ".into())?;
    ensure(a.decisions == b.decisions, || "decisions differ".into())?;
    ensure(a.performance.events == b.performance.events, || "numbers of events differ".into())
}
