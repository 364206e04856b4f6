//! What came of a run.

use super::log::LogEntry;
use crate::digest::Digest;
use serde::Serialize;
use std::io;
use wci_core::cluster::journal::JournalWriter;
use wci_core::cluster::scan::{ScanConfig, ScanRecord, ScanState};

/// Everything a run says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterResult {
    /// The scenario's title.
    pub scenario: String,
    /// When the last bucket of all tasks was complete (s); none: never.
    pub makespan_s: Option<f64>,
    /// Whether every task ended, with all its workers.
    pub ended: bool,
    /// Until when it was simulated (s).
    pub simulated_s: f64,
    /// Counters over all tasks.
    #[serde(flatten)]
    pub totals: Totals,
    /// How often it was scanned; none: there was no task that scans.
    pub scan: Option<ScanSettings>,
    /// Why nothing scanned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_scan: Option<&'static str>,
    /// Each task.
    pub tasks: Vec<TaskResult>,
    /// What happened.
    pub log: Vec<LogEntry>,
    /// Nodes, workers and buckets, at each moment at which any of them changed.
    pub timeline: Vec<Sample>,
    /// All that scans saw and decided: they can be decided again.
    #[serde(skip)]
    pub journal: Vec<ScanRecord>,
    /// What scans were told to do.
    #[serde(skip)]
    pub config: ScanConfig,
}

impl ClusterResult {
    /// The journal of the scans as JSON lines, which [`wci_core::cluster::journal::replay`] decides again.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_journal<W: io::Write>(&self, out: W) -> io::Result<()> {
        let mut writer = JournalWriter::new(out, self.config.clone());
        let mut state = ScanState::default();
        for record in &self.journal {
            writer.record(&state, record)?;
            state.store(record.t, &record.tasks, &record.scan, &record.failed);
        }
        Ok(())
    }

    /// Everything that happened in one number: the log, and how things stood at each moment.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Digest::default();
        // Strings and numbers cannot fail to be written.
        let text = serde_json::to_vec(&(&self.log, &self.timeline)).unwrap_or_default();
        for chunk in text.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            digest.feed(u64::from_le_bytes(word));
        }
        digest.text()
    }
}

/// How often the nodes were looked at, and how often the workers may be reconciled with them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScanSettings {
    /// Seconds between scans.
    pub interval_s: f64,
    /// Shortest time between reconciliations.
    pub min_interval_s: Option<f64>,
    /// Longest time between reconciliations.
    pub max_interval_s: Option<f64>,
}

/// Counters over all tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Scans in all.
    pub scans: u64,
    /// Of these, those that reconciled all tasks.
    pub reconciliations: u64,
    /// Those that reconciled only some tasks, as the better switches have it.
    pub partial_reconciliations: u64,
    /// Changes of nodes or definitions that were put off, each counted once.
    pub put_off: u64,
    /// Work that was begun and lost, in seconds of a worker.
    pub wasted_work_s: f64,
    /// Buckets that went back unfinished.
    pub buckets_given_back: u64,
    /// Workers that scans or the start made.
    pub workers_created: u64,
    /// Workers that scans stopped.
    pub workers_suspended: u64,
    /// Workers that scans let go on.
    pub workers_resumed: u64,
    /// Nodes that others gave up.
    pub nodes_marked_down: u64,
}

/// What came of one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskResult {
    /// Its name.
    pub name: String,
    /// Its buckets.
    pub buckets: u32,
    /// Of these, the completed ones.
    pub completed: usize,
    /// When the last one was complete (s).
    pub makespan_s: Option<f64>,
    /// Whether it ended, with all its workers.
    pub ended: bool,
    /// Its workers at the end, ended ones too.
    pub workers: usize,
}

/// How things stood from a moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// From when on (s).
    pub t_s: f64,
    /// Nodes recorded as UP.
    pub nodes_up: usize,
    /// Nodes that really work.
    pub nodes_working: usize,
    /// Workers that run.
    pub workers_running: usize,
    /// Workers that wait for a node, or were stopped.
    pub workers_idle: usize,
    /// Buckets done.
    pub buckets_complete: usize,
    /// Buckets that workers have.
    pub buckets_delegated: usize,
}
