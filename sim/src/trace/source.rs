//! A trace as a source of arrivals for the simulator: opened once, filled block by block, in flat memory.

use super::azure::{self, DurationRows, InvocationRows, MemoryRows};
use super::counts::{CountFeed, Counts};
use super::error::{Fault, TraceError};
use super::files::{AzureFiles, TraceFiles, client_files, open};
use super::nab::CountRows;
use super::options::{TraceFormat, TraceOptions};
use super::parser::{Content, FileParser, Parser, Rows, Table};
use super::prometheus::RangeQuery;
use super::record_feed::RecordFeed;
use super::rows::Layout;
use super::servegen::{self, WindowRows};
use super::service::ServiceLaw;
use super::service_models;
use super::settings::Settings;
use super::spread::Luck;
use crate::dist::Dist;
use crate::rng::Stream;
use crate::workload::{BLOCK, Block};

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
    notes: Vec<String>,
    skipped: u64,
    last: u64,
    has_ended: bool,
}

enum Feed {
    Records(Box<RecordFeed>),
    Counts(CountFeed),
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
        let law = draws.service.map_or(opened.law, ServiceLaw::Instead);
        Ok(Self {
            file: options.path.clone(),
            feed: opened.feed,
            law,
            services: draws.services,
            settings,
            notes: opened.notes,
            skipped: opened.skipped,
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
        while block.at.len() < BLOCK && !self.has_ended {
            let Some((at, service)) = self.next()? else {
                self.has_ended = true;
                break;
            };
            block.at.push(at);
            block.service.push(service);
            self.last = at;
        }
        Ok(())
    }

    /// How long the trace is in simulated time: at once for tables, from the end on (up to the last arrival) for
    /// formats with one record a line.
    #[must_use]
    pub fn span(&self) -> Option<u64> {
        match &self.feed {
            Feed::Counts(feed) => Some(self.settings.scaled(feed.counts().span()).min(self.settings.length)),
            Feed::Records(_) => self.has_ended.then_some(self.last),
        }
    }

    /// What a reader of results should know about this trace: assumptions made and records left out so far.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if let Feed::Records(feed) = &self.feed
            && feed.parser().filtered() > 0
        {
            notes.push(format!("{} records do not pass the filter", feed.parser().filtered()));
        }
        if self.skipped() > 0 {
            notes.push(format!("{} bad records skipped", self.skipped()));
        }
        notes
    }

    /// Bad records left out so far (`skip_bad_records`).
    #[must_use]
    pub fn skipped(&self) -> u64 {
        match &self.feed {
            Feed::Records(feed) => feed.parser().skipped(),
            Feed::Counts(_) => self.skipped,
        }
    }

    /// The next arrival and its service time.
    fn next(&mut self) -> Result<Option<(u64, u64)>, TraceError> {
        let (at, recorded, row) = match &mut self.feed {
            Feed::Records(feed) => match feed.next()? {
                Some((at, service)) => (at, service, 0),
                None => return Ok(None),
            },
            Feed::Counts(feed) => match feed.next().map_err(|fault| fault.in_file(&self.file))? {
                Some((at, row)) => (at, None, row),
                None => return Ok(None),
            },
        };
        let at = self.settings.scaled(at);
        if at >= self.settings.length {
            return Ok(None);
        }
        let service = self.law.service(recorded, row, &mut self.services).ok_or_else(|| {
            TraceError::of_file(
                &self.file,
                "no service times",
                "a service for this workload, or a column with durations",
            )
        })?;
        Ok(Some((at, service)))
    }
}

/// What opening a trace gives.
struct Opened {
    feed: Feed,
    law: ServiceLaw,
    notes: Vec<String>,
    skipped: u64,
}

/// Reads the files of a trace.
struct Opening<'a> {
    options: &'a TraceOptions,
    files: &'a dyn TraceFiles,
    luck: Luck,
    step: Option<u64>,
    skipped: u64,
}

impl Opening<'_> {
    fn open(mut self) -> Result<Opened, TraceError> {
        match self.options.format {
            TraceFormat::AzureFunctions2019 => self.azure(),
            TraceFormat::Servegen => self.servegen(),
            TraceFormat::Nab => self.nab(),
            TraceFormat::Prometheus => self.prometheus(),
            _ => self.records(),
        }
    }

    fn records(self) -> Result<Opened, TraceError> {
        let parser = Parser::new(self.options)?;
        let reader = open(self.files, &self.options.path)?;
        let feed = Feed::Records(Box::new(RecordFeed::new(parser, reader, self.options, self.luck)));
        Ok(Opened { feed, law: ServiceLaw::Recorded, notes: Vec::new(), skipped: 0 })
    }

    fn azure(&mut self) -> Result<Opened, TraceError> {
        let names = AzureFiles::find(self.options, self.files)?;
        let invocations: InvocationRows = self.table(&names.invocations, InvocationRows::default())?;
        let durations = self.table(&names.durations, DurationRows::default())?;
        let memory = names.memory.map(|name| self.table(&name, MemoryRows::default())).transpose()?;
        let joined = azure::join(invocations, durations, memory, self.options.pairing);
        let joined = joined.map_err(|fault| fault.in_file(&self.options.path))?;
        Ok(self.opened(joined.counts, joined.law, joined.notes))
    }

    fn servegen(&mut self) -> Result<Opened, TraceError> {
        let names = client_files(&self.options.path, self.files)?;
        let clients = names.iter().map(|name| self.table(name, WindowRows::default()));
        let clients = clients.collect::<Result<Vec<_>, _>>()?;
        let counts = self.in_path(servegen::join(clients, self.luck))?;
        Ok(self.opened(counts, ServiceLaw::One(service_models::servegen()), Vec::new()))
    }

    fn nab(&mut self) -> Result<Opened, TraceError> {
        let rows = self.table(&self.options.path, CountRows::new(self.options.unit))?;
        let (counts, notes) = self.in_path(rows.counts(self.step))?;
        Ok(self.opened(counts, ServiceLaw::One(service_models::nab()), notes))
    }

    fn prometheus(&mut self) -> Result<Opened, TraceError> {
        let query = self.read(&self.options.path, RangeQuery::default())?;
        let (counts, notes) = self.in_path(query.counts(self.options.values, self.step, self.luck))?;
        Ok(self.opened(counts, ServiceLaw::Recorded, notes))
    }

    fn opened(&self, counts: Counts, law: ServiceLaw, notes: Vec<String>) -> Opened {
        let feed = Feed::Counts(CountFeed::new(counts, self.options.expand, self.luck));
        Opened { feed, law, notes, skipped: self.skipped }
    }

    fn in_path<T>(&self, result: Result<T, Fault>) -> Result<T, TraceError> {
        result.map_err(|fault| fault.in_file(&self.options.path))
    }

    /// Reads a whole file of comma-separated values.
    fn table<R: Rows>(&mut self, name: &str, rows: R) -> Result<R, TraceError> {
        let layout = Layout::Separated { delimiter: b',', comment: None };
        Ok(self.read(name, Table::new(layout, rows))?.rows)
    }

    /// Reads a whole file.
    fn read<C: Content>(&mut self, name: &str, content: C) -> Result<C, TraceError> {
        let parser = FileParser::new(name, self.options.skip_bad_records, content);
        let parser = parser.read_all(&mut *open(self.files, name)?)?;
        self.skipped += parser.tolerance.skipped;
        Ok(parser.content)
    }
}
