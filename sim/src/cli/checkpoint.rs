//! Finished runs in a file, so that a study that was interrupted goes on where it was.
//!
//! One JSON line a run, written when it ends: whatever interrupts the program, at most the last line is broken, and
//! that run is made again. Runs of another build of the program are not taken.

use super::{Failure, disk};
use crate::digest::Digest;
use crate::research::{Case, Finished, Keep, Store};
use crate::scenario::SourceSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// A file of finished runs.
#[derive(Debug)]
pub struct Checkpoint {
    known: Mutex<BTreeMap<String, Finished>>,
    file: Mutex<File>,
    build: u64,
    found: usize,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    run: String,
    result: Finished,
}

impl Checkpoint {
    /// Reads what is there and goes on behind it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let named = |error: std::io::Error| disk::named(&error, path);
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(named(error)),
        };
        // A line that an interruption cut is no JSON, and its run is made again.
        let lines =
            text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let known: BTreeMap<String, Finished> = lines.map(|Line { run, result }| (run, result)).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(named)?;
        if text.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").map_err(named)?;
        }
        Ok(Self { found: known.len(), known: Mutex::new(known), file: Mutex::new(file), build: build() })
    }

    /// How many runs were there already.
    pub const fn found(&self) -> usize {
        self.found
    }

    /// The name of a run: a digest of everything that decides its outcome.
    fn name(&self, case: &Case, seed: u64) -> String {
        let mut digest = Digest::default();
        let Keep { pools, course } = case.keep;
        [self.build, seed, pools.into(), course.into()].into_iter().for_each(|word| digest.feed(word));
        feed(&mut digest, &case.identity);
        digest.feed(case.resolved.model.warm_up);
        for source in &case.resolved.sources {
            if let SourceSpec::Trace { options, .. } = source {
                let paths = [Some(&options.path), options.durations.as_ref(), options.memory.as_ref()];
                paths.into_iter().flatten().for_each(|path| feed_file(&mut digest, path));
            }
        }
        digest.text()
    }
}

impl Store for Checkpoint {
    fn find(&self, case: &Case, seed: u64) -> Option<Finished> {
        let name = self.name(case, seed);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&name)
    }

    fn keep(&self, case: &Case, seed: u64, finished: &Finished) {
        let line = Line { run: self.name(case, seed), result: finished.clone() };
        let Ok(mut bytes) = serde_json::to_vec(&line) else { return };
        bytes.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // What cannot be remembered has to be run again; the study itself is none the worse.
        let _ = file.write_all(&bytes);
    }
}

fn feed(digest: &mut Digest, text: &str) {
    digest.feed(text.len() as u64);
    text.bytes().for_each(|byte| digest.feed(byte.into()));
}

/// A trace is told from another by its place, size and age.
fn feed_file(digest: &mut Digest, path: &str) {
    feed(digest, path);
    feed(digest, &std::env::var("WCI_TRACES").unwrap_or_default());
    feed_age(
        digest,
        Path::new(&path.replace("${WCI_TRACES}", &std::env::var("WCI_TRACES").unwrap_or_default())),
    );
}

fn feed_age(digest: &mut Digest, path: &Path) {
    let Ok(data) = std::fs::metadata(path) else { return };
    let age = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    digest.feed(data.len());
    digest.feed(age.map_or(0, |age| age.as_nanos() as u64));
}

/// Which build of the program this is.
fn build() -> u64 {
    let mut digest = Digest::default();
    feed(&mut digest, env!("CARGO_PKG_VERSION"));
    if let Ok(program) = std::env::current_exe() {
        feed_age(&mut digest, &program);
    }
    u64::from_str_radix(&digest.text(), 16).unwrap_or_default()
}
