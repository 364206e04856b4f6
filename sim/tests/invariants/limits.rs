//! Limits hold at every moment: no more workers than the provider's concurrency, no more tasks than slots.

use crate::harness::{ensure, for_every_seed};
use wci_sim::driver::Quiet;
use wci_sim::model::MILLI;
use wci_sim::worker::{Worker, WorkerState};
use wci_sim::world::World;

#[test]
fn workers_and_slots_stay_within_their_limits() {
    for_every_seed("workers_and_slots_stay_within_their_limits", |scenario| {
        let mut simulation = scenario.simulation();
        while !simulation.is_done() {
            // Event by event at first, then in steps.
            let world = simulation.world();
            let is_early = world.events < 2000;
            let until = if is_early { world.queue.next_time() } else { world.now + 500 * MILLI };
            let until = until.clamp(world.now, world.now + 500 * MILLI);
            simulation.run_until(until, &mut Quiet).map_err(|e| e.to_string())?;
            let world = simulation.world();
            (0..world.groups.len()).try_for_each(|group| check(world, group))?;
        }
        let run = simulation.finish().map_err(|e| e.to_string())?;
        for group in &scenario.model.groups {
            let most = run.summary.groups[&*group.name].workers.max;
            let limit = group.provider.concurrency.map_or(u64::MAX, u64::from);
            ensure(most <= limit, || format!("{}: {most} workers, {limit} allowed", group.name))?;
        }
        Ok(())
    });
}

/// The books against the workers themselves.
fn check(world: &World, group: usize) -> Result<(), String> {
    let state = &world.groups[group];
    let levels = *state.ledger.levels();
    let mut counted = [0_u64; 5];
    for worker in world.workers_of(group) {
        check_worker(world, group, worker)?;
        let place = match worker.state {
            WorkerState::Starting => 0,
            WorkerState::Ready => 1,
            WorkerState::Draining => 2,
            WorkerState::Gone => continue,
        };
        counted[place] += 1;
        counted[3] += u64::from(worker.running);
        if worker.state != WorkerState::Starting {
            counted[4] += state.lanes.iter().map(|&lane| slots(world, group, lane)).sum::<u64>();
        }
    }
    let booked = [levels.starting, levels.ready, levels.draining, levels.busy, levels.slots];
    ensure(booked == counted, || {
        format!("at {} ns the books of group {group} say {booked:?}, its workers {counted:?}", world.now)
    })?;
    ensure(levels.busy <= levels.slots, || format!("{} tasks in {} slots", levels.busy, levels.slots))
}

fn check_worker(world: &World, group: usize, worker: &Worker) -> Result<(), String> {
    let model = &world.groups[group].model.worker;
    let mut running = 0;
    for (lane, state) in world.groups[group].lanes.iter().zip(&worker.lanes) {
        let slots = slots(world, group, *lane) as u32;
        let pollers = model.pollers[world.lanes[*lane].task_type.index()];
        ensure(state.free <= slots, || {
            format!("at {} ns: more free slots than slots: {worker:?}", world.now)
        })?;
        let most = pollers.min(state.free);
        ensure(state.polls <= most, || format!("at {} ns: more polls than {most}: {worker:?}", world.now))?;
        running += slots - state.free;
    }
    ensure(running == worker.running, || format!("at {} ns: {running} slots taken: {worker:?}", world.now))
}

fn slots(world: &World, group: usize, lane: usize) -> u64 {
    world.groups[group].model.worker.slots[world.lanes[lane].task_type.index()].into()
}
