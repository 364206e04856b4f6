//! Points for the charts: what was true in windows of equal width, at most 10,000 of them.
//!
//! Finer than the report's timeline, because a page zooms in. When it is full, neighbours merge and the generation
//! goes up: then a page throws its points away and takes them anew.

use std::collections::VecDeque;
use wci_sim::ledger::{Counters, Integrals};
use wci_sim::model::{BilledFrom, MILLI, Model, Nanos, Price, SECOND};
use wci_sim::world::World;

/// Most points at once; merging needs an even number.
const MAX_POINTS: usize = 10_000;
/// Points that a run of known length aims at: mostly fewer, because windows are rounded up, and then a drain still fits.
const WANTED_POINTS: u64 = 9_900;
/// The narrowest window.
const NARROWEST: Nanos = 50 * MILLI;
/// Rates are averages over at least this time: single tasks in narrow windows are no rate.
const RATE_SPAN: Nanos = 5 * SECOND;

/// Names of a point's numbers, in their order. Names that a page watches come after them.
pub const COLUMNS: [&str; 13] = [
    "t_s",
    "backlog",
    "starting",
    "ready",
    "draining",
    "busy_slots",
    "slots",
    "arrival_rate",
    "dispatch_rate",
    "cost_usd",
    "actions_up",
    "actions_down",
    "desired_workers",
];
const WIDTH: usize = COLUMNS.len();
/// Columns that add up where others are averages or last values.
const SUMS: std::ops::RangeInclusive<usize> = 10..=11;
/// Columns of which the latest value counts.
const LATEST_FROM: usize = 12;
const TIME: usize = 0;
const COST: usize = 9;

/// What decisions of one group said in the current window.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Actions that ask for more workers.
    pub up: u32,
    /// Actions that ask for fewer.
    pub down: u32,
    /// The latest size that a rule decided on; not a number where rules only ask for more.
    pub desired: Option<f64>,
    /// The latest values of the watched numbers.
    pub watched: Vec<Option<f64>>,
}

/// One series of points: a group's, or that of all groups together.
#[derive(Clone, Debug, Default)]
struct Series {
    points: Vec<f64>,
    drained: usize,
    before: Integrals,
    /// Time, adds and matches at the ends of the last windows.
    counted: VecDeque<(Nanos, u64, u64)>,
}

impl Series {
    /// Adds and matches per second over the last windows.
    fn rates(&mut self, counted: (Nanos, u64, u64)) -> (f64, f64) {
        let (now, added, matched) = counted;
        while self.counted.get(1).is_some_and(|(at, ..)| now - at >= RATE_SPAN) {
            self.counted.pop_front();
        }
        let (from, added_before, matched_before) = self.counted.front().copied().unwrap_or_default();
        self.counted.push_back(counted);
        let rate = |n: u64| n as f64 * SECOND as f64 / (now - from) as f64;
        (rate(added - added_before), rate(matched - matched_before))
    }
}

/// All series of a run; the last one is that of all groups together.
#[derive(Debug)]
pub struct Recorder {
    width: Nanos,
    boundary: Nanos,
    watched: usize,
    prices: Vec<Price>,
    series: Vec<Series>,
    generation: u32,
}

impl Recorder {
    /// Nothing recorded yet.
    pub fn new(model: &Model, watched: usize) -> Self {
        let wanted = if model.horizon == Nanos::MAX { SECOND } else { model.horizon / WANTED_POINTS };
        let width = wanted.max(NARROWEST).div_ceil(NARROWEST) * NARROWEST;
        Self {
            width,
            boundary: width,
            watched,
            prices: model.groups.iter().map(|group| group.price.clone()).collect(),
            series: vec![Series::default(); model.groups.len() + 1],
            generation: 0,
        }
    }

    /// When the current window ends.
    pub const fn boundary(&self) -> Nanos {
        self.boundary
    }

    /// Goes up whenever points that were handed out are no longer right.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Numbers of a point.
    pub const fn columns(&self) -> usize {
        WIDTH + self.watched
    }

    /// Closes the current window at `now` and begins the next.
    pub fn sample(&mut self, world: &World, now: Nanos, said: &mut [Said]) {
        let begun = self.boundary - self.width;
        let span = now.saturating_sub(begun);
        if span == 0 {
            return;
        }
        let groups = self.prices.len();
        let mut total = vec![0.0; self.columns()];
        for (group, said) in said.iter_mut().enumerate() {
            let point = self.point(world, group, (now, span), said);
            add(&mut total, &point, group == 0);
            self.series[group].points.extend_from_slice(&point);
        }
        self.series[groups].points.extend_from_slice(&total);
        self.boundary += self.width;
        if self.series[groups].points.len() >= MAX_POINTS * self.columns() {
            self.merge();
        }
    }

    /// The points of a series since the last call; all of them after the generation went up.
    pub fn drain(&mut self, group: Option<usize>) -> &[f64] {
        let last = self.series.len() - 1;
        let series = &mut self.series[group.unwrap_or(last).min(last)];
        let from = std::mem::replace(&mut series.drained, series.points.len());
        &series.points[from..]
    }

    /// All points will be handed out again.
    pub fn rewind(&mut self) {
        self.series.iter_mut().for_each(|series| series.drained = 0);
    }

    /// The last point of a series.
    pub fn last(&self, group: Option<usize>) -> Option<&[f64]> {
        let last = self.series.len() - 1;
        self.series[group.unwrap_or(last).min(last)].points.chunks_exact(self.columns()).next_back()
    }

    fn point(&mut self, world: &World, group: usize, at: (Nanos, Nanos), said: &mut Said) -> Vec<f64> {
        let (now, span) = at;
        let ledger = &world.groups[group].ledger;
        // A copy is advanced: the books of the run itself stay untouched.
        let integrals = ledger.integrals_at(now);
        let Counters { added, matched, started, .. } = ledger.counters;
        let series = &mut self.series[group];
        let window = integrals.since(&std::mem::replace(&mut series.before, integrals));
        let mean = |integral: u128| integral as f64 / span as f64;
        let (arrival_rate, dispatch_rate) = series.rates((now, added, matched));
        let mut point = vec![
            now as f64 / SECOND as f64,
            mean(window.backlog),
            mean(window.starting),
            mean(window.ready),
            mean(window.draining),
            mean(window.busy),
            mean(window.slots),
            arrival_rate,
            dispatch_rate,
            accrued(&self.prices[group], &integrals, started),
            f64::from(std::mem::take(&mut said.up)),
            f64::from(std::mem::take(&mut said.down)),
            said.desired.unwrap_or(f64::NAN),
        ];
        point.extend((0..self.watched).map(|i| said.watched.get(i).copied().flatten().unwrap_or(f64::NAN)));
        point
    }

    fn merge(&mut self) {
        let columns = self.columns();
        for series in &mut self.series {
            let pairs = series.points.chunks_exact(2 * columns);
            series.points = pairs.flat_map(|pair| merged(pair, columns)).collect();
        }
        self.width *= 2;
        self.boundary = (self.boundary - 1).div_ceil(self.width) * self.width;
        self.generation += 1;
        self.rewind();
    }
}

/// Cost as it accrues, without the rounding and the minimum that are charged when a worker ends.
fn accrued(price: &Price, integrals: &Integrals, started: u64) -> f64 {
    let mut billed = integrals.ready + integrals.draining;
    if price.billed_from == BilledFrom::Invoke {
        billed += integrals.starting;
    }
    price.per_request * started as f64 + price.per_second() * (billed as f64 / SECOND as f64)
}

/// Sums groups; what is watched belongs to one group, so of several the first one's is shown.
fn add(total: &mut [f64], point: &[f64], is_first: bool) {
    for (i, (sum, value)) in total.iter_mut().zip(point).enumerate() {
        if is_first || i == TIME {
            *sum = *value;
        } else if i <= LATEST_FROM {
            *sum += value;
        }
    }
}

fn merged(pair: &[f64], columns: usize) -> Vec<f64> {
    let (first, second) = pair.split_at(columns);
    let both = first.iter().zip(second).enumerate();
    both.map(|(i, (a, b))| {
        if SUMS.contains(&i) {
            a + b
        } else if i == TIME || i == COST || i >= LATEST_FROM {
            *b
        } else {
            f64::midpoint(*a, *b)
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_averages_levels_adds_actions_and_keeps_the_latest() {
        let mut first: Vec<f64> = (0..WIDTH).map(|i| i as f64).collect();
        let second: Vec<f64> = (0..WIDTH).map(|i| i as f64 + 10.0).collect();
        first.extend(second);
        let point = merged(&first, WIDTH);
        assert_eq!((point[0], point[1], point[COST]), (10.0, 6.0, 19.0));
        assert_eq!((point[10], point[11], point[12]), (30.0, 32.0, 22.0));
    }
}
