//! A run in words, for a terminal.

use super::log::{LogEntry, LogLine, Reconciled};
use super::outcome::ClusterResult;
use crate::report::units::number;
use std::fmt::Write;
use wci_core::cluster::reconcile::Status;

impl ClusterResult {
    /// The figures, and what happened with the reason of each scan; scans without news in a row are one line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.scenario);
        let makespan = self.makespan_s.map_or("never".to_owned(), seconds);
        let rows = [
            ("makespan (last bucket complete)", makespan),
            ("task ended", if self.ended { "yes" } else { "no: workers are left that wait" }.to_owned()),
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
            (
                "scans",
                format!(
                    "{}, of which {} reconciled and {} put a change off",
                    self.totals.scans, self.totals.reconciliations, self.totals.put_off
                ),
            ),
            (
                "workers",
                format!(
                    "{} created, {} suspended, {} resumed",
                    self.totals.workers_created, self.totals.workers_suspended, self.totals.workers_resumed
                ),
            ),
            ("nodes marked down", self.totals.nodes_marked_down.to_string()),
        ];
        for (name, value) in rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<32} {value}");
        }
        text.push_str("\nWhat happened\n");
        let mut quiet = 0;
        for entry in &self.log {
            if matches!(&entry.line, LogLine::Scan { tasks, .. } if tasks.is_empty() && quiet_reason(entry)) {
                quiet += 1;
                continue;
            }
            tell_quiet(&mut text, &mut quiet);
            let _ = writeln!(text, "  {:>10}  {}", seconds(entry.t_ms as f64 / 1000.0), entry.line.text());
        }
        tell_quiet(&mut text, &mut quiet);
        text
    }
}

/// Always in seconds, so that times can be subtracted from each other at a glance.
fn seconds(s: f64) -> String {
    format!("{} s", number(s))
}

fn quiet_reason(entry: &LogEntry) -> bool {
    use wci_core::cluster::latch::LatchReason::NothingChanged;
    matches!(&entry.line, LogLine::Scan { reason: NothingChanged, .. })
}

fn tell_quiet(text: &mut String, quiet: &mut u32) {
    let scans = if *quiet == 1 { "scan finds" } else { "scans find" };
    if *quiet > 0 {
        let _ = writeln!(text, "  {:>10}  {quiet} {scans} the nodes that are up unchanged", "");
    }
    *quiet = 0;
}

impl LogLine {
    fn text(&self) -> String {
        match self {
            Self::Node { node, what } => format!("node {node}: {}", node_words(what)),
            Self::Scan { why, up, tasks, .. } => {
                let up = up.iter().map(|node| &**node).collect::<Vec<_>>().join(", ");
                let tasks: String = tasks.iter().map(Reconciled::text).collect();
                format!("scan, up: {up}. {why}{tasks}")
            }
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
        if let Some(why) = &self.left_alone {
            return format!("\n{:14}{}: left alone, because {why}", "", self.task);
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
        format!("\n{:14}{}: {}{failed}", "", self.task, if told.is_empty() { "no workers" } else { &told })
    }
}
