//! A journal of a live controller, or of a run: replayed, and shown like a run.

use crate::log::Log;
use crate::player::{PlayerError, json};
use crate::recorder::COLUMNS;
use serde::Serialize;
use std::collections::BTreeMap;
use wci_core::journal::{Difference, Entry, JournalReader, Record, Replay};
use wci_core::metrics::{MetricsSnapshot, Observation};
use wci_core::{Input, Timestamp};
use wci_sim::report::log::DecisionCollector;
use wci_sim::report::why::{Direction, direction, outcome};

/// What a journal holds, and whether its decisions come out the same again.
#[derive(Debug, Default)]
pub struct Incident {
    reader: Option<JournalReader>,
    replay: Replay,
    seen: Seen,
}

/// What is shown beside the points.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    deployment_name: &'a str,
    build_id: &'a str,
    core: &'a str,
    groups: &'a BTreeMap<String, String>,
    start_ms: i64,
    end_ms: i64,
    entries: u64,
    decisions: u64,
    different_steps: u64,
    differences: Vec<String>,
    log: Log<'a>,
}

impl Incident {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self { reader: Some(JournalReader::new()), ..Self::default() }
    }

    /// Takes the next piece of the file.
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), PlayerError> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let (replay, seen) = (&mut self.replay, &mut self.seen);
        reader
            .feed(piece, |record| {
                seen.take(&record);
                replay.take(record);
            })
            .map_err(|error| PlayerError::Input(error.to_string()))
    }

    /// Ends the reading: everything to show as JSON, and the points in the columns of [`COLUMNS`].
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn finish(mut self) -> Result<(String, Vec<f64>), PlayerError> {
        let (replay, seen) = (&mut self.replay, &mut self.seen);
        if let Some(reader) = self.reader.take() {
            let ended = reader.finish(|record| {
                seen.take(&record);
                replay.take(record);
            });
            ended.map_err(|error| PlayerError::Input(error.to_string()))?;
        }
        let Self { replay, seen, .. } = self;
        let replayed = replay.finish();
        let decisions = seen.collector.finish();
        let shown = Shown {
            deployment_name: &seen.deployment_name,
            build_id: &seen.build_id,
            core: &seen.core,
            groups: &seen.groups,
            start_ms: seen.start.as_millis(),
            end_ms: seen.end.as_millis(),
            entries: replayed.entries,
            decisions: replayed.decisions,
            different_steps: replayed.different_steps,
            differences: replayed.differences.iter().take(20).map(|one| words(one, seen.start)).collect(),
            log: Log::of(&decisions, seen.start),
        };
        Ok((json(&shown)?, seen.points))
    }
}

/// A step that came out differently, in words.
fn words(difference: &Difference, start: Timestamp) -> String {
    let of = |step: &wci_core::Step| {
        let all: Vec<String> =
            step.decisions.iter().map(|d| format!("{}: {}", d.group, outcome(d))).collect();
        if all.is_empty() { "no decision".to_owned() } else { all.join(", ") }
    };
    let seconds = (difference.t.as_millis() - start.as_millis()) as f64 / 1000.0;
    let (recorded, replayed) = (of(&difference.recorded), of(&difference.replayed));
    format!("entry {} at {seconds} s: recorded {recorded}; replayed {replayed}", difference.n)
}

/// What the inputs and decisions say of the world, in the order of time.
#[derive(Debug, Default)]
struct Seen {
    deployment_name: String,
    build_id: String,
    core: String,
    groups: BTreeMap<String, String>,
    has_begun: bool,
    start: Timestamp,
    end: Timestamp,
    statistics: MetricsSnapshot,
    observed: BTreeMap<String, Observation>,
    desired: BTreeMap<String, f64>,
    collector: DecisionCollector,
    points: Vec<f64>,
}

impl Seen {
    fn take(&mut self, record: &Record) {
        match record {
            Record::Header(header) => {
                self.deployment_name.clone_from(&header.version.deployment_name);
                self.build_id.clone_from(&header.version.build_id);
                self.core.clone_from(&header.core);
                let groups = header.state.spec.iter().flat_map(|spec| spec.groups());
                self.groups.extend(
                    groups.map(|(name, group)| (name.to_string(), group.algorithm().name().to_owned())),
                );
            }
            Record::Entry(entry) => self.entry(entry),
        }
    }

    fn entry(&mut self, entry: &Entry) {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.start = entry.t;
        }
        self.end = entry.t;
        let mut is_news = false;
        match &entry.input {
            Input::Metrics { result: Ok(snapshot), .. } => {
                self.statistics = *snapshot;
                is_news = true;
            }
            Input::Observation { group, observation } => {
                self.observed.insert(group.to_string(), *observation);
            }
            _ => {}
        }
        let (mut up, mut down) = (0.0, 0.0);
        for decision in &entry.step.decisions {
            self.collector.push(entry.t.as_millis(), decision);
            if decision.reason.input("current_workers").is_some()
                && let Some(desired) = decision.reason.desired_workers
            {
                self.desired.insert(decision.group.to_string(), desired as f64);
            }
            if decision.action_id.is_some() {
                is_news = true;
                match direction(decision) {
                    Direction::Up => up += 1.0,
                    Direction::Down => down += 1.0,
                    Direction::Set => {}
                }
            }
        }
        if is_news {
            self.point(entry.t, up, down);
        }
    }

    /// What nobody told is no number: a gap in the charts.
    fn point(&mut self, t: Timestamp, up: f64, down: f64) {
        let queues = [self.statistics.workflow, self.statistics.activity, self.statistics.nexus];
        let queues = || queues.iter().flatten();
        let observed = |of: fn(&Observation) -> Option<u32>| {
            let known: Vec<f64> = self.observed.values().filter_map(of).map(f64::from).collect();
            if known.is_empty() { f64::NAN } else { known.iter().sum() }
        };
        let desired = if self.desired.is_empty() { f64::NAN } else { self.desired.values().sum() };
        let point: [f64; COLUMNS.len()] = [
            (t.as_millis() - self.start.as_millis()) as f64 / 1000.0,
            queues().map(|queue| queue.last_backlog_count as f64).sum(),
            observed(|o| o.starting),
            observed(|o| o.ready),
            observed(|o| o.draining),
            observed(|o| o.busy_slots),
            observed(|o| o.slots),
            queues().map(|queue| f64::from(queue.last_arrival_rate)).sum(),
            queues().map(|queue| f64::from(queue.last_processing_rate)).sum(),
            f64::NAN,
            up,
            down,
            desired,
        ];
        self.points.extend(point);
    }
}
