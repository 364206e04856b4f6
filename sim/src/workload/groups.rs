//! Arrivals in groups of known size: bursts, bulk enqueues, exact times, counts per interval.

use crate::dist::{nanos, unit_exponential};
use crate::rng::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a count's arrivals lie in their interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Expand {
    /// At random, each anywhere.
    #[default]
    Uniform,
    /// Evenly, with one random phase for the whole row: what timers do.
    Even,
    /// All at the start.
    Start,
}

/// What groups there are.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Bursts { first: u64, period: u64, size: u64, spread: u64 },
    Bulk(Arc<[(u64, u64)]>),
    Instants(Arc<[u64]>),
    Counts { start: u64, interval: u64, counts: Arc<[u64]>, expand: Expand },
}

/// One group; no two overlap.
struct Group {
    start: u64,
    width: u64,
    count: u64,
}

impl Plan {
    /// The group of this index; none has come after the last, or lies beyond the end of time.
    fn group(&self, index: u64) -> Option<Group> {
        let at = |first: u64, step: u64| first.checked_add(step.checked_mul(index)?);
        let i = usize::try_from(index).ok()?;
        Some(match self {
            Self::Bursts { first, period, size, spread } => {
                Group { start: at(*first, *period)?, width: *spread, count: *size }
            }
            Self::Bulk(groups) => {
                let (start, count) = *groups.get(i)?;
                Group { start, width: 0, count }
            }
            Self::Instants(times) => Group { start: *times.get(i)?, width: 0, count: 1 },
            Self::Counts { start, interval, counts, .. } => {
                Group { count: *counts.get(i)?, start: at(*start, *interval)?, width: *interval }
            }
        })
    }

    fn expand(&self) -> Expand {
        match self {
            Self::Bursts { spread: 1.., .. } => Expand::Uniform,
            Self::Counts { expand, .. } => *expand,
            Self::Bursts { .. } | Self::Bulk(_) | Self::Instants(_) => Expand::Start,
        }
    }
}

/// Groups that run.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    plan: Plan,
    expand: Expand,
    stream: Stream,
    /// Of even expansion, a share of the gap.
    phase: f64,
    /// Index of the group after the current one.
    next: u64,
    current: Spread,
    factor: f64,
    /// What rounding the sizes of groups has left over.
    carry: f64,
    last: u64,
}

/// A group that is being spread over its width, or over the rest of it after a change of the rate.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    start: u64,
    width: f64,
    /// The share of the width that had passed when this spread began.
    passed: f64,
    /// Arrivals planned from there on, before any factor.
    planned: f64,
    count: u64,
    done: u64,
    /// Of uniform expansion: `-log(1 - place)` of the last arrival.
    depth: f64,
}

impl Groups {
    pub(super) fn new(plan: Plan, mut stream: Stream) -> Self {
        let expand = plan.expand();
        let phase = if expand == Expand::Even { stream.uniform() } else { 0.0 };
        let current = Spread::default();
        Self { plan, expand, stream, phase, next: 0, current, factor: 1.0, carry: 0.0, last: 0 }
    }

    pub(super) fn fill(&mut self, n: usize, until: u64, at: &mut Vec<u64>) {
        if self.factor == 0.0 {
            return;
        }
        for _ in 0..n {
            while self.current.done >= self.current.count {
                match self.plan.group(self.next).filter(|group| group.start < until) {
                    Some(group) => self.begin(&group, 0.0, group.count as f64),
                    None => return,
                }
            }
            self.last = self.place().max(self.last);
            if self.last >= until {
                return;
            }
            at.push(self.last);
        }
    }

    /// What is left of a group that runs grows or shrinks and is spread anew over the rest of its width.
    pub(super) fn set_rate_factor(&mut self, now: u64, factor: f64) {
        let before = std::mem::replace(&mut self.factor, factor);
        if factor == before {
            return;
        }
        let now = now.max(self.last);
        self.last = now;
        let current = self.current;
        let passed = share_passed(now, current.start, current.width);
        let planned = if before > 0.0 {
            (current.count - current.done) as f64 / before
        } else if current.passed < 1.0 {
            current.planned * (1.0 - passed) / (1.0 - current.passed)
        } else {
            0.0
        };
        self.current = Spread { start: current.start, width: current.width, passed, ..Spread::default() };
        self.size(planned);
        self.join_groups_begun_before(now, before > 0.0);
    }

    /// A group that began before `now`, but without an arrival yet, has only the rest of its width left; and of
    /// its arrivals all that did not come by chance, or those of the rest if none could come.
    fn join_groups_begun_before(&mut self, now: u64, could_come: bool) {
        while let Some(group) = self.plan.group(self.next).filter(|group| group.start < now) {
            let passed = share_passed(now, group.start, group.width as f64);
            let rest = if could_come && passed < 1.0 { 1.0 } else { 1.0 - passed };
            self.begin(&group, passed, group.count as f64 * rest);
        }
    }

    fn begin(&mut self, group: &Group, passed: f64, planned: f64) {
        self.next += 1;
        self.current = Spread { start: group.start, width: group.width as f64, passed, ..Spread::default() };
        self.size(planned);
    }

    /// Rounds the current group's size down and carries the rest to the next group.
    fn size(&mut self, planned: f64) {
        let wanted = planned * self.factor + self.carry;
        // A tenth ten times is a little less than one.
        let whole = (wanted + 1e-9).floor();
        self.carry = (wanted - whole).max(0.0);
        self.current.planned = planned;
        self.current.count = whole as u64;
    }

    /// The current group's next arrival.
    fn place(&mut self) -> u64 {
        let spread = &mut self.current;
        let place = match self.expand {
            // Uniforms in order (Renyi): exponential steps in -log(1 - place), each shared by those still to come.
            Expand::Uniform => {
                spread.depth += unit_exponential(&mut self.stream) / (spread.count - spread.done) as f64;
                -libm::expm1(-spread.depth)
            }
            Expand::Even => (spread.done as f64 + self.phase) / spread.count as f64,
            Expand::Start => 0.0,
        };
        spread.done += 1;
        let share = spread.passed + (1.0 - spread.passed) * place;
        spread.start.saturating_add(nanos(spread.width * share))
    }
}

/// The share of a group's width that has passed; all of it where there is none.
fn share_passed(now: u64, start: u64, width: f64) -> f64 {
    let since = now.saturating_sub(start) as f64;
    if since < width { since / width } else { f64::from(u8::from(since > 0.0 || width > 0.0)) }
}
