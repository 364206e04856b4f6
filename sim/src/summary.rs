//! From the books to the summary.

use crate::digest::Digest;
use crate::ledger::{Integrals, Ledger};
use crate::model::{MILLI, Model, Nanos, SECOND};
use crate::pool::{Bounds, Pool, Ratio, Sample, quantiles};
use crate::results::{ActionCounts, Backlog, Cost, Figures, Summary, Tasks, WorkerMeans, Workers};
use crate::timeline::TimelineRecorder;
use crate::world::World;
use std::collections::BTreeMap;
use wci_core::gather;

/// Lower bounds of what is not known yet: ages of measured tasks that wait or are not done.
#[derive(Debug, Default)]
struct Open {
    waits: Bounds,
    sojourns: Bounds,
}

/// One group's books with what the summary adds to them.
struct Closed<'a> {
    ledger: &'a Ledger,
    integrals: Integrals,
    measured: Integrals,
    open: Open,
    cost: f64,
    grew: bool,
    oldest: Nanos,
}

/// The summary of a run, and by group what replications are pooled from; `None` if the two accumulators of waiting time differ or a task is missing.
pub fn summarize(
    model: &Model,
    world: &mut World,
    timeline: &mut TimelineRecorder,
    is_overloaded: bool,
    mut digest: Digest,
) -> Option<(Summary, BTreeMap<String, Pool>)> {
    let now = world.now;
    if !world.is_conserved() {
        return None;
    }
    let (measured, span) = timeline.measured(world);
    let all: Vec<Integrals> = world.groups.iter_mut().map(|group| group.ledger.integrals(now)).collect();
    let mut closed = Vec::new();
    for group in 0..world.groups.len() {
        let ledger = &world.groups[group].ledger;
        if all[group].backlog != ledger.sum_of_waits + world.sum_of_ages(group) {
            return None;
        }
        feed(&mut digest, ledger, &all[group]);
        closed.push(Closed {
            ledger,
            integrals: all[group],
            measured: measured[group],
            open: open_tasks(world, group),
            cost: ledger.cost + world.cost_of_living_workers(group),
            grew: timeline.backlog_grew(group),
            oldest: world.oldest_wait(group),
        });
    }
    let names = model.groups.iter().map(|group| group.name.to_string());
    let mut groups = BTreeMap::new();
    let mut pools = BTreeMap::new();
    for (name, books) in names.zip(&closed) {
        pools.insert(name.clone(), pool(books));
        let stuck = is_overloaded && books.ledger.levels().backlog + books.ledger.levels().retrying > 0;
        groups.insert(name, figures(std::slice::from_ref(books), span, stuck));
    }
    let mut total = figures(&closed, span, is_overloaded);
    total.backlog.max = world.max_backlog;
    total.cost_usd.groups = gather(groups.iter().map(|(name, f)| (name.clone(), f.cost_usd.total)));
    let summary = Summary {
        scenario: model.name.clone(),
        seed: model.seed,
        digest: digest.text(),
        routing: model.routing,
        total,
        groups,
    };
    Some((summary, pools))
}

/// What replications are pooled from.
fn pool(books: &Closed<'_>) -> Pool {
    let c = &books.ledger.counters;
    Pool {
        waits: Sample::new(&books.ledger.waits, &books.open.waits),
        sojourns: Sample::new(&books.ledger.sojourns, &books.open.sojourns),
        sync_match: Ratio::new(c.measured_sync_matched as f64, c.measured_added as f64),
        cold_start: Ratio::new(c.cold_started as f64, c.measured as f64),
        utilization: Ratio::new(books.integrals.busy as f64, books.integrals.slots as f64),
    }
}

/// The mean numbers of workers of all groups, in their parts.
pub fn worker_means(world: &mut World, timeline: &mut TimelineRecorder) -> WorkerMeans {
    let (measured, span) = timeline.measured(world);
    let mean = |of: fn(&Integrals) -> u128| {
        let sum: u128 = measured.iter().map(of).sum();
        if span > 0 { sum as f64 / span as f64 } else { 0.0 }
    };
    WorkerMeans {
        starting: mean(|i| i.starting),
        ready: mean(|i| i.ready),
        draining: mean(|i| i.draining),
        busy_slots: mean(|i| i.busy),
    }
}

fn figures(books: &[Closed<'_>], span: Nanos, is_stuck: bool) -> Figures {
    let sum = |of: fn(&Closed<'_>) -> u64| books.iter().map(of).sum::<u64>();
    let integral = |of: fn(&Closed<'_>) -> u128| books.iter().map(of).sum::<u128>();
    let seconds = |integral: u128| integral as f64 / SECOND as f64;
    let measured = sum(|b| b.ledger.counters.measured);
    let measured_added = sum(|b| b.ledger.counters.measured_added);
    let busy = integral(|b| b.integrals.busy);
    let slots = integral(|b| b.integrals.slots);
    let mean = |integral: u128| if span > 0 { integral as f64 / span as f64 } else { 0.0 };
    let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let longest = books.iter().map(|b| b.ledger.longest_wait.max(b.oldest)).max().unwrap_or(0);
    let waits = books.iter().map(|b| (&b.ledger.waits, &b.open.waits));
    let sojourns = books.iter().map(|b| (&b.ledger.sojourns, &b.open.sojourns));
    Figures {
        overloaded: is_stuck || books.iter().any(|b| b.grew),
        tasks: Tasks {
            arrived: sum(|b| b.ledger.counters.arrived),
            measured,
            completed: sum(|b| b.ledger.counters.completed),
            waiting: sum(|b| b.ledger.levels().backlog),
            running: sum(|b| b.ledger.levels().busy),
            retrying: sum(|b| b.ledger.levels().retrying),
            failed: sum(|b| b.ledger.counters.failed),
            rejected: sum(|b| b.ledger.counters.rejected),
        },
        sync_match_ratio: ratio(sum(|b| b.ledger.counters.measured_sync_matched), measured_added),
        schedule_to_start: quantiles(waits),
        sojourn: quantiles(sojourns),
        backlog: Backlog {
            mean: mean(integral(|b| b.measured.backlog)),
            max: sum(|b| b.ledger.max_backlog),
            max_age: longest as f64 / MILLI as f64,
        },
        workers: Workers {
            mean: mean(integral(|b| b.measured.starting + b.measured.ready + b.measured.draining)),
            max: sum(|b| b.ledger.max_workers),
            started: sum(|b| b.ledger.counters.started),
            never_used: sum(|b| b.ledger.counters.never_used),
            cold_start_ratio: ratio(sum(|b| b.ledger.counters.cold_started), measured),
            worker_seconds: seconds(integral(|b| {
                b.integrals.starting + b.integrals.ready + b.integrals.draining
            })),
            busy_slot_seconds: seconds(busy),
            lost_slot_seconds: seconds(integral(|b| b.ledger.lost_slot_time)),
            utilization: (slots > 0).then(|| busy as f64 / slots as f64),
        },
        actions: ActionCounts {
            invoke_worker: sum(|b| b.ledger.counters.invoke_worker),
            set_worker_set_size: sum(|b| b.ledger.counters.set_worker_set_size),
            failed: sum(|b| b.ledger.counters.failed_calls),
            throttled: sum(|b| b.ledger.counters.throttled),
        },
        cost_usd: Cost { total: books.iter().map(|b| b.cost).sum(), groups: BTreeMap::new() },
    }
}

fn open_tasks(world: &World, group: usize) -> Open {
    let mut open = Open::default();
    let now = world.now;
    for (added, first_added, is_waiting) in world.unfinished(group) {
        if !world.is_measured(first_added) {
            continue;
        }
        open.sojourns.record(now - first_added);
        if is_waiting {
            open.waits.record(now - added);
        }
    }
    open
}

/// Counters, integrals and non-empty buckets of one group.
fn feed(digest: &mut Digest, ledger: &Ledger, integrals: &Integrals) {
    let c = &ledger.counters;
    let counters = [
        c.arrived,
        c.measured,
        c.added,
        c.sync_matched,
        c.matched,
        c.cold_started,
        c.completed,
        c.failed,
        c.rejected,
        c.started,
        c.never_used,
        c.invoke_worker,
        c.set_worker_set_size,
        c.failed_calls,
        c.throttled,
    ];
    counters.into_iter().for_each(|n| digest.feed(n));
    [c.measured_added, c.measured_sync_matched, ledger.longest_wait].into_iter().for_each(|n| digest.feed(n));
    [ledger.max_workers, ledger.max_backlog].into_iter().for_each(|n| digest.feed(n));
    [ledger.sum_of_waits, ledger.lost_slot_time].into_iter().for_each(|n| digest.feed_wide(n));
    let i = integrals;
    [i.backlog, i.busy, i.starting, i.ready, i.draining, i.slots]
        .into_iter()
        .for_each(|n| digest.feed_wide(n));
    for histogram in [&ledger.waits, &ledger.sojourns] {
        for (bucket, n) in histogram.non_empty() {
            digest.feed(bucket as u64);
            digest.feed(n);
        }
    }
}
