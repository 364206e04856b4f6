//! The record of scans, as JSON lines, and its replay.
//!
//! The first line is the [`Header`]: format, release, what the scans were told to do, and the state before the first
//! one. Then comes one [`ScanRecord`] for each scan:
//!
//! ```json
//! {"cluster_journal":1,"core":"0.1.0","config":{"tasks":"all"},"state":{"schema":1}}
//! {"t":60000,"nodes":{"A":{"is_up":true,"is_alive":true}},"tasks":[],"scan":{"reason":"initial"}}
//! ```
//!
//! A further header begins where the state before a scan is not what the last one left: a restart, a scan whose state
//! could not be written, somebody else's scan. So journals can be joined. The same format comes from the simulator and
//! from a live controller.

use super::scan::{Scan, ScanConfig, ScanRecord, ScanState};
use crate::journal::JournalError;
use crate::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;

/// The format that this release writes; it reads every one up to it.
pub const JOURNAL_FORMAT: u32 = 1;
/// Differences beyond these are only counted.
const KEPT_DIFFERENCES: usize = 100;
/// What only a header has.
const MARK: &str = "\"cluster_journal\"";

/// Everything a replay starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The format.
    pub cluster_journal: u32,
    /// The release that wrote it.
    pub core: String,
    /// What the scans were told to do.
    pub config: ScanConfig,
    /// The state before the first scan.
    #[serde(default)]
    pub state: ScanState,
}

/// Writes a journal.
#[derive(Debug)]
pub struct JournalWriter<W> {
    out: W,
    config: ScanConfig,
    /// What the last scan left.
    left: Option<ScanState>,
}

impl<W: io::Write> JournalWriter<W> {
    /// A journal of scans that are told to do this; the header is written with the first one.
    pub const fn new(out: W, config: ScanConfig) -> Self {
        Self { out, config, left: None }
    }

    /// Records a scan and the state before it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn record(&mut self, before: &ScanState, record: &ScanRecord) -> io::Result<()> {
        if self.left.as_ref() != Some(before) {
            let header = Header {
                cluster_journal: JOURNAL_FORMAT,
                core: env!("CARGO_PKG_VERSION").to_owned(),
                config: self.config.clone(),
                state: before.clone(),
            };
            write_line(&mut self.out, &header)?;
        }
        let mut left = before.clone();
        left.store(record.t, &record.tasks, &record.scan, &record.failed);
        self.left = Some(left);
        write_line(&mut self.out, record)
    }

    /// Gives back what was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// One whole line at once, so that an interruption cuts at most the last one.
fn write_line(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// A scan that came out differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The line of the journal.
    pub line: u64,
    /// When the scan began.
    pub t: Timestamp,
    /// The decision of the journal.
    pub recorded: Scan,
    /// The decision of the replay.
    pub replayed: Scan,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replayed {
    /// Scans replayed.
    pub scans: u64,
    /// Of these, those that came out differently.
    pub different_scans: u64,
    /// The first hundred of them.
    pub differences: Vec<Difference>,
}

/// Whether these bytes begin as a journal of scans does.
#[must_use]
pub fn is_one(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(&first[..first.len().min(100)]);
    first.trim_start().starts_with('{') && first.contains(MARK)
}

/// Decides recorded scans again.
///
/// # Errors
/// Names the line that is no record, what was found and what would be right.
pub fn replay(bytes: &[u8]) -> Result<Replayed, JournalError> {
    let mut found = Replayed::default();
    let mut run: Option<(ScanConfig, ScanState)> = None;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if is_one(line) {
            let header: Header = read(line, number, "a header")?;
            check(&header, number)?;
            run = Some((header.config, header.state));
            continue;
        }
        let Some((config, state)) = &mut run else {
            return Err(wrong(
                number,
                "found no header, expected {\"cluster_journal\":1,...} first".to_owned(),
            ));
        };
        found.take(read(line, number, "a scan or a header")?, number, config, state);
    }
    if run.is_none() {
        return Err(wrong(1, "found the end, expected a header".to_owned()));
    }
    Ok(found)
}

impl Replayed {
    fn take(&mut self, record: ScanRecord, line: u64, config: &ScanConfig, state: &mut ScanState) {
        self.scans += 1;
        let replayed = config.scan(state, record.t, &record.nodes, &record.tasks);
        // What follows was decided on what this scan left, whatever it would be now.
        state.store(record.t, &record.tasks, &record.scan, &record.failed);
        if replayed != record.scan {
            self.different_scans += 1;
            if self.differences.len() < KEPT_DIFFERENCES {
                self.differences.push(Difference { line, t: record.t, recorded: record.scan, replayed });
            }
        }
    }
}

fn check(header: &Header, line: u64) -> Result<(), JournalError> {
    if header.cluster_journal == 0 || header.cluster_journal > JOURNAL_FORMAT {
        let what = format!("found format {}, expected at most {JOURNAL_FORMAT}", header.cluster_journal);
        return Err(wrong(line, what));
    }
    header.state.check().map_err(|what| wrong(line, format!("state.schema: {what}")))
}

fn read<T: DeserializeOwned>(line: &[u8], number: u64, expected: &str) -> Result<T, JournalError> {
    serde_json::from_slice(line).map_err(|error| wrong(number, format!("found {error}, expected {expected}")))
}

const fn wrong(line: u64, what: String) -> JournalError {
    JournalError { line, what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Nodes;
    use crate::cluster::latch::LatchReason;
    use std::collections::BTreeSet;

    /// Scans at these seconds of these nodes.
    fn journal(scans: &[(i64, &[&str])]) -> String {
        let mut writer = JournalWriter::new(Vec::new(), ScanConfig::default());
        let mut state = ScanState::default();
        for (at, names) in scans {
            let (t, nodes) = (Timestamp::from_millis(at * 1000), Nodes::all_up(names));
            let scan = ScanConfig::default().scan(&state, t, &nodes, &[]);
            let record = ScanRecord { t, nodes, tasks: Vec::new(), scan, failed: BTreeSet::new() };
            writer.record(&state, &record).unwrap();
            state.store(t, &record.tasks, &record.scan, &record.failed);
        }
        String::from_utf8(writer.into_inner()).unwrap()
    }

    #[test]
    fn a_journal_is_decided_the_same_again_also_when_two_are_joined() {
        let text = journal(&[(0, &["A"]), (60, &["A", "B"]), (120, &["A", "B"])]);
        assert!(is_one(text.as_bytes()));
        assert_eq!(text.matches("cluster_journal").count(), 1, "{text}");
        let found = replay((text.clone() + &text).as_bytes()).unwrap();
        assert_eq!((found.scans, found.different_scans), (6, 0));
    }

    #[test]
    fn a_state_that_the_last_scan_did_not_leave_begins_anew() {
        let text = journal(&[(0, &["A"])]);
        let mut writer = JournalWriter::new(Vec::new(), ScanConfig::default());
        let record: ScanRecord = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        writer.record(&ScanState::default(), &record).unwrap();
        writer.record(&ScanState::default(), &record).unwrap();
        let again = String::from_utf8(writer.into_inner()).unwrap();
        assert_eq!(again.matches("cluster_journal").count(), 2);
        assert_eq!(replay(again.as_bytes()).unwrap().different_scans, 0);
    }

    #[test]
    fn a_decision_that_differs_is_found_with_its_line_and_does_not_spread() {
        let text = journal(&[(0, &["A"]), (60, &["A", "B"]), (120, &["A", "B"])]);
        let found = replay(text.replace("nodes_changed", "nothing_changed").as_bytes()).unwrap();
        assert_eq!((found.scans, found.different_scans), (3, 1));
        let difference = &found.differences[0];
        assert_eq!((difference.line, difference.replayed.reason), (3, LatchReason::NodesChanged));
    }

    #[test]
    fn what_is_no_journal_is_told_with_its_line() {
        let text = journal(&[(0, &["A"])]);
        let wrong = |text: &str| replay(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(wrong(""), "journal line 1: found the end, expected a header");
        let headless = text.lines().nth(1).unwrap();
        assert!(
            wrong(headless).starts_with("journal line 1: found no header, expected"),
            "{}",
            wrong(headless)
        );
        assert!(
            wrong(&text.replace("\"t\":0", "\"t\":\"x\"")).starts_with("journal line 2: found invalid type")
        );
        let newer = text.replace("\"cluster_journal\":1", "\"cluster_journal\":9");
        assert_eq!(wrong(&newer), "journal line 1: found format 9, expected at most 1");
        let newer = text.replace("\"schema\":1", "\"schema\":2");
        assert_eq!(wrong(&newer), "journal line 1: state.schema: found 2, expected at most 1");
    }
}
