//! What a search over a cluster scenario has found: in words, as a picture, as a page and as CSV.

use super::again::again;
use super::amount::{amount, with_interval};
use super::{Dot, Kind, Scatter};
use crate::report::html::{escape, shell};
use crate::report::units::plural;
use crate::research::cluster::{ClusterBest, ClusterConfirmed, ClusterTrial, ClusterTuned, cluster_keys};
use crate::scenario::expect::Quantity;
use std::fmt::Write as _;

/// What is found, for a terminal.
#[must_use]
pub fn cluster_tuned(title: &str, tuned: &ClusterTuned) -> String {
    let mut out = format!("{title}\nminimize {}", tuned.minimize);
    for constraint in &tuned.subject_to {
        let _ = write!(out, ", subject to {} {}", constraint.key, constraint.text);
    }
    let [search, fresh] = tuned.seeds;
    let _ = writeln!(
        out,
        "\n{} tried on seeds {}-{} (Latin hypercube), {} met the target, confirmed on {}-{}, never used before\n",
        plural(tuned.trials.len() as u64, "setting", "settings"),
        search.0,
        search.1,
        tuned.feasible,
        fresh.0,
        fresh.1
    );
    match &tuned.best {
        Some(best) => found(tuned, best, &mut out),
        None => out.push_str("No setting was found that meets the target. Nothing is bent to make it fit.\n"),
    }
    out
}

fn found(tuned: &ClusterTuned, best: &ClusterBest, out: &mut String) {
    out.push_str("Set:\n");
    for (key, value) in &best.settings {
        let _ = writeln!(out, "  {key} = {value}");
    }
    best.scenarios.iter().for_each(|one| confirmed(tuned, one, out));
    if best.failed > 0 {
        let _ = writeln!(
            out,
            "{} before it did not hold on fresh seeds.",
            plural(best.failed as u64, "setting", "settings")
        );
    }
}

fn confirmed(tuned: &ClusterTuned, one: &ClusterConfirmed, out: &mut String) {
    let _ = writeln!(out, "\n{}, on the fresh seeds, 95 % intervals (Student):", one.scenario);
    for (key, estimate) in &one.figures {
        let high = match tuned.subject_to.iter().find(|constraint| constraint.key == *key) {
            Some(constraint) => {
                let high = estimate.high().map_or_else(|| "-".into(), |high| amount(kind(key), high));
                format!(", upper limit {high} ({key} {})", constraint.text)
            }
            None => String::new(),
        };
        let _ =
            writeln!(out, "  {key:24}{}{high}", with_interval(kind(key), estimate, estimate.mean.is_none()));
    }
    let (written, holds) = &one.written;
    let own = kind(&tuned.minimize);
    let _ = writeln!(
        out,
        "\nAgainst as written ({}, {}): paired difference {}",
        with_interval(own, written, written.mean.is_none()),
        if *holds { "meets the target" } else { "misses the target" },
        with_interval(own, &one.difference, false)
    );
}

fn kind(key: &str) -> Quantity {
    cluster_keys().iter().find(|(name, _)| name == key).map_or(Quantity::Count, |(_, kind)| *kind)
}

/// What one figure costs in the other, among all that was tried.
#[must_use]
pub fn cluster_pareto(tuned: &ClusterTuned) -> Scatter {
    let dot = |trial: &ClusterTrial| {
        let kind = if trial.on_front { Kind::Front } else { Kind::Tried };
        Some(Dot { x: trial.minimized?, y: trial.constrained?, kind, label: settings(trial, "\n") })
    };
    let mut points: Vec<Dot> = tuned.trials.iter().filter_map(dot).collect();
    points.sort_by_key(|dot| dot.kind == Kind::Front);
    let key = tuned.constrained_key();
    if let Some(best) = &tuned.best {
        let at = best.mean(&tuned.minimize).zip(best.mean(key));
        points.extend(at.map(|(x, y)| Dot { x, y, kind: Kind::Best, label: "found".to_owned() }));
    }
    Scatter {
        title: format!("{} against {key}", tuned.minimize),
        x: (tuned.minimize.clone(), Some(kind(&tuned.minimize))),
        y: (key.to_owned(), Some(kind(key))),
        points,
        limit: tuned.subject_to.first().map(|constraint| constraint.bound()),
    }
}

/// The same as one page; `command` gives it again.
#[must_use]
pub fn cluster_page(title: &str, tuned: &ClusterTuned, command: &str) -> String {
    let (class, headline) = match tuned.best {
        Some(_) => ("verdict", "A setting meets the target"),
        None => ("verdict bad", "No setting was found that meets the target"),
    };
    let mut body = format!(
        "<header>\n<h1>Tuned: {}</h1>\n<div class=\"{class}\"><strong>{headline}</strong></div>\n</header>\n<main>\n\
         <section><h2>Result</h2>\n<pre>{}</pre></section>\n<section><h2>What one figure costs in the other</h2>\n\
         <figure>{}<figcaption>Each point is a setting, its mean over the seeds of the search. On the front no other is \
         better in both.</figcaption></figure></section>\n",
        escape(title),
        escape(&cluster_tuned(title, tuned)),
        cluster_pareto(tuned).svg()
    );
    front(tuned, &mut body);
    body.push_str(&again(command));
    shell(&format!("Tuned: {title}"), &body)
}

fn front(tuned: &ClusterTuned, body: &mut String) {
    let key = tuned.constrained_key();
    let mut front: Vec<&ClusterTrial> = tuned.trials.iter().filter(|trial| trial.on_front).collect();
    front.sort_by(|a, b| a.minimized.unwrap_or(f64::NAN).total_cmp(&b.minimized.unwrap_or(f64::NAN)));
    // What comes to the same is one place on the front.
    front.dedup_by(|b, a| a.minimized == b.minimized && a.constrained == b.constrained);
    let _ = writeln!(
        body,
        "<section><h2>The front</h2>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>{}</th><th>{}</th>\
         <th>Target</th><th>Settings</th></tr></thead>\n<tbody>",
        escape(&tuned.minimize),
        escape(key)
    );
    for trial in front {
        let shown =
            |key: &str, mean: Option<f64>| mean.map_or_else(|| "-".into(), |mean| amount(kind(key), mean));
        let (class, word) = if trial.holds { ("ok", "met") } else { ("failed", "not surely") };
        let _ = writeln!(
            body,
            "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"{class}\">{word}</td><td>{}</td></tr>",
            escape(&shown(&tuned.minimize, trial.minimized)),
            escape(&shown(key, trial.constrained)),
            escape(&settings(trial, ", "))
        );
    }
    body.push_str("</tbody></table></div></section>\n");
}

fn settings(trial: &ClusterTrial, between: &str) -> String {
    let settings = trial.settings.iter().map(|(key, value)| format!("{key} = {value}"));
    settings.collect::<Vec<_>>().join(between)
}

/// A line for each setting that was tried.
///
/// # Errors
/// None that a table in memory could have.
pub fn cluster_trials_csv(tuned: &ClusterTuned) -> csv::Result<Vec<u8>> {
    let keys = tuned.trials.first().map(|trial| trial.settings.iter().map(|(key, _)| key.as_str()).collect());
    let keys: Vec<&str> = keys.unwrap_or_default();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = [tuned.minimize.as_str(), tuned.constrained_key(), "meets_target", "on_front"];
    writer.write_record(fixed.into_iter().chain(keys))?;
    for trial in &tuned.trials {
        let number = |mean: Option<f64>| mean.map(|mean| mean.to_string()).unwrap_or_default();
        let fixed = [
            number(trial.minimized),
            number(trial.constrained),
            trial.holds.to_string(),
            trial.on_front.to_string(),
        ];
        let values = trial.settings.iter().map(|(_, value)| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        });
        writer.write_record(fixed.into_iter().chain(values))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
