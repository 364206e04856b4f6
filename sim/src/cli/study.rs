//! What all studies share: threads, progress with the time left, what is remembered, how many replications.

use super::args::{StudyArgs, UntilArgs};
use super::checkpoint::Checkpoint;
use super::{CommandResult, Failure, load};
use crate::research::variant::groups;
use crate::research::{Case, Lab, Nothing, Plan, Store, Until, Watch};
use crate::scenario::Scenario;
use crate::scenario::expect::{Expectation, Quantity, known_keys};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Most replications when only a precision is asked for.
const MOST: u64 = 1000;
/// What shall be precise unless named.
const DEFAULT_KEYS: [&str; 2] = ["schedule_to_start.mean", "cost_usd.total"];

/// How many replications; `default` if nothing was said.
pub fn plan(study: &StudyArgs, until: &UntilArgs, default: u64, cases: &[&Case]) -> Result<Plan, Failure> {
    let Some(text) = &until.until else { return Ok(Plan::of(study.replications.unwrap_or(default))) };
    let keys = match &until.of[..] {
        [] => DEFAULT_KEYS.map(str::to_owned).to_vec(),
        keys => keys.iter().map(|name| key_of(name)).collect(),
    };
    for key in &keys {
        cases.iter().try_for_each(|case| check_key("--of", key, case))?;
    }
    let until = Until { share: share(text)?, keys };
    Ok(Plan { count: study.replications.unwrap_or(MOST), until: Some(until) })
}

impl StudyArgs {
    /// Runs a study with what it needs around it.
    pub fn with_lab(
        &self,
        out: Option<&Path>,
        quiet: bool,
        study: impl FnOnce(&Lab<'_>) -> CommandResult + Send,
    ) -> CommandResult {
        if let Some(folder) = out {
            load::make_folder(folder)?;
        }
        let file: Option<PathBuf> =
            self.checkpoint.clone().or_else(|| out.map(|folder| folder.join("checkpoint.jsonl")));
        let checkpoint = file.as_deref().map(Checkpoint::open).transpose()?;
        if let (Some(file), Some(found)) =
            (&file, checkpoint.as_ref().map(Checkpoint::found).filter(|n| *n > 0))
        {
            eprintln!("{found} finished runs in {}: what fits is not run again", file.display());
        }
        let store: &dyn Store = checkpoint.as_ref().map_or(&Nothing, |checkpoint| checkpoint);
        let bar = StudyProgress::new(quiet);
        let lab = Lab { surroundings: load::SURROUNDINGS, store, watch: &bar };
        self.on_threads(|| study(&lab))?
    }

    /// Runs something on as many threads as were asked for.
    pub fn on_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0).into()).build();
        let threads = threads.map_err(|error| Failure::about(error, "--threads"))?;
        Ok(threads.install(work))
    }
}

/// Refuses a scenario that is named twice: it would weigh twice as much as the others.
pub fn check_once(paths: &[PathBuf]) -> Result<(), Failure> {
    let twice = paths.iter().enumerate().find(|(i, path)| paths[..*i].contains(path));
    twice.map_or(Ok(()), |(_, path)| {
        Err(Failure::new(format!("{}: found twice, expected each scenario once", path.display())))
    })
}

/// The short name of the whole cost.
const COST: &str = "cost";

/// The key of a figure that has a short name; any other as it is.
pub fn key_of(name: &str) -> String {
    if name == COST { "cost_usd.total".into() } else { name.into() }
}

/// What `--subject-to` asks of a scenario.
pub fn constraints(texts: &[String], scenario: &Scenario) -> Result<Vec<Expectation>, Failure> {
    let groups = groups(scenario)?;
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let parsed = texts.iter().map(|text| Expectation::parse(&with_key(text), &groups));
    parsed.collect::<Result<_, _>>().map_err(|error| Failure::about(error, "--subject-to"))
}

/// A constraint with the key for a short name. What is called `cost` is in US dollars, said or not.
fn with_key(text: &str) -> String {
    let Some((name, comparison)) = text.find(['<', '>', '=']).map(|at| text.split_at(at)) else {
        return text.to_owned();
    };
    let (name, comparison) = (name.trim(), comparison.trim());
    let is_bare = name == COST && comparison.ends_with(|c: char| c.is_ascii_digit());
    format!("{} {comparison}{}", key_of(name), if is_bare { " USD" } else { "" })
}

/// Refuses a figure that no summary of this case has, or that is a text.
pub fn check_key(option: &str, key: &str, case: &Case) -> Result<(), Failure> {
    let groups: Vec<&str> = case.resolved.model.groups.iter().map(|group| &*group.name).collect();
    let mut known = known_keys(&groups);
    known.retain(|(_, quantity)| *quantity != Quantity::Text);
    if known.iter().any(|(name, _)| name == key) {
        return Ok(());
    }
    let near = |name: &str| strsim::normalized_damerau_levenshtein(name, key);
    let nearest = known.iter().map(|(name, _)| name).max_by(|a, b| near(a).total_cmp(&near(b)));
    let nearest = nearest.map_or("", String::as_str);
    Err(Failure::new(format!(
        "{option} {key}: no such figure, expected a key of run --json such as {nearest}"
    )))
}

/// `ci=1%` as a share.
pub fn share(text: &str) -> Result<f64, Failure> {
    let number = text.trim().strip_prefix("ci=").map(str::trim);
    let share = number.and_then(|number| match number.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
        None => number.parse().ok(),
    });
    let is_right = |share: &f64| *share > 0.0 && *share < 1.0;
    share.filter(is_right).ok_or_else(|| {
        Failure::new(format!(
            "--until {text}: expected a precision between 0 and 1, such as ci=1% or ci=0.01"
        ))
    })
}

/// A bar of runs, only where a person watches.
pub struct StudyProgress {
    bar: ProgressBar,
    planned: AtomicU64,
    at_most: AtomicU64,
}

impl StudyProgress {
    pub fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let progress = Self { bar, planned: AtomicU64::new(0), at_most: AtomicU64::new(0) };
        progress.words("{bar:30} {pos} of {len} runs, {elapsed}, {eta} left");
        progress
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn words(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }
}

impl Watch for StudyProgress {
    /// A search plans a batch at a time: the time left to the end of a batch would say nothing.
    fn at_most(&self, runs: usize) {
        self.at_most.store(runs as u64, Ordering::Relaxed);
        self.bar.set_length(runs as u64);
        self.words("{bar:30} {pos} of at most {len} runs, {elapsed}, at most {eta} left");
    }

    fn planned(&self, runs: usize) {
        let planned = self.planned.fetch_add(runs as u64, Ordering::Relaxed) + runs as u64;
        self.bar.set_length(planned.max(self.at_most.load(Ordering::Relaxed)));
    }

    fn finished(&self) {
        self.bar.inc(1);
    }
}

impl Drop for StudyProgress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_shows_the_runs_of_all_of_it_and_not_of_a_batch() {
        let progress = StudyProgress::new(true);
        progress.at_most(100);
        progress.planned(10);
        progress.finished();
        assert_eq!((progress.bar.length(), progress.bar.position()), (Some(100), 1));
        progress.planned(200);
        assert_eq!(progress.bar.length(), Some(210), "more than was thought");
    }
}
