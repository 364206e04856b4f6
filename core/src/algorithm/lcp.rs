//! `lcp`: Lazy Capacity Provisioning, the online rule that moves only as far as hindsight makes it.
//!
//! Each interval `t` has a cost for each size `x`, with `a` the tasks that run or wait in workers:
//!
//! ```text
//! f_t(x) = dt * (x + weight * a^2 / (x - a))      the workers' cost, and of those that tasks wait for
//! C_t(x) = f_t(x) + min over y of (C_{t-1}(y) + beta * max(0, x - y))
//! low    = the smallest x with the least C_t(x)                 the last size of the best plan that pays to go up
//! high   = the largest x with the least C_t(x) - beta * x       of the best plan that pays to go down
//! size   = the present one, moved no further than into low .. high
//! ```
//!
//! `beta` is what starting a worker costs, in worker-seconds. Below `a + 1/2` the waiting cost goes on along its
//! tangent, so that every size has a cost. The total is at most three times that of the best plan in hindsight
//! (M. Lin, A. Wierman, L. Andrew, E. Thereska, "Dynamic right-sizing for power-proportional data centers", IEEE/ACM
//! Transactions on Networking 21, 2013; whole sizes and `C`: S. Albers, J. Quedenfeld, "Optimal algorithms for
//! right-sizing data centers", SPAA 2018). Signals are not used.

use super::occupancy::{INITIAL_SLOTS, SlotsPerWorker, concurrency};
use super::pacing::{Paced, PacedRule, rule_for};
use super::sizing::MIN_COUNT;
use super::state::{Entry, finite};
use super::{Context, Verdict};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::Rule;
use crate::metrics::MetricsSnapshot;
use serde_json::Value;

// The costs of all sizes are part of the state.
const MAX_COUNT: KeyDoc = super::sizing::max_count(100).at_most(1_000.0);
const SWITCHING: KeyDoc = KeyDoc::number("switching_cost_s", 60.0)
    .at_most(1e6)
    .unit("worker-seconds")
    .help("What starting a worker costs");
const WAITING: KeyDoc = KeyDoc::number("waiting_weight", 1.0)
    .at_most(1e6)
    .help("What a workerful of waiting tasks costs, in workers");
const INTERVAL: KeyDoc =
    KeyDoc::millis("metrics_poll_interval_ms", 10_000).at_least(1_000.0).help("Time between decisions");

pub(super) const KEYS: &[KeyDoc] = &[MIN_COUNT, MAX_COUNT, SWITCHING, WAITING, INITIAL_SLOTS, INTERVAL];

const COSTS: &str = "cost_by_worker_count";

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lcp {
    switching: f64,
    weight: f64,
    paced: Paced,
    slots: SlotsPerWorker,
    costs: Vec<f64>,
}

impl Lcp {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        let paced = Paced::read(&config, (&MIN_COUNT, &MAX_COUNT), &INTERVAL, state)?;
        Ok(Self {
            switching: config.number(&SWITCHING)?,
            weight: config.number(&WAITING)?,
            slots: SlotsPerWorker::read(&config, state)?,
            costs: read_costs(state, paced.bounds.max as usize + 1),
            paced,
        })
    }

    /// At the start the present size is free, and a larger one costs its starts.
    fn begin(&mut self) {
        if self.costs.is_empty() {
            let current = self.paced.planned.get();
            let starts = |size: u32| f64::from(size.saturating_sub(current));
            self.costs = (0..=self.paced.bounds.max).map(|size| self.switching * starts(size)).collect();
        }
    }

    /// Adds this interval's costs to those of the best way to each size.
    fn charge(&mut self, load: f64) {
        let seconds = self.paced.interval().as_f64() / 1000.0;
        // Going down is free: the cheapest larger size, from the right. Going up costs, from the left.
        for x in (1..self.costs.len()).rev() {
            self.costs[x - 1] = self.costs[x - 1].min(self.costs[x]);
        }
        for x in 1..self.costs.len() {
            self.costs[x] = self.costs[x].min(self.costs[x - 1] + self.switching);
        }
        for (x, cost) in self.costs.iter_mut().enumerate() {
            *cost += seconds * (x as f64 + self.weight * waiting(load, x as f64));
        }
        let least = self.costs.iter().copied().fold(f64::INFINITY, f64::min);
        self.costs.iter_mut().for_each(|cost| *cost -= least);
    }

    /// Between these the present size is as good as any, as far as one can know by now.
    fn corridor(&self) -> (u32, u32) {
        let costs = || (0_u32..).zip(&self.costs);
        let low = costs()
            .fold((0, f64::INFINITY), |best, (x, cost)| if *cost < best.1 { (x, *cost) } else { best });
        let rest = |x: u32, cost: f64| cost - self.switching * f64::from(x);
        let high = costs().fold((0, f64::INFINITY), |best, (x, cost)| {
            let cost = rest(x, *cost);
            if cost <= best.1 { (x, cost) } else { best }
        });
        (low.0, high.0.max(low.0))
    }
}

/// Tasks that wait, in workers, when `workers` share a load: `a^2 / (x - a)`, and below `a + 1/2` its tangent there.
fn waiting(load: f64, workers: f64) -> f64 {
    const NEAREST: f64 = 0.5;
    let spare = workers - load;
    let square = load * load;
    if spare >= NEAREST {
        square / spare
    } else {
        square / NEAREST + (NEAREST - spare) * square / (NEAREST * NEAREST)
    }
}

/// As many costs as there are sizes, or none.
fn read_costs(state: &ConfigMap, sizes: usize) -> Vec<f64> {
    let stored = state.get(COSTS).and_then(Value::as_array);
    let costs: Option<Vec<f64>> = stored.and_then(|costs| costs.iter().map(finite).collect());
    let fits = |costs: &Vec<f64>| costs.len() == sizes && costs.iter().all(|cost| *cost >= 0.0);
    costs.filter(fits).unwrap_or_default()
}

impl PacedRule for Lcp {
    fn paced(&self) -> &Paced {
        &self.paced
    }

    fn paced_mut(&mut self) -> &mut Paced {
        &mut self.paced
    }

    fn decide(&mut self, context: Context<'_>, _metrics: &MetricsSnapshot) -> Result<Verdict, Verdict> {
        self.paced.take_turn(context)?;
        self.slots.observe(context.observation);
        let tasks = concurrency(context.observation).ok_or_else(|| self.paced.wait(None))?;
        let most = f64::from(self.paced.bounds.max);
        // A load beyond the largest size asks for that size, however far beyond.
        let load = (tasks / self.slots.get()).min(most);
        self.begin();
        self.charge(load);
        let (low, high) = self.corridor();
        let current = self.paced.planned.get();
        let recommended = i64::from(current.clamp(low, high));
        let cut = self.paced.bounds.cut(recommended);
        let rule = rule_for(recommended, current, Rule::CostAbove, Rule::CostBelow);
        Ok(self.paced.go(context, rule, recommended, cut).with_all(&[
            ("concurrency", tasks),
            ("slots_per_worker", self.slots.get()),
            ("lower_bound_workers", low.into()),
            ("upper_bound_workers", high.into()),
            ("switching_cost_s", self.switching),
        ]))
    }

    fn remember(&self, state: &mut ConfigMap) {
        self.slots.write(state);
        if !self.costs.is_empty() {
            state.insert(COSTS.to_owned(), self.costs.iter().map(|cost| cost.to_json()).collect());
        }
    }
}

#[cfg(test)]
mod tests;
