//! decisions.jsonl: a line for each decision in time order, written once its call has been answered.

use crate::results::TimedDecision;
use std::collections::VecDeque;
use std::io::{self, Write};
use wci_core::controller::FailureClass;
use wci_core::decision::ActionId;

/// A call that takes longer than so many decisions is written as if it had not failed: memory stays flat.
const MOST_WAITING: usize = 10_000;

/// Decisions on their way into a file.
pub struct DecisionLines<W> {
    file: W,
    waiting: VecDeque<Line>,
}

struct Line {
    timed: TimedDecision,
    is_answered: bool,
}

impl<W: Write> DecisionLines<W> {
    pub const fn new(file: W) -> Self {
        Self { file, waiting: VecDeque::new() }
    }

    /// Takes the next decision.
    pub fn push(&mut self, timed: TimedDecision) -> io::Result<()> {
        let is_answered = !timed.acted();
        self.waiting.push_back(Line { timed, is_answered });
        self.write_answered()
    }

    /// Takes the answer to the call that a decision caused.
    pub fn call_ended(&mut self, id: ActionId, failure: Option<FailureClass>) -> io::Result<()> {
        if let Some(line) = self.waiting.iter_mut().find(|line| line.timed.decision.action_id == Some(id)) {
            line.timed.failure = failure;
            line.is_answered = true;
        }
        self.write_answered()
    }

    /// Writes what is left: calls that were never answered.
    pub fn finish(mut self) -> io::Result<W> {
        while let Some(line) = self.waiting.pop_front() {
            self.write(&line.timed)?;
        }
        self.file.flush()?;
        Ok(self.file)
    }

    fn write_answered(&mut self) -> io::Result<()> {
        while self.waiting.front().is_some_and(|line| line.is_answered) || self.waiting.len() > MOST_WAITING {
            if let Some(line) = self.waiting.pop_front() {
                self.write(&line.timed)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, timed: &TimedDecision) -> io::Result<()> {
        let line = serde_json::to_string(timed)?;
        writeln!(self.file, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::decision;
    use wci_core::decision::Rule;

    fn acting(t: i64, id: u64) -> TimedDecision {
        let mut timed = TimedDecision::new(t, decision("a", Rule::NoSyncMatch, None, true));
        timed.decision.action_id = Some(ActionId(id));
        timed
    }

    #[test]
    fn lines_stay_in_time_order_and_name_the_failure() {
        let mut lines = DecisionLines::new(Vec::new());
        lines.push(acting(1, 1)).expect("writes");
        lines.push(TimedDecision::new(2, decision("a", Rule::NoChange, None, false))).expect("writes");
        lines.push(acting(3, 2)).expect("writes");
        assert!(lines.file.is_empty(), "waits for the first answer");
        lines.call_ended(ActionId(1), Some(FailureClass::Unavailable)).expect("writes");
        let text = String::from_utf8(lines.finish().expect("writes")).expect("UTF-8");
        let read: Vec<TimedDecision> =
            text.lines().map(|line| serde_json::from_str(line).expect("parses")).collect();
        let shown: Vec<_> = read.iter().map(|timed| (timed.t, timed.failure)).collect();
        assert_eq!(shown, [(1, Some(FailureClass::Unavailable)), (2, None), (3, None)]);
    }
}
