//! A run in words, for a terminal.

use super::log::{LogEntry, LogLine, Reconciled, Scanned};
use super::outcome::{ClusterResult, ScanSettings, Totals};
use crate::report::units::number;
use std::fmt::Write;
use wci_core::cluster::latch::LatchReason;
use wci_core::cluster::reconcile::Status;

impl ClusterResult {
    /// The figures, and what happened with the reason of each scan; scans without news in a row are one line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.scenario);
        for (name, value) in self.figures() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<32} {value}");
        }
        if let Some(why) = self.without_scan {
            let _ = writeln!(text, "\nNothing keeps the workers in step with the nodes: {why}.");
        }
        text.push_str("\nWhat happened\n");
        let mut quiet = Vec::new();
        for entry in &self.log {
            if is_quiet(entry) {
                quiet.push(entry.t_ms);
                continue;
            }
            tell_quiet(&mut text, &mut quiet);
            let _ = writeln!(
                text,
                "  {:>10}  {}",
                seconds(entry.t_ms as f64 / 1000.0),
                entry.line.text(self.scan.as_ref())
            );
        }
        tell_quiet(&mut text, &mut quiet);
        text
    }

    /// What people look for first, with its name.
    pub(super) fn figures(&self) -> [(&'static str, String); 8] {
        let makespan = self.makespan_s.map_or("never".to_owned(), seconds);
        [
            ("makespan (last bucket complete)", makespan),
            ("task ended", self.ended_in_words().to_owned()),
            (
                "buckets complete",
                self.tasks
                    .iter()
                    .map(|task| format!("{} of {}", task.completed, task.buckets))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            ("wasted work", seconds(self.totals.wasted_work_s)),
            ("buckets given back", self.totals.buckets_given_back.to_string()),
            ("scans", self.scans_in_words()),
            (
                "workers",
                format!(
                    "{} created, {} suspended, {} resumed",
                    self.totals.workers_created, self.totals.workers_suspended, self.totals.workers_resumed
                ),
            ),
            ("nodes marked down", self.totals.nodes_marked_down.to_string()),
        ]
    }
}

impl ClusterResult {
    fn ended_in_words(&self) -> &'static str {
        let is_done = self.makespan_s.is_some();
        match (self.ended, is_done, self.config.close_done) {
            (true, ..) => "yes",
            (false, true, false) => "no: workers are left that wait; scan.close_done = true would close them",
            (false, true, true) => "no: workers are left that wait",
            (false, false, _) => "no: work is left",
        }
    }

    fn scans_in_words(&self) -> String {
        let Totals { scans, reconciliations, partial_reconciliations, put_off, .. } = self.totals;
        if let Some(why) = self.without_scan {
            return format!("none: {why}");
        }
        let some = match partial_reconciliations {
            0 => String::new(),
            n => format!(", {n} some tasks"),
        };
        let changes = if put_off == 1 { "change" } else { "changes" };
        format!("{scans}: {reconciliations} reconciled all tasks{some}; {put_off} {changes} put off")
    }
}

/// Always in seconds, so that times can be subtracted from each other at a glance.
pub(super) fn seconds(s: f64) -> String {
    format!("{} s", number(s))
}

fn is_quiet(entry: &LogEntry) -> bool {
    matches!(&entry.line, LogLine::Scan(scan) if scan.verdict() == "nothing" && scan.since_last_s.is_some())
}

/// Scans that had nothing to do: which, and why.
fn tell_quiet(text: &mut String, quiet: &mut Vec<i64>) {
    let at = |t_ms: &i64| seconds(*t_ms as f64 / 1000.0);
    let _ = match &quiet[..] {
        [] => Ok(()),
        [one] => writeln!(text, "  {:>10}  scan: nothing, the nodes that are up have not changed", at(one)),
        [first, .., last] => writeln!(
            text,
            "  {:>10}  {} scans until {}: nothing, the nodes that are up have not changed",
            at(first),
            quiet.len(),
            at(last)
        ),
    };
    quiet.clear();
}

impl Scanned {
    /// How the nodes differ from those of the last scan, such as `+C -A`.
    pub(super) fn difference(&self) -> String {
        let joined = self.joined.iter().map(|node| format!("+{node}"));
        joined.chain(self.left.iter().map(|node| format!("-{node}"))).collect::<Vec<_>>().join(" ")
    }

    /// What became of it, in a word or two.
    pub(super) fn verdict(&self) -> &'static str {
        match self.reason {
            reason if reason.reconciles() => "reconciled",
            reason if reason.puts_off() => "put off",
            LatchReason::DefinitionWaits => "still put off",
            LatchReason::NothingChanged if self.pending == Some(true) => "still put off",
            LatchReason::NothingChanged | LatchReason::InitialSkipped => "nothing",
            _ => "some tasks",
        }
    }

    /// How long ago the last reconciliation was, beside what the latch asks for.
    pub(super) fn clock(&self, settings: Option<&ScanSettings>) -> String {
        let Some(since) = self.since_last_s else { return "no reconciliation yet".to_owned() };
        let limit = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {}", seconds(value)));
        let limits = settings.map(|s| [limit("min", s.min_interval_s), limit("max", s.max_interval_s)]);
        let limits: Vec<String> = limits.into_iter().flatten().flatten().collect();
        let limits = if limits.is_empty() { String::new() } else { format!(" ({})", limits.join(", ")) };
        format!("{} after the last one{limits}", seconds(since))
    }

    fn text(&self, settings: Option<&ScanSettings>) -> String {
        self.tasks.iter().fold(self.headline(settings), |text, task| text + &task.text())
    }

    /// All but what was done.
    pub(super) fn headline(&self, settings: Option<&ScanSettings>) -> String {
        let up = self.up.iter().map(|node| &**node).collect::<Vec<_>>().join(", ");
        let difference = match self.difference() {
            none if none.is_empty() => none,
            some => format!(" ({some})"),
        };
        let (verdict, clock) = (self.verdict(), self.clock(settings));
        format!("scan: {verdict}, {clock}; up: {up}{difference}. {}", self.why)
    }
}

impl LogLine {
    pub(super) fn text(&self, settings: Option<&ScanSettings>) -> String {
        match self {
            Self::Node { node, what } => format!("node {node}: {}", node_words(what)),
            Self::Scan(scan) => scan.text(settings),
            Self::NotStarted { task, why } => format!("{task:?} could not make its first workers: {why}"),
            Self::Definition { task, what } => format!("{task:?} changes: {what}"),
            Self::WorkComplete { task } => format!("the last bucket of {task:?} is complete"),
            Self::Ended { task } => format!("{task:?} has ended, and so have all its workers"),
        }
    }
}

fn node_words(what: &str) -> &str {
    match what {
        "join" => "starts",
        "leave" => "is shut down in order",
        "silent" => "is not heard of any more, and works on",
        "crash" => "crashes",
        "return" => "is heard of again",
        "down" => "has been silent for too long: marked DOWN, its buckets go back",
        other => other,
    }
}

impl Reconciled {
    fn text(&self) -> String {
        format!("\n{:14}{}: {}", "", self.task, self.what())
    }

    /// The counters that are not zero, and what went wrong; or why it was left alone.
    pub(super) fn what(&self) -> String {
        if let Some(why) = &self.left_alone {
            return format!("left alone, because {why}");
        }
        let outcome = &self.outcome;
        let counts = [
            ("matched", outcome.matched),
            ("renamed", outcome.renamed),
            ("adapted", outcome.adapted),
            ("suspended", outcome.suspended),
            ("created", outcome.created),
            ("resumed", outcome.resumed),
            ("closed", outcome.closed_done),
        ];
        let told =
            counts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}"));
        let told = told.collect::<Vec<_>>().join(", ");
        let failed = match (&outcome.status, &outcome.message) {
            (Status::Success | Status::NotApplicable, _) | (_, None) => String::new(),
            (_, Some(message)) => format!("; then: {message}"),
        };
        let own = self.own_last_s.map_or(String::new(), |last| {
            format!(" ({} after the last time for this task alone)", seconds(last))
        });
        format!("{}{failed}{own}", if told.is_empty() { "no workers" } else { &told })
    }
}
