//! What a scan did, for people.

use std::fmt::{self, Write};
use wci_core::cluster::NodeId;
use wci_core::cluster::latch::LatchReason;
use wci_core::cluster::reconcile::{Change, Outcome, Status, WorkerState};

/// One scan.
#[derive(Clone, Debug)]
pub struct Report {
    /// Why it reconciled, or did not.
    pub reason: LatchReason,
    /// The nodes that are ready.
    pub up: Vec<NodeId>,
    /// What it did, by job.
    pub jobs: Vec<Done>,
    /// Workers by job and state, afterwards.
    pub workers: Vec<(String, WorkerState, usize)>,
    /// What was wrong and left out.
    pub warnings: Vec<String>,
}

/// What was done about one job.
#[derive(Clone, Debug)]
pub struct Done {
    /// The job.
    pub job: String,
    /// Whether these are its first workers.
    pub is_new: bool,
    /// Why it was left alone, if it was.
    pub left_alone: Option<String>,
    /// What was to be done.
    pub changes: Vec<Change>,
    /// What was done.
    pub outcome: Outcome,
}

impl Done {
    /// The counters with their names, without those that are zero.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let outcome = &self.outcome;
        let all = [
            ("matched", outcome.matched),
            ("renamed", outcome.renamed),
            ("adapted", outcome.adapted),
            ("suspended", outcome.suspended),
            ("created", outcome.created),
            ("resumed", outcome.resumed),
            ("closed", outcome.closed_done),
        ];
        all.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name, u64::from(count)))
    }

    /// The counters in words, and what went wrong.
    #[must_use]
    pub fn text(&self) -> String {
        if let Some(why) = &self.left_alone {
            return format!("left alone, because {why}");
        }
        let counts: Vec<String> = self.counts().map(|(name, count)| format!("{count} {name}")).collect();
        let mut text = if counts.is_empty() { "no workers".to_owned() } else { counts.join(", ") };
        if let (Status::Warning | Status::FatalError, Some(why)) =
            (self.outcome.status, &self.outcome.message)
        {
            let _ = write!(text, "; then: {why}");
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let up = self.up.iter().map(|node| &**node).collect::<Vec<_>>().join(", ");
        writeln!(f, "ready: {}", if up.is_empty() { "no node" } else { &up })?;
        writeln!(f, "{}", self.reason.sentence())?;
        for done in &self.jobs {
            let new = if done.is_new { " (its first workers)" } else { "" };
            writeln!(f, "{}{new}: {}", done.job, done.text())?;
            for change in &done.changes {
                writeln!(f, "  {}", sentence(change))?;
            }
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))
    }
}

fn sentence(change: &Change) -> String {
    match change {
        Change::Rename { id, from, to } => format!("rename {id}: {from:?} becomes {to:?}"),
        Change::Adapt { id, to, is_scavenger, .. } => {
            let kind = if *is_scavenger { "a scavenger" } else { "an ordinary worker" };
            format!("adapt {id}: it becomes {kind}, {to:?}")
        }
        Change::Suspend { id } => format!("suspend {id}"),
        Change::Create { worker, is_suspended } => {
            let group =
                worker.group.as_deref().map_or("any node".to_owned(), |group| format!("group {group}"));
            let kind = if worker.is_scavenger { ", a scavenger" } else { "" };
            let waits = if *is_suspended { ", suspended" } else { "" };
            format!("create {:?} for {group}{kind}{waits}", worker.name)
        }
        Change::Resume { id } => format!("resume {id}"),
        Change::Close { id } => format!("close {id}"),
    }
}
