//! What a run writes while it goes on: decisions, journal and tasks, each line when it happens.

use super::decision_lines::DecisionLines;
use super::progress::Progress;
use super::{Failure, disk};
use crate::driver::{FinishedTask, JournalEntry, Observer};
use crate::model::{MILLI, Nanos};
use crate::results::TimedDecision;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use wci_core::Controller;
use wci_core::controller::FailureClass;
use wci_core::decision::ActionId;
use wci_core::journal::JournalWriter;

/// Files that grow during a run, and the progress bar.
pub struct Outputs {
    progress: Progress,
    decisions: Option<DecisionLines<BufWriter<File>>>,
    journal: Option<BufWriter<File>>,
    writer: Option<JournalWriter<BufWriter<File>>>,
    tasks: Option<BufWriter<File>>,
    journal_path: Option<PathBuf>,
    workloads: Vec<String>,
    /// The first error; writing stops there and the command reports it at its end.
    error: Option<io::Error>,
}

/// Which files are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// journal.jsonl.
    pub journal: bool,
    /// tasks.csv.
    pub tasks: bool,
}

impl Outputs {
    /// No files, only progress.
    pub fn none(progress: Progress) -> Self {
        Self {
            progress,
            decisions: None,
            journal: None,
            writer: None,
            tasks: None,
            journal_path: None,
            workloads: Vec::new(),
            error: None,
        }
    }

    /// Files in a folder.
    pub fn in_folder(
        folder: &Path,
        wanted: Wanted,
        workloads: Vec<String>,
        progress: Progress,
    ) -> Result<Self, Failure> {
        let mut outputs = Self::none(progress);
        outputs.decisions = Some(DecisionLines::new(disk::create(&folder.join("decisions.jsonl"))?));
        if wanted.journal {
            outputs.journal = Some(disk::create(&folder.join("journal.jsonl"))?);
        }
        if wanted.tasks {
            let mut file = disk::create(&folder.join("tasks.csv"))?;
            writeln!(file, "workload,arrived_ms,added_ms,matched_ms,completed_ms,attempt,group,worker")?;
            outputs.tasks = Some(file);
        }
        outputs.journal_path = wanted.journal.then(|| folder.join("journal.jsonl"));
        outputs.workloads = workloads;
        Ok(outputs)
    }

    /// Closes the files.
    pub fn finish(mut self) -> Result<(), Failure> {
        if let Some(error) = self.error.take() {
            return Err(Failure::about(error, "writing results"));
        }
        if let (Some(_), Some(path)) = (&self.journal, &self.journal_path) {
            // No controller decided anything: an empty journal would be none.
            std::fs::remove_file(path).map_err(|error| disk::named(&error, path))?;
        }
        let failed = |error| Failure::about(error, "writing results");
        if let Some(decisions) = self.decisions {
            decisions.finish().map_err(failed)?;
        }
        for mut file in [self.tasks, self.writer.map(JournalWriter::into_inner)].into_iter().flatten() {
            file.flush().map_err(failed)?;
        }
        Ok(())
    }

    fn keep(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }
}

impl Observer for Outputs {
    fn wants_journal(&self) -> bool {
        self.journal.is_some() || self.writer.is_some()
    }

    fn wants_tasks(&self) -> bool {
        self.tasks.is_some()
    }

    fn journal_begins(&mut self, controller: &Controller) {
        let file = self.journal.take().or_else(|| self.writer.take().map(JournalWriter::into_inner));
        if let Some(file) = file {
            match JournalWriter::begin(file, controller) {
                Ok(writer) => self.writer = Some(writer),
                Err(error) => self.keep(Err(error)),
            }
        }
    }

    fn journal(&mut self, entry: JournalEntry<'_>) {
        if let Some(writer) = &mut self.writer {
            let result = writer.record(entry.t, entry.input, entry.step);
            self.keep(result);
        }
    }

    fn decision(&mut self, decision: &TimedDecision) {
        if let Some(lines) = &mut self.decisions {
            let result = lines.push(decision.clone());
            self.keep(result);
        }
    }

    fn call_ended(&mut self, id: ActionId, failure: Option<FailureClass>) {
        if let Some(lines) = &mut self.decisions {
            let result = lines.call_ended(id, failure);
            self.keep(result);
        }
    }

    fn task(&mut self, task: &FinishedTask) {
        let Some(file) = &mut self.tasks else { return };
        let ms = |nanos: Nanos| nanos as f64 / MILLI as f64;
        let workload = self.workloads.get(task.workload).map_or("", String::as_str);
        let (arrived, added) = (ms(task.arrived), ms(task.added));
        let (matched, completed) = (ms(task.matched), ms(task.completed));
        let FinishedTask { attempt, group, worker, .. } = task;
        let result =
            writeln!(file, "{workload},{arrived},{added},{matched},{completed},{attempt},{group},{worker}");
        self.keep(result);
    }

    fn progress(&mut self, now: Nanos, horizon: Nanos, events: u64) {
        self.progress.update(now, horizon, events);
    }
}
