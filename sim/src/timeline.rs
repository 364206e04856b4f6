//! The course of a run: at most 2,000 windows; when they are full, neighbours merge.

use crate::histogram::sketch_quantile;
use crate::ledger::{Counters, Integrals};
use crate::model::{MILLI, Model, Nanos, Price, SECOND};
use crate::results::{Timeline, TimelineRow};
use crate::world::World;
use std::collections::BTreeMap;
use wci_core::gather;

/// Most windows at once.
const MAX_WINDOWS: usize = 2000;
/// Windows a run of known length begins with.
const FIRST_WINDOWS: u64 = 720;
/// Widths of a window that read well: 1, 2, 5, 10, 15, 30 s and so on.
const NICE_MILLIS: [u64; 22] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000,
    300_000, 600_000, 1_800_000, 3_600_000, 7_200_000,
];

/// What one group did in one window.
#[derive(Clone, Debug, Default)]
struct Cell {
    integrals: Integrals,
    added: u64,
    sync_matched: u64,
    matched: u64,
    completed: u64,
    started: u64,
    backlog_max: u64,
    waits: Vec<(u16, u32)>,
}

/// Integrals at a moment, by group.
pub type Mark = Vec<Integrals>;

/// Records windows and the marks that means are taken between.
#[derive(Debug)]
pub struct TimelineRecorder {
    width: Nanos,
    windows: Vec<Vec<Cell>>,
    window_ends: Nanos,
    boundary: Nanos,
    before: Vec<(Integrals, Counters)>,
    marks_at: [Nanos; 2],
    marks: [Option<Mark>; 2],
    grew: Option<Vec<bool>>,
    group_names: Vec<String>,
    prices: Vec<Price>,
}

impl TimelineRecorder {
    /// Nothing recorded yet.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let wanted = if model.horizon == Nanos::MAX { SECOND } else { model.horizon / FIRST_WINDOWS };
        let width = nice_width(wanted);
        let mut recorder = Self {
            width,
            windows: Vec::new(),
            window_ends: width,
            boundary: 0,
            before: vec![Default::default(); model.groups.len()],
            marks_at: [model.warm_up, model.horizon],
            marks: [None, None],
            grew: None,
            group_names: model.groups.iter().map(|group| group.name.to_string()).collect(),
            prices: model.groups.iter().map(|group| group.price.clone()).collect(),
        };
        recorder.set_boundary();
        recorder
    }

    /// When `roll` wants to be called.
    #[inline]
    #[must_use]
    pub const fn boundary(&self) -> Nanos {
        self.boundary
    }

    /// The horizon got known.
    pub fn set_horizon(&mut self, horizon: Nanos) {
        self.marks_at[1] = horizon;
        self.set_boundary();
    }

    /// Time goes on to `time`: closes all windows and takes all marks up to there.
    #[cold]
    pub fn roll(&mut self, world: &mut World, time: Nanos) {
        while self.boundary <= time {
            let at = self.boundary;
            world.now = at;
            for i in 0..self.marks.len() {
                if self.marks_at[i] == at && self.marks[i].is_none() {
                    if i == 1 {
                        // Now, before a long drain merges the windows of the run itself.
                        self.grew = Some((0..self.before.len()).map(|group| self.grows(group)).collect());
                    }
                    self.marks[i] = Some(world.groups.iter_mut().map(|g| g.ledger.integrals(at)).collect());
                }
            }
            if self.window_ends == at {
                self.close_window(world);
            }
            self.set_boundary();
        }
    }

    /// Integrals of each group over [warm_up, horizon), and that span (ns); up to now if the run ended before.
    pub fn measured(&mut self, world: &mut World) -> (Mark, Nanos) {
        let now = world.now;
        let ended: Mark = world.groups.iter_mut().map(|g| g.ledger.integrals(now)).collect();
        let from = self.marks[0].clone().filter(|_| self.marks_at[0] < self.marks_at[1]);
        let from = from.unwrap_or_else(|| vec![Integrals::default(); ended.len()]);
        let to = self.marks[1].clone().unwrap_or(ended);
        let start = if self.marks[0].is_some() { self.marks_at[0] } else { 0 };
        let span = self.marks_at[1].min(now).saturating_sub(start);
        (to.iter().zip(&from).map(|(to, from)| to.since(from)).collect(), span)
    }

    /// Whether a group's backlog grew all over the last half before the horizon: each of its four quarters held
    /// more than the one before, and together they kept at least 2 % of what arrived.
    #[must_use]
    pub fn backlog_grew(&self, group: usize) -> bool {
        self.grew.as_ref().map_or_else(|| self.grows(group), |grew| grew[group])
    }

    fn grows(&self, group: usize) -> bool {
        let before_horizon = (self.marks_at[1] / self.width).min(self.windows.len() as u64) as usize;
        let half = &self.windows[before_horizon / 2..before_horizon];
        if half.len() < 8 {
            return false;
        }
        let quarter = half.len() / 4;
        let mean = |cells: &[Vec<Cell>]| {
            let sum: u128 = cells.iter().map(|cells| cells[group].integrals.backlog).sum();
            sum as f64 / (cells.len() as f64 * self.width as f64)
        };
        let means: Vec<f64> = half.chunks_exact(quarter).take(4).map(mean).collect();
        let arrived: u64 = half.iter().map(|cells| cells[group].added).sum();
        let kept = means[3] - means[0];
        means.is_sorted_by(|a, b| a < b) && kept >= 10.0 && kept >= 0.02 * arrived as f64
    }

    /// The finished timeline.
    #[must_use]
    pub fn finish(mut self, world: &mut World) -> Timeline {
        if world.now > self.windows.len() as u64 * self.width {
            self.close_window(world);
        }
        // Closing may have merged, so what the last window covers is only known now.
        let last = world.now.saturating_sub(self.windows.len().saturating_sub(1) as u64 * self.width);
        self.timeline(last.clamp(1, self.width))
    }

    /// The whole windows so far, of all groups together and of each.
    #[must_use]
    pub fn so_far(&self) -> Timeline {
        self.timeline(self.width)
    }

    /// The windows so far that begin at or after `from` (an index), for a live page, and the width in seconds.
    #[must_use]
    pub fn rows_since(&self, from: usize) -> (f64, Vec<TimelineRow>) {
        let rows = (from..self.windows.len()).map(|i| self.row(i, None, self.width));
        (self.width as f64 / SECOND as f64, rows.collect())
    }

    fn timeline(&self, last_width: Nanos) -> Timeline {
        let mut timeline = Timeline { window_s: self.width as f64 / SECOND as f64, ..Timeline::default() };
        for i in 0..self.windows.len() {
            let width = if i + 1 == self.windows.len() { last_width } else { self.width };
            timeline.total.push(self.row(i, None, width));
            for (group, name) in self.group_names.iter().enumerate() {
                let rows = timeline.groups.entry(name.clone()).or_default();
                rows.push(self.row(i, Some(group), width));
            }
        }
        timeline
    }

    /// A window of one group, or of all together.
    fn row(&self, i: usize, group: Option<usize>, width: Nanos) -> TimelineRow {
        let shown = group.map_or(0..self.group_names.len(), |group| group..group + 1);
        let cells: Vec<&Cell> = self.windows[i][shown.clone()].iter().collect();
        let mut row = row_of(&cells, width);
        row.t_s = i as f64 * (self.width as f64 / SECOND as f64);
        row.cost_usd = cells.iter().zip(&self.prices[shown]).map(|(cell, price)| cell.cost(price)).sum();
        row
    }

    fn set_boundary(&mut self) {
        let open = |i: usize| if self.marks[i].is_none() { self.marks_at[i] } else { Nanos::MAX };
        self.boundary = self.window_ends.min(open(0)).min(open(1));
    }

    fn close_window(&mut self, world: &mut World) {
        let now = world.now;
        let mut cells = Vec::with_capacity(self.before.len());
        for (group, before) in world.groups.iter_mut().zip(&mut self.before) {
            let after = (group.ledger.integrals(now), group.ledger.counters);
            let (waits, backlog_max) = group.ledger.take_window();
            cells.push(Cell::between(before, &after, waits, backlog_max));
            *before = after;
        }
        self.windows.push(cells);
        self.window_ends = self.window_ends.saturating_add(self.width);
        // Merging needs whole pairs, so that the next window's end stays a multiple of the new width.
        if self.windows.len() == MAX_WINDOWS {
            self.merge_neighbours();
        }
    }

    fn merge_neighbours(&mut self) {
        let mut merged = Vec::with_capacity(MAX_WINDOWS / 2);
        let mut windows = std::mem::take(&mut self.windows).into_iter();
        while let Some(mut first) = windows.next() {
            let second = windows.next().unwrap_or_default();
            for (cell, next) in first.iter_mut().zip(&second) {
                cell.absorb(next);
            }
            merged.push(first);
        }
        self.windows = merged;
        self.width *= 2;
        self.window_ends = self.windows.len() as u64 * self.width + self.width;
    }
}

impl Cell {
    fn between(
        before: &(Integrals, Counters),
        after: &(Integrals, Counters),
        waits: Vec<(u16, u32)>,
        backlog_max: u64,
    ) -> Self {
        Self {
            integrals: after.0.since(&before.0),
            added: after.1.added - before.1.added,
            sync_matched: after.1.sync_matched - before.1.sync_matched,
            matched: after.1.matched - before.1.matched,
            completed: after.1.completed - before.1.completed,
            started: after.1.started - before.1.started,
            backlog_max,
            waits,
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.integrals = self.integrals.plus(&other.integrals);
        self.added += other.added;
        self.sync_matched += other.sync_matched;
        self.matched += other.matched;
        self.completed += other.completed;
        self.started += other.started;
        self.backlog_max = self.backlog_max.max(other.backlog_max);
        self.waits = merge_sketches(&self.waits, &other.waits);
    }

    /// Cost as it accrues: the price of a second for every worker there, and of each start. Rounding and minimum
    /// are charged when a worker ends and are not in here.
    fn cost(&self, price: &Price) -> f64 {
        let mut billed = self.integrals.ready + self.integrals.draining;
        if price.billed_from == crate::model::BilledFrom::Invoke {
            billed += self.integrals.starting;
        }
        price.per_request * self.started as f64 + price.per_second() * (billed as f64 / SECOND as f64)
    }
}

impl Integrals {
    /// What was added since.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            backlog: self.backlog - earlier.backlog,
            busy: self.busy - earlier.busy,
            starting: self.starting - earlier.starting,
            ready: self.ready - earlier.ready,
            draining: self.draining - earlier.draining,
            slots: self.slots - earlier.slots,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            backlog: self.backlog + other.backlog,
            busy: self.busy + other.busy,
            starting: self.starting + other.starting,
            ready: self.ready + other.ready,
            draining: self.draining + other.draining,
            slots: self.slots + other.slots,
        }
    }
}

fn row_of(cells: &[&Cell], width: Nanos) -> TimelineRow {
    let mut sum = Cell::default();
    for cell in cells {
        sum.absorb(cell);
    }
    let seconds = width as f64 / SECOND as f64;
    let mean = |integral: u128| integral as f64 / width as f64;
    let wait = |p: f64| sketch_quantile(&sum.waits, p).map(|nanos| nanos / MILLI as f64);
    TimelineRow {
        t_s: 0.0,
        backlog: mean(sum.integrals.backlog),
        backlog_max: sum.backlog_max,
        arrival_rate: sum.added as f64 / seconds,
        dispatch_rate: sum.matched as f64 / seconds,
        completion_rate: sum.completed as f64 / seconds,
        sync_match_ratio: (sum.added > 0).then(|| sum.sync_matched as f64 / sum.added as f64),
        workers_starting: mean(sum.integrals.starting),
        workers_ready: mean(sum.integrals.ready),
        workers_draining: mean(sum.integrals.draining),
        busy_slots: mean(sum.integrals.busy),
        slots: mean(sum.integrals.slots),
        cost_usd: 0.0,
        schedule_to_start_p50_ms: wait(0.5),
        schedule_to_start_p95_ms: wait(0.95),
        schedule_to_start_p99_ms: wait(0.99),
    }
}

fn merge_sketches(a: &[(u16, u32)], b: &[(u16, u32)]) -> Vec<(u16, u32)> {
    if a.is_empty() {
        return b.to_vec();
    }
    let mut sum: BTreeMap<u16, u32> = gather(a.iter().copied());
    for &(bucket, n) in b {
        let count = sum.entry(bucket).or_default();
        *count = count.saturating_add(n);
    }
    sum.into_iter().collect()
}

fn nice_width(wanted: Nanos) -> Nanos {
    let millis = NICE_MILLIS.into_iter().find(|millis| millis * MILLI >= wanted);
    millis.map_or(wanted.div_ceil(SECOND) * SECOND, |millis| millis * MILLI)
}
