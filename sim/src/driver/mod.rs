//! The only loop that joins the world and an allocator.
//!
//! [`Simulation`] hands the world its arrivals and events in the order of time (departures, expiries, workers
//! ready, arrivals, controller) and lets the allocator act: the production [`wci_core::Controller`], the platform
//! itself in per-request mode, an oracle with a plan, or a closure for theory.

mod arrivals;
mod control;
mod observer;
mod oracle;
mod plan;
mod statistics;

pub use arrivals::ArrivalsError;
pub use observer::{JournalEntry, Observer, Quiet};
pub use oracle::StaffingPlan;

pub use crate::world::FinishedTask;

use crate::digest::Digest;
use crate::event_queue::EventKind;
use crate::model::{Change, End, Model, Nanos, SECOND};
use crate::pool::Pool;
use crate::report::log::DecisionCollector;
use crate::results::{DecisionLog, RunResult, Summary, Timeline, TimelineRow};
use crate::timeline::TimelineRecorder;
use crate::workload::Source;
use crate::world::World;
use arrivals::Arrivals;
use control::ControllerHost;
use oracle::Oracle;
use plan::Plan;
use std::collections::BTreeMap;

/// Conservation is asserted once in this many events.
const CHECK_EVERY: u64 = 65_536;

/// What a theory wants: workers that start or are ready, from running and waiting tasks.
pub type Allocation = Box<dyn FnMut(u64, u64) -> u64 + Send>;

/// Who decides.
enum Allocator {
    Controller(Box<ControllerHost>),
    PerRequest,
    Oracle(Oracle),
    Theory(Allocation),
}

/// A run that ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// An arrival source failed.
    #[error(transparent)]
    Arrivals(#[from] ArrivalsError),
    /// The books do not balance: a defect of the simulator.
    #[error("internal error: the books do not balance at {0} ns: please report this scenario")]
    Unbalanced(Nanos),
}

/// One run.
pub struct Simulation {
    model: Model,
    world: World,
    allocator: Allocator,
    arrivals: Arrivals,
    plan: Plan,
    timeline: TimelineRecorder,
    decisions: DecisionCollector,
    digest: Digest,
    next_check: u64,
    ended: Option<Ended>,
    has_begun: bool,
    is_draining: bool,
    is_dismissed: bool,
    /// When the current phase ends: the horizon, then the end of the drain.
    phase_ends: Nanos,
    /// When the controller's timer, an answer or a sample is due, and whether signals reach it.
    control_at: Nanos,
    listens: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    DrainLimit,
    MaxBacklog,
}

impl Simulation {
    /// A run from time 0. `sources` are the model's workloads, in their order.
    #[must_use]
    pub fn new(model: Model, sources: Vec<Source>) -> Self {
        let world = World::new(&model, model.seed);
        let allocator = if model.groups.iter().all(|group| group.provider.is_per_request()) {
            Allocator::PerRequest
        } else {
            Allocator::Controller(Box::new(ControllerHost::new(&model)))
        };
        Self::with_allocator(model, sources, world, allocator)
    }

    /// A run in which `allocation` wishes the workers of every group after each event: for theory, it cannot run
    /// live.
    #[must_use]
    pub fn with_theory(model: Model, sources: Vec<Source>, allocation: Allocation) -> Self {
        let mut world = World::new(&model, model.seed);
        // Nobody listens to signals.
        world.hook_enabled = false;
        Self::with_allocator(model, sources, world, Allocator::Theory(allocation))
    }

    /// A run in which the workers follow a plan made beforehand, such as one from the true arrival rate: it cannot
    /// run live either.
    #[must_use]
    pub fn with_oracle(model: Model, sources: Vec<Source>, plan: StaffingPlan) -> Self {
        let mut world = World::new(&model, model.seed);
        world.hook_enabled = false;
        let oracle = Oracle::new(&model, plan);
        Self::with_allocator(model, sources, world, Allocator::Oracle(oracle))
    }

    fn with_allocator(model: Model, sources: Vec<Source>, mut world: World, allocator: Allocator) -> Self {
        let plan = Plan::new(&model, &mut world);
        Self {
            timeline: TimelineRecorder::new(&model),
            arrivals: Arrivals::new(sources, model.horizon),
            plan,
            world,
            allocator,
            decisions: DecisionCollector::default(),
            digest: Digest::default(),
            next_check: CHECK_EVERY,
            ended: None,
            has_begun: false,
            is_draining: false,
            is_dismissed: false,
            phase_ends: model.horizon,
            control_at: Nanos::MAX,
            listens: false,
            model,
        }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// When a trace cannot be read, or the simulator's own books do not balance.
    pub fn run(mut self, observer: &mut dyn Observer) -> Result<RunResult, SimulationError> {
        while !self.is_done() {
            let until = self.world.now.saturating_add((self.model.horizon / 256).max(SECOND));
            self.run_until(until, observer)?;
            observer.progress(self.world.now, self.model.horizon, self.world.events);
            self.hand_out_tasks(observer);
        }
        self.finish()
    }

    /// Runs all that happens up to and including `until`. How a run is cut into calls changes nothing.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn run_until(&mut self, until: Nanos, observer: &mut dyn Observer) -> Result<(), SimulationError> {
        self.run_slice(until, u64::MAX, observer).map(drop)
    }

    /// As [`Simulation::run_until`], but stops after `most_events` events: for hosts that have other things to do
    /// as well. Whether `until` was reached.
    ///
    /// # Errors
    /// As [`Simulation::run`].
    pub fn run_slice(
        &mut self,
        until: Nanos,
        most_events: u64,
        observer: &mut dyn Observer,
    ) -> Result<bool, SimulationError> {
        if !self.has_begun {
            self.begin(observer)?;
        }
        let events_until = self.world.events.saturating_add(most_events);
        while self.ended.is_none() {
            if self.world.events >= events_until {
                return Ok(false);
            }
            let event = self.world.queue.next_time();
            let arrival = self.arrivals.next_time();
            let control = self.control_due();
            // Signals may have waited for a controller that was away: they are handed over now, not in the past.
            let time = event.min(arrival).min(control.max(self.world.now));
            if time >= self.phase_ends {
                if until < self.phase_ends {
                    break;
                }
                self.end_phase();
                continue;
            }
            if time > until {
                break;
            }
            if time >= self.timeline.boundary() {
                self.timeline.roll(&mut self.world, time);
            }
            self.world.now = time;
            if event <= time {
                self.handle_event(observer)?;
            } else if arrival <= time {
                let (workload, service) = self.arrivals.take()?;
                self.world.arrive(workload, service);
            } else {
                self.control(observer);
            }
            self.after_event()?;
        }
        if self.ended.is_none() {
            self.pass_time(until);
        }
        Ok(true)
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.ended.is_some()
    }

    /// The model it runs.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The controller as it is now, if one decides.
    #[must_use]
    pub fn controller(&self) -> Option<&wci_core::Controller> {
        match &self.allocator {
            Allocator::Controller(host) => Some(host.controller()),
            Allocator::PerRequest | Allocator::Oracle(_) | Allocator::Theory(_) => None,
        }
    }

    /// Replaces all changes that lie in the future by those of `changes`, the whole list in the order of time: a
    /// run with these changes from the start gives the same result. Those up to now must be the ones it had.
    pub fn set_changes(&mut self, changes: &[Change]) {
        self.plan.set_changes(&mut self.world, changes);
    }

    /// How many decisions were made so far.
    #[must_use]
    pub const fn decisions_total(&self) -> u64 {
        self.decisions.total()
    }

    /// The decisions to show, up to now.
    #[must_use]
    pub fn decisions(&self) -> DecisionLog {
        self.decisions.clone().finish()
    }

    /// The windows of the timeline from an index on, and their width in seconds.
    #[must_use]
    pub fn timeline_since(&self, from: usize) -> (f64, Vec<TimelineRow>) {
        self.timeline.rows_since(from)
    }

    /// The whole windows of the timeline so far, of all groups together and of each.
    #[must_use]
    pub fn timeline_so_far(&self) -> Timeline {
        self.timeline.so_far()
    }

    /// The figures as if the run ended now.
    ///
    /// # Errors
    /// When the books do not balance.
    pub fn summary(&mut self) -> Result<Summary, SimulationError> {
        self.figures().map(|(summary, _)| summary)
    }

    fn figures(&mut self) -> Result<(Summary, BTreeMap<String, Pool>), SimulationError> {
        let now = self.world.now;
        self.timeline.roll(&mut self.world, now);
        // Tasks that outlive their workers keep a run from draining too, but they are no backlog.
        let is_left = self.ended == Some(Ended::DrainLimit) && self.world.backlog() > 0;
        let is_overloaded = is_left || self.ended == Some(Ended::MaxBacklog);
        crate::summary::summarize(
            &self.model,
            &mut self.world,
            &mut self.timeline,
            is_overloaded,
            self.digest,
        )
        .ok_or(SimulationError::Unbalanced(now))
    }

    /// The world as it is now.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Closes the books.
    ///
    /// # Errors
    /// When they do not balance.
    pub fn finish(mut self) -> Result<RunResult, SimulationError> {
        let (summary, pools) = self.figures()?;
        let worker_means = crate::summary::worker_means(&mut self.world, &mut self.timeline);
        let performance = crate::results::Performance { events: self.world.events, ..Default::default() };
        Ok(RunResult {
            summary,
            worker_means,
            performance,
            timeline: self.timeline.finish(&mut self.world),
            decisions: self.decisions.finish(),
            notes: self.arrivals.notes(),
            pools,
        })
    }

    fn begin(&mut self, observer: &mut dyn Observer) -> Result<(), SimulationError> {
        self.has_begun = true;
        self.world.record_tasks(observer.wants_tasks());
        self.arrivals.begin()?;
        if let Allocator::Controller(host) = &mut self.allocator {
            host.begin(
                &mut self.world,
                &mut Records { log: &mut self.decisions, digest: &mut self.digest, observer },
            );
        }
        self.look_up_control();
        Ok(())
    }

    fn hand_out_tasks(&mut self, observer: &mut dyn Observer) {
        for task in self.world.finished_tasks.iter_mut().flat_map(|tasks| tasks.drain(..)) {
            observer.task(&task);
        }
    }

    #[inline]
    fn control_due(&self) -> Nanos {
        let signal = self.world.signals.front().filter(|_| self.listens).map_or(Nanos::MAX, |(at, _)| *at);
        self.control_at.min(signal)
    }

    /// Looks up what the loop asks before every event.
    fn look_up_control(&mut self) {
        (self.control_at, self.listens) = match &self.allocator {
            Allocator::Controller(host) => (host.due(), host.listens()),
            Allocator::Oracle(oracle) => (oracle.due(), false),
            Allocator::PerRequest | Allocator::Theory(_) => (Nanos::MAX, false),
        };
    }

    fn control(&mut self, observer: &mut dyn Observer) {
        self.world.events += 1;
        match &mut self.allocator {
            Allocator::Controller(host) => host.act(
                &mut self.world,
                &mut Records { log: &mut self.decisions, digest: &mut self.digest, observer },
            ),
            Allocator::Oracle(oracle) => oracle.act(self.world.now),
            Allocator::PerRequest | Allocator::Theory(_) => {}
        }
        self.look_up_control();
    }

    #[inline]
    fn handle_event(&mut self, observer: &mut dyn Observer) -> Result<(), SimulationError> {
        if let Some((EventKind::Planned, index)) = self.world.queue.peek() {
            self.world.queue.pop();
            self.world.events += 1;
            let records = &mut Records { log: &mut self.decisions, digest: &mut self.digest, observer };
            let host = match &mut self.allocator {
                Allocator::Controller(host) => Some(&mut **host),
                Allocator::PerRequest | Allocator::Oracle(_) | Allocator::Theory(_) => None,
            };
            self.plan.carry_out(index, &mut self.world, host, &mut self.arrivals, records)?;
            self.look_up_control();
            return Ok(());
        }
        self.world.handle_next();
        Ok(())
    }

    #[inline]
    fn after_event(&mut self) -> Result<(), SimulationError> {
        match &mut self.allocator {
            Allocator::Oracle(oracle) => oracle.attend(&mut self.world),
            Allocator::Theory(allocation) => allocate(&mut self.world, allocation),
            Allocator::Controller(_) | Allocator::PerRequest => {}
        }
        if self.is_draining {
            self.settle();
        }
        if self.world.events >= self.next_check {
            self.check()?;
        }
        Ok(())
    }

    /// The horizon or the end of the drain is reached.
    fn end_phase(&mut self) {
        self.pass_time(self.phase_ends);
        if self.is_draining {
            let has_tasks = self.world.open_tasks() > 0;
            self.ended = Some(if has_tasks { Ended::DrainLimit } else { Ended::Done });
        } else if self.model.end == End::Cut {
            self.ended = Some(Ended::Done);
        } else {
            self.is_draining = true;
            // One nanosecond more: what happens exactly at the limit still belongs to the drain.
            self.phase_ends = self.model.horizon.saturating_add(self.model.drain_limit).saturating_add(1);
            self.settle();
        }
    }

    /// While draining: once no task is left, worker sets are dismissed, because their size is a wish and no
    /// commitment; workers whose end is committed run until then.
    fn settle(&mut self) {
        if self.world.open_tasks() > 0 {
            return;
        }
        if !std::mem::replace(&mut self.is_dismissed, true) {
            match &mut self.allocator {
                Allocator::Controller(host) => host.stop(),
                Allocator::Oracle(oracle) => oracle.stop(),
                Allocator::PerRequest | Allocator::Theory(_) => {}
            }
            self.look_up_control();
            self.world.dismiss_workers();
        }
        let nothing_ends = self.world.queue.next_time() == Nanos::MAX;
        if self.world.open_workers() == 0 || nothing_ends {
            self.ended = Some(Ended::Done);
        }
    }

    /// Lets time pass in which nothing happens.
    fn pass_time(&mut self, until: Nanos) {
        if until > self.world.now {
            self.timeline.roll(&mut self.world, until);
            self.world.now = until;
        }
    }

    #[cold]
    fn check(&mut self) -> Result<(), SimulationError> {
        self.next_check = self.world.events + CHECK_EVERY;
        if !self.world.is_conserved() {
            return Err(SimulationError::Unbalanced(self.world.now));
        }
        if self.world.backlog() > self.model.max_backlog || self.world.is_full() {
            self.ended = Some(Ended::MaxBacklog);
        }
        Ok(())
    }
}

/// Where decisions and steps are written down.
pub(crate) struct Records<'a> {
    pub log: &'a mut DecisionCollector,
    pub digest: &'a mut Digest,
    pub observer: &'a mut dyn Observer,
}

fn allocate(world: &mut World, allocation: &mut Allocation) {
    for group in 0..world.groups.len() {
        let levels = *world.groups[group].ledger.levels();
        let wanted = allocation(levels.busy, levels.backlog);
        world.allocate(group, wanted);
    }
}
