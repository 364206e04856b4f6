//! Who may watch a run: files, progress bars, pages.

use crate::model::Nanos;
use crate::results::TimedDecision;
use crate::world::FinishedTask;
use wci_core::controller::FailureClass;
use wci_core::decision::ActionId;
use wci_core::{Input, Step, Timestamp};

/// One handled input with what it caused.
#[derive(Clone, Copy, Debug)]
pub struct JournalEntry<'a> {
    /// When it was handled.
    pub t: Timestamp,
    /// The input.
    pub input: &'a Input,
    /// The answer.
    pub step: &'a Step,
}

/// Watches a run; every method does nothing unless told otherwise.
pub trait Observer {
    /// Whether journal entries are wanted (they cost a copy of each input).
    fn wants_journal(&self) -> bool {
        false
    }
    /// The controller begins: what the journal's first line says.
    fn journal_begins(&mut self, _controller: &wci_core::Controller) {}
    /// The controller handled an input.
    fn journal(&mut self, _entry: JournalEntry<'_>) {}
    /// A rule was evaluated.
    fn decision(&mut self, _decision: &TimedDecision) {}
    /// The provider answered the call that a decision caused.
    fn call_ended(&mut self, _id: ActionId, _failure: Option<FailureClass>) {}
    /// Whether finished tasks are wanted one by one.
    fn wants_tasks(&self) -> bool {
        false
    }
    /// A task finished.
    fn task(&mut self, _task: &FinishedTask) {}
    /// Simulated time went on.
    fn progress(&mut self, _now: Nanos, _horizon: Nanos, _events: u64) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Observer for Quiet {}
