//! The record of inputs and steps, as JSON lines.
//!
//! The first line is the [`Header`]: format, release, version, settings and state. Then comes one [`Entry`] for
//! each handled input, numbered from 1:
//!
//! ```json
//! {"journal":1,"core":"0.1.0","version":{"deployment_name":"d","build_id":"b"},"settings":{},"state":{}}
//! {"n":1,"t":1700000000000,"input":{"task_add":{"task_queue_type":2}},"step":{"actions":[],"decisions":[],"wake_at":null}}
//! ```
//!
//! The configurations of the providers are replaced by hashes, so a journal holds no secrets of a spec; what a
//! replay decides does not depend on them. A further header line begins a further run, so journals can be joined.
//! The same format comes from the simulator and from a live controller.

mod reader;
mod redact;
mod replay;

pub use reader::{JournalError, JournalReader, Record};
pub use replay::{Difference, OpenLoopStep, Replay, Replayed, replay, replay_with_spec};

use crate::controller::{Controller, Input, Settings, State, Step, WorkerDeploymentVersion};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// The format that this release writes; it reads every one up to it.
pub const JOURNAL_FORMAT: u32 = 1;

/// The first line: everything a replay starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The format.
    pub journal: u32,
    /// The release that wrote it.
    pub core: String,
    /// The version whose workers were scaled.
    pub version: WorkerDeploymentVersion,
    /// What the host had decided.
    #[serde(default)]
    pub settings: Settings,
    /// The state before the first input.
    #[serde(default)]
    pub state: State,
}

impl Header {
    /// The header of a journal that begins now, before the controller's next input.
    #[must_use]
    pub fn of(controller: &Controller) -> Self {
        Self {
            journal: JOURNAL_FORMAT,
            core: env!("CARGO_PKG_VERSION").to_owned(),
            version: controller.version().clone(),
            settings: controller.settings().clone(),
            state: redact::state(controller.dump()),
        }
    }
}

/// One handled input and what it caused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1.
    pub n: u64,
    /// The time that was handed in.
    pub t: Timestamp,
    /// The input.
    pub input: Input,
    /// The answer.
    pub step: Step,
}

/// An entry that borrows what it can: most inputs hold nothing to redact.
#[derive(Serialize)]
struct EntryRef<'a> {
    n: u64,
    t: Timestamp,
    input: Cow<'a, Input>,
    step: Cow<'a, Step>,
}

/// Writes a journal.
#[derive(Debug)]
pub struct JournalWriter<W> {
    out: W,
    written: u64,
}

impl<W: io::Write> JournalWriter<W> {
    /// Begins a journal before the controller's next input.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(mut out: W, controller: &Controller) -> io::Result<Self> {
        write_line(&mut out, &Header::of(controller))?;
        Ok(Self { out, written: 0 })
    }

    /// Goes on with a journal that already holds its header and `written` entries.
    pub const fn resume(out: W, written: u64) -> Self {
        Self { out, written }
    }

    /// Records a handled input.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn record(&mut self, t: Timestamp, input: &Input, step: &Step) -> io::Result<()> {
        self.written += 1;
        let (input, step) = (redact::input(input, step), redact::step(step));
        write_line(&mut self.out, &EntryRef { n: self.written, t, input, step })
    }

    /// Gives back what was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

fn write_line(out: &mut impl io::Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests;
