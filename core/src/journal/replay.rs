//! Replays: whether a journal's inputs lead to its steps again, and what another spec would have decided.

use super::{Entry, JournalError, JournalReader, Record};
use crate::controller::{Controller, OpenLoop, RefusalKind, Response, Step};
use crate::decision::{ActionKind, Decision};
use crate::spec::Spec;
use crate::time::Timestamp;
use serde::Serialize;

/// Differences beyond these are only counted.
const KEPT_DIFFERENCES: usize = 100;

/// A step that came out differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The entry.
    pub n: u64,
    /// Its time.
    pub t: Timestamp,
    /// The step of the journal.
    pub recorded: Step,
    /// The step of the replay.
    pub replayed: Step,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replayed {
    /// Entries replayed.
    pub entries: u64,
    /// Decisions in them.
    pub decisions: u64,
    /// Steps that came out differently.
    pub different_steps: u64,
    /// The first hundred of them.
    pub differences: Vec<Difference>,
}

/// A replay that takes a journal record by record.
#[derive(Debug, Default)]
pub struct Replay {
    controller: Option<Controller>,
    found: Replayed,
}

impl Replay {
    /// A replay that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next record. A header rebuilds the controller; an entry before any header is ignored, and a
    /// [`JournalReader`] never hands one on.
    pub fn take(&mut self, record: Record) {
        match record {
            Record::Header(header) => {
                self.controller = Some(Controller::resume(header.version, header.settings, header.state));
            }
            Record::Entry(entry) => self.compare(*entry),
        }
    }

    /// What it found.
    #[must_use]
    pub fn finish(self) -> Replayed {
        self.found
    }

    fn compare(&mut self, entry: Entry) {
        let Some(controller) = &mut self.controller else { return };
        let Entry { n, t, input, step: recorded } = entry;
        self.found.entries += 1;
        self.found.decisions += recorded.decisions.len() as u64;
        let replayed = controller.handle(t, input);
        if replayed == recorded || without_words(replayed.clone()) == without_words(recorded.clone()) {
            return;
        }
        self.found.different_steps += 1;
        if self.found.differences.len() < KEPT_DIFFERENCES {
            self.found.differences.push(Difference { n, t, recorded, replayed });
        }
    }
}

/// The journal does not hold an invalid change of the spec, so the words about it cannot come out the same.
fn without_words(mut step: Step) -> Step {
    for action in &mut step.actions {
        if let ActionKind::Answer { response, .. } = &mut action.kind
            && let Response::Refused(refusal) = &mut **response
            && refusal.kind == RefusalKind::InvalidArgument
        {
            refusal.message.clear();
        }
    }
    step
}

/// Rebuilds the controller of a journal, hands it every input again and compares every step.
///
/// # Errors
/// Names the line that cannot be read.
pub fn replay(journal: &[u8]) -> Result<Replayed, JournalError> {
    let mut replay = Replay::new();
    read_all(journal, |record| replay.take(record))?;
    Ok(replay.finish())
}

/// The decisions on one recorded input, as they were and as another spec would have made them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenLoopStep {
    /// The entry.
    pub n: u64,
    /// Its time.
    pub t: Timestamp,
    /// What was decided.
    pub recorded: Vec<Decision>,
    /// What the other spec would have decided.
    pub other: Vec<Decision>,
}

/// What another spec would have decided on the inputs as recorded (open loop: see [`OpenLoop`]); only inputs on
/// which either decided anything.
///
/// # Errors
/// Names the line that cannot be read.
pub fn replay_with_spec(journal: &[u8], spec: &Spec) -> Result<Vec<OpenLoopStep>, JournalError> {
    let mut steps = Vec::new();
    let mut other: Option<OpenLoop> = None;
    read_all(journal, |record| match record {
        Record::Header(header) => match &mut other {
            Some(other) => other.go_on(header.settings),
            None => {
                other = Some(OpenLoop::new(header.version, header.settings, header.state, spec.clone()));
            }
        },
        Record::Entry(entry) => {
            let Entry { n, t, input, step } = *entry;
            let decided = other.as_mut().map(|other| other.feed(t, &input, &step)).unwrap_or_default();
            if !decided.is_empty() || !step.decisions.is_empty() {
                steps.push(OpenLoopStep { n, t, recorded: step.decisions, other: decided });
            }
        }
    })?;
    Ok(steps)
}

fn read_all(journal: &[u8], mut on_record: impl FnMut(Record)) -> Result<(), JournalError> {
    let mut reader = JournalReader::new();
    reader.feed(journal, &mut on_record)?;
    reader.finish(on_record)
}
