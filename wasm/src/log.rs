//! The decision log as a page shows it, in the words of `wci explain`.

use serde::Serialize;
use wci_core::Timestamp;
use wci_core::decision::{Limit, Rule};
use wci_core::gather;
use wci_sim::report::why::{Direction, direction, kind, outcome, why};
use wci_sim::results::{DecisionLog, TimedDecision};

/// One line of the log.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// Milliseconds since the start of the run.
    pub t_ms: i64,
    /// The scaling group.
    pub group: &'a str,
    /// The algorithm.
    pub algorithm: &'a str,
    /// The rule that spoke.
    pub rule: Rule,
    /// The limit that cut its wish.
    pub limit: Option<Limit>,
    /// Whether it caused an action.
    pub acted: bool,
    /// Which way it moves the number of workers: `up`, `down` or `set`.
    pub direction: &'static str,
    /// What was done.
    pub outcome: String,
    /// Why, in a sentence or two with the numbers.
    pub why: String,
    /// The numbers that the rule looked at.
    pub inputs: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Line<'a> {
    /// A decision's line.
    pub fn of(timed: &'a TimedDecision, start: Timestamp) -> Self {
        let decision = &timed.decision;
        let inputs = decision.reason.inputs.iter();
        Self {
            t_ms: timed.t - start.as_millis(),
            group: &decision.group,
            algorithm: &decision.algorithm,
            rule: decision.reason.rule,
            limit: decision.reason.limit,
            acted: decision.action_id.is_some(),
            direction: match direction(decision) {
                Direction::Up => "up",
                Direction::Down => "down",
                Direction::Set => "set",
            },
            outcome: outcome(decision),
            why: why(decision),
            inputs: gather(inputs.map(|(name, value)| (name.to_string(), (*value).into()))),
        }
    }
}

/// How often one kind of decision fell.
#[derive(Debug, Serialize)]
struct Count<'a> {
    group: &'a str,
    acted: bool,
    count: u64,
    text: String,
}

/// The whole log.
#[derive(Debug, Serialize)]
pub struct Log<'a> {
    /// Decisions in all; the list holds the first, the last and the most telling of them.
    pub total: u64,
    lines: Vec<Line<'a>>,
    counts: Vec<Count<'a>>,
}

impl<'a> Log<'a> {
    /// What a page shows of a run's decisions.
    pub fn of(log: &'a DecisionLog, start: Timestamp) -> Self {
        let count = |count: &'a wci_sim::results::DecisionCount| Count {
            group: &count.first.decision.group,
            acted: count.acted,
            count: count.count,
            text: kind(&count.first.decision),
        };
        Self {
            total: log.total,
            lines: log.listed.iter().map(|timed| Line::of(timed, start)).collect(),
            counts: log.counts.iter().map(count).collect(),
        }
    }
}
