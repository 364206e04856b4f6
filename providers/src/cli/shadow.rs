//! `wci-controller shadow`: what another spec would decide beside a running controller, which it leaves alone.
//!
//! It follows the running controller's history: the same signals, the same statistics, at the same times. The loop is
//! open: the statistics are those of the real decisions, so more workers here do not shorten the backlog there.

mod original;

use super::spec_file::read_spec;
use super::{Failed, VersionArgs, reach};
use crate::controller::Client;
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::journal::Histories;
use clap::Args;
use serde::Serialize;
use serde_json::json;
use std::io::{self, Write};
use wci_core::Spec;
use wci_core::controller::OpenLoop;
use wci_core::decision::Decision;
use wci_core::journal::{Entry, JournalReader, Record};

#[derive(Args)]
pub(super) struct ShadowArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Spec to try beside the running one, in JSON; - is stdin
    #[arg(long, short)]
    spec: String,
    /// End with what has happened so far
    #[arg(long)]
    once: bool,
}

pub(super) async fn shadow(connection: &ConnectionArgs, args: ShadowArgs) -> Result<(), Failed> {
    let spec = Spec::from_json(&read_spec(&args.spec)?).map_err(|e| Failed::Usage(e.to_string()))?;
    let client = Client::new(reach(connection).await?, DEFAULT_TASK_QUEUE);
    let version = args.version.version();
    let beside = Beside { reader: JournalReader::new(), spec: spec.clone(), other: None };
    match Histories::of(&client, &version).write(beside, !args.once).await {
        Err(e) if e.is_of_the_original() => original::follow(&client, &version, spec, !args.once).await,
        ended => Ok(ended?),
    }
}

/// Takes a journal and prints, for each input on which either decided, both lists as one JSON line.
struct Beside {
    reader: JournalReader,
    spec: Spec,
    other: Option<OpenLoop>,
}

impl Write for Beside {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut records = Vec::new();
        self.reader.feed(piece, |record| records.push(record)).map_err(io::Error::other)?;
        records.into_iter().try_for_each(|record| self.take(record))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Beside {
    fn take(&mut self, record: Record) -> io::Result<()> {
        match record {
            Record::Header(header) => {
                match &mut self.other {
                    Some(other) => other.go_on(header.settings),
                    None => {
                        let spec = self.spec.clone();
                        self.other = Some(OpenLoop::new(header.version, header.settings, header.state, spec));
                    }
                }
                Ok(())
            }
            Record::Entry(entry) => {
                let Entry { t, input, step, .. } = *entry;
                let other = self.other.as_mut().map(|other| other.feed(t, &input, &step)).unwrap_or_default();
                if step.decisions.is_empty() && other.is_empty() {
                    return Ok(());
                }
                print(&t.to_rfc3339(), &step.decisions, &other)
            }
        }
    }
}

fn print(at: &str, running: &[impl Serialize], shadow: &[Decision]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &json!({"at": at, "running": running, "shadow": shadow}))?;
    out.write_all(b"\n")
}
