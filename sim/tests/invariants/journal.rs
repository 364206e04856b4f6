//! The journal of a run replays to equal steps, over controller restarts as well.

use crate::harness::{ensure, for_every_seed};
use wci_core::Controller;
use wci_core::journal::{JournalWriter, replay};
use wci_sim::driver::{JournalEntry, Observer};
use wci_sim::results::TimedDecision;

/// Writes the journal into memory and counts decisions.
#[derive(Default)]
struct Journal {
    bytes: Vec<u8>,
    writer: Option<JournalWriter<Vec<u8>>>,
    decisions: u64,
}

impl Observer for Journal {
    fn wants_journal(&self) -> bool {
        true
    }
    fn journal_begins(&mut self, controller: &Controller) {
        self.keep();
        self.writer = JournalWriter::begin(Vec::new(), controller).ok();
    }
    fn journal(&mut self, entry: JournalEntry<'_>) {
        let writer = self.writer.as_mut().expect("the journal has begun");
        writer.record(entry.t, entry.input, entry.step).expect("memory takes all");
    }
    fn decision(&mut self, _decision: &TimedDecision) {
        self.decisions += 1;
    }
}

impl Journal {
    fn keep(&mut self) {
        self.bytes.extend(self.writer.take().map(JournalWriter::into_inner).unwrap_or_default());
    }
}

#[test]
fn a_replay_decides_the_same() {
    for_every_seed("a_replay_decides_the_same", |scenario| {
        let mut journal = Journal::default();
        let watched = scenario.run(&mut journal)?;
        journal.keep();
        if !journal.bytes.is_empty() {
            let replayed = replay(&journal.bytes).map_err(|e| e.to_string())?;
            ensure(replayed.different_steps == 0, || format!("{:?}", replayed.differences.first()))?;
            let (decided, again) = (journal.decisions, replayed.decisions);
            ensure(decided == again, || format!("{decided} decisions, {again} in the journal"))?;
        }
        let unwatched = scenario.run(&mut wci_sim::driver::Quiet)?;
        ensure(watched.summary == unwatched.summary, || "being watched changed the run".into())
    });
}
