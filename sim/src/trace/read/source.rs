//! A trace as a source of arrivals for the simulator: opened once, filled block by block, in flat memory.

use super::error::TraceError;
use super::feed::{Feed, TraceArrival};
use super::files::TraceFiles;
use super::opening::Opening;
use super::options::TraceOptions;
use super::pace::Pace;
use super::service::ServiceLaw;
use super::service_models;
use super::settings::Settings;
use super::spread::Luck;
use crate::dist::{Check, Dist, ParameterError};
use crate::rng::Stream;
use crate::workload::{BLOCK, Block};
use std::collections::VecDeque;
use std::fmt;

/// The luck of a trace and the scenario's own service, if it has one.
#[derive(Clone, Debug)]
pub struct TraceDraws {
    /// Where arrivals lie that the trace only counts: the stream's next number keys them by row and interval.
    pub arrivals: Stream,
    /// Service times that the trace does not hold, drawn at arrival, in order of arrival.
    pub services: Stream,
    /// Replaces all service times of the trace.
    pub service: Option<Dist>,
}

/// The arrivals of a trace, in order.
pub struct TraceSource {
    file: String,
    feed: Feed,
    law: ServiceLaw,
    services: Stream,
    settings: Settings,
    pace: Pace,
    notes: Vec<String>,
    /// The arrivals of the last block, in the trace's own time, and the services' stream before them.
    handed_out: Vec<TraceArrival>,
    before: Stream,
    /// Arrivals that were handed out and taken back.
    again: VecDeque<TraceArrival>,
    last: u64,
    has_ended: bool,
}

impl TraceSource {
    /// Opens a trace. Formats with one record a line are then read as they are needed; tables are read now.
    ///
    /// # Errors
    /// If the options do not fit together, a file cannot be opened, or a table cannot be read.
    pub fn open(
        options: &TraceOptions,
        files: &dyn TraceFiles,
        mut draws: TraceDraws,
    ) -> Result<Self, TraceError> {
        let settings = Settings::new(options)?;
        let luck = Luck(draws.arrivals.next_u64());
        let opened = Opening { options, files, luck, step: settings.step, skipped: 0 }.open()?;
        Ok(Self {
            file: options.path.clone(),
            feed: opened.feed,
            law: draws.service.map_or(opened.law, ServiceLaw::Instead),
            before: draws.services.clone(),
            services: draws.services,
            settings,
            pace: Pace::default(),
            notes: opened.notes,
            handed_out: Vec::with_capacity(BLOCK),
            again: VecDeque::new(),
            last: 0,
            has_ended: false,
        })
    }

    /// Replaces the block's arrivals by the next ones, at most [`BLOCK`]; none: the trace has ended.
    ///
    /// # Errors
    /// What is wrong with the trace, and where.
    pub fn fill(&mut self, block: &mut Block) -> Result<(), TraceError> {
        block.clear();
        self.handed_out.clear();
        self.before = self.services.clone();
        while block.at.len() < BLOCK {
            let Some(arrival) = self.next()? else { break };
            // At a rate of 0 it never comes, unless the rate changes again.
            let Some(at) = self.pace.simulated(arrival.at) else {
                self.again.push_front(arrival);
                break;
            };
            block.at.push(at);
            block.service.push(self.service(&arrival)?);
            self.handed_out.push(arrival);
            self.last = self.last.max(at);
        }
        Ok(())
    }

    /// From `now` on, arrivals come `factor` times as fast as the trace's own; see
    /// [`crate::workload::Source::set_rate_factor`].
    ///
    /// # Errors
    /// If the factor is negative or no number.
    pub fn set_rate_factor(&mut self, now: u64, factor: f64, taken: usize) -> Result<(), ParameterError> {
        let factor = Check("trace").not_negative("rate factor", factor)?;
        self.take_back(taken);
        self.pace.change(now, factor);
        Ok(())
    }

    /// Arrivals after the `taken` first ones of the last block have services of this distribution; see
    /// [`crate::workload::Source::set_service`].
    pub fn set_service(&mut self, service: Dist, taken: usize) {
        self.take_back(taken);
        self.law = ServiceLaw::Instead(service);
    }

    /// How long the trace is in simulated time: at once for tables, from the end on (up to the last arrival) for
    /// formats with one record a line.
    #[must_use]
    pub fn span(&self) -> Option<u64> {
        match self.feed.span() {
            Some(span) => Some(self.settings.scaled(span).min(self.settings.length)),
            None => self.has_ended.then_some(self.last),
        }
    }

    /// What a reader of results should know about this trace: assumptions made and records left out so far.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if let (Some(model), false) = (self.feed.assumed(), matches!(self.law, ServiceLaw::Instead(_))) {
            notes.push(service_models::note(model));
        }
        for (count, what) in [
            (self.feed.filtered(), "records that do not pass the filter were left out"),
            (self.feed.skipped(), "bad records were skipped"),
        ] {
            if count > 0 {
                notes.push(format!("{count} {what}"));
            }
        }
        notes
    }

    /// Bad records left out so far (`skip_bad_records`).
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.feed.skipped()
    }

    /// The next arrival in the trace's own time, with speed and length applied.
    fn next(&mut self) -> Result<Option<TraceArrival>, TraceError> {
        if let Some(again) = self.again.pop_front() {
            return Ok(Some(again));
        }
        if self.has_ended {
            return Ok(None);
        }
        let next = self.feed.next()?.map(|next| TraceArrival { at: self.settings.scaled(next.at), ..next });
        let next = next.filter(|next| next.at < self.settings.length);
        self.has_ended = next.is_none();
        Ok(next)
    }

    fn service(&mut self, arrival: &TraceArrival) -> Result<u64, TraceError> {
        let service = self.law.service(arrival.service_ns, arrival.row, &mut self.services);
        service.ok_or_else(|| {
            let expected = "a service for this workload, or a column with durations";
            TraceError::of_file(&self.file, "no service times", expected)
        })
    }

    /// The last block's arrivals after the `taken` first ones will come again, with the same luck.
    fn take_back(&mut self, taken: usize) {
        let taken = taken.min(self.handed_out.len());
        self.services = self.before.clone();
        for arrival in &self.handed_out[..taken] {
            self.law.service(arrival.service_ns, arrival.row, &mut self.services);
        }
        for arrival in self.handed_out.drain(taken..).rev() {
            self.again.push_front(arrival);
        }
        self.before = self.services.clone();
        self.handed_out.clear();
    }
}

impl fmt::Debug for TraceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSource").field("file", &self.file).finish_non_exhaustive()
    }
}
