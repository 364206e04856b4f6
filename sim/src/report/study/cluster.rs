//! What a search over a cluster scenario has found, in words.

use super::amount::{amount, with_interval};
use crate::report::units::plural;
use crate::research::cluster::{ClusterBest, ClusterTuned, cluster_keys};
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
        plural(tuned.tried as u64, "setting", "settings"),
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
    let _ = writeln!(out, "\nOn the fresh seeds, 95 % intervals (Student):");
    let keys = cluster_keys();
    let kind =
        |key: &str| keys.iter().find(|(name, _)| name == key).map_or(Quantity::Count, |(_, kind)| *kind);
    for (key, estimate) in &best.figures {
        let high = match tuned.subject_to.iter().find(|constraint| constraint.key == *key) {
            Some(constraint) => {
                let high = estimate.high().map_or_else(|| "-".into(), |high| amount(kind(key), high));
                format!(", upper limit {high} ({key} {})", constraint.text)
            }
            None => String::new(),
        };
        let _ =
            writeln!(out, "  {key:20}{}{high}", with_interval(kind(key), estimate, estimate.mean.is_none()));
    }
    let (written, holds) = &best.written;
    let own = kind(&tuned.minimize);
    let _ = writeln!(
        out,
        "\nAgainst as written ({}, {}): paired difference {}",
        with_interval(own, written, written.mean.is_none()),
        if *holds { "meets the target" } else { "misses the target" },
        with_interval(own, &best.difference, false)
    );
    if best.failed > 0 {
        let _ = writeln!(
            out,
            "{} before it did not hold on fresh seeds.",
            plural(best.failed as u64, "setting", "settings")
        );
    }
}
