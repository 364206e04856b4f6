//! Opens a trace: formats with one record a line as they are needed, tables at once.

use super::azure::{self, DurationRows, InvocationRows, MemoryRows};
use super::counts::{CountFeed, Counts};
use super::error::{Fault, TraceError};
use super::feed::Feed;
use super::files::TraceFiles;
use super::folder::{AzureFiles, client_files, open};
use super::nab::CountRows;
use super::options::{TraceFormat, TraceOptions};
use super::parser::{Content, FileParser, Parser, Rows, Table};
use super::prometheus::RangeQuery;
use super::record_feed::RecordFeed;
use super::rows::Layout;
use super::servegen::{self, WindowRows};
use super::service::ServiceLaw;
use super::service_models;
use super::spread::Luck;

/// What opening a trace gives.
pub(crate) struct Opened {
    pub feed: Feed,
    pub law: ServiceLaw,
    pub notes: Vec<String>,
}

/// Reads the files of a trace.
pub(crate) struct Opening<'a> {
    pub options: &'a TraceOptions,
    pub files: &'a dyn TraceFiles,
    pub luck: Luck,
    /// The option of this name, in nanoseconds.
    pub step: Option<u64>,
    /// Bad records left out so far.
    pub skipped: u64,
}

impl Opening<'_> {
    pub(crate) fn open(mut self) -> Result<Opened, TraceError> {
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
        Ok(Opened { feed, law: ServiceLaw::Recorded, notes: Vec::new() })
    }

    fn azure(&mut self) -> Result<Opened, TraceError> {
        let names = AzureFiles::find(self.options, self.files)?;
        let invocations: InvocationRows = self.table(&names.invocations, InvocationRows::default())?;
        let durations = self.table(&names.durations, DurationRows::default())?;
        let memory = names.memory.map(|name| self.table(&name, MemoryRows::default())).transpose()?;
        let joined = azure::join(invocations, durations, memory, self.options.pairing);
        let joined = joined.map_err(|fault| fault.in_file(&self.options.path))?;
        Ok(self.opened(joined.counts, joined.law, None, joined.notes))
    }

    fn servegen(&mut self) -> Result<Opened, TraceError> {
        let names = client_files(&self.options.path, self.files)?;
        let clients = names.iter().map(|name| self.table(name, WindowRows::default()));
        let clients = clients.collect::<Result<Vec<_>, _>>()?;
        let counts = self.in_path(servegen::join(clients, self.luck))?;
        let law = ServiceLaw::One(service_models::servegen());
        Ok(self.opened(counts, law, Some(service_models::SERVEGEN), Vec::new()))
    }

    fn nab(&mut self) -> Result<Opened, TraceError> {
        let rows = self.table(&self.options.path, CountRows::new(self.options.unit))?;
        let (counts, notes) = self.in_path(rows.counts(self.step))?;
        let law = ServiceLaw::One(service_models::nab());
        Ok(self.opened(counts, law, Some(service_models::NAB), notes))
    }

    fn prometheus(&mut self) -> Result<Opened, TraceError> {
        let query = self.read(&self.options.path, RangeQuery::default())?;
        let (counts, notes) = self.in_path(query.counts(self.options.values, self.step, self.luck))?;
        Ok(self.opened(counts, ServiceLaw::Recorded, None, notes))
    }

    fn opened(
        &self,
        counts: Counts,
        law: ServiceLaw,
        assumed: Option<&'static str>,
        notes: Vec<String>,
    ) -> Opened {
        let feed = CountFeed::new(counts, self.options.expand, self.luck);
        let feed = Feed::Counts { feed, file: self.options.path.clone(), assumed, skipped: self.skipped };
        Opened { feed, law, notes }
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
