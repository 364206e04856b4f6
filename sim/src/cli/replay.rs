//! `wci replay`: a journal's decisions, again.

use super::args::ReplayArgs;
use super::replay_summary::{Differences, is_equal};
use super::{CommandResult, Failure, Outcome, disk, load};
use crate::report::units::utc;
use crate::report::why::outcome;
use wci_core::journal::{self, OpenLoopStep};
use wci_core::{Decision, Spec};

/// Replays a journal; different decisions make the status 1.
pub fn replay(args: &ReplayArgs) -> CommandResult {
    let bytes = load::read_bytes(&args.journal)?;
    let name = args.journal.display().to_string();
    if wci_core::cluster::journal::is_one(&bytes) {
        return match &args.spec {
            None => super::cluster::replay(&bytes, &name, args.json),
            Some(_) => Err(Failure::new(format!("--spec: {name} is a journal of scans, which have no spec"))),
        };
    }
    match &args.spec {
        Some(path) => {
            let text = disk::read_text(path)?;
            let spec: Spec = serde_json::from_str(&text)
                .map_err(|error| Failure::about(error, &path.display().to_string()))?;
            open_loop(&bytes, &name, &spec, args)
        }
        None => closed_loop(&bytes, &name, args.json),
    }
}

fn closed_loop(bytes: &[u8], name: &str, json: bool) -> CommandResult {
    let replayed = journal::replay(bytes).map_err(|error| Failure::about(error, name))?;
    if json {
        disk::print(&crate::report::json::to_json(&replayed)?)?;
    } else {
        let mut text = format!("{} inputs, {} decisions\n", replayed.entries, replayed.decisions);
        for difference in replayed.differences.iter().take(10) {
            let recorded = serde_json::to_string(&difference.recorded)?;
            let now = serde_json::to_string(&difference.replayed)?;
            text += &format!(
                "entry {} at {}:\n  recorded {recorded}\n  replayed {now}\n",
                difference.n,
                difference.t.as_millis()
            );
        }
        text += &match replayed.different_steps {
            0 => "every decision came out the same\n".to_owned(),
            n => format!("{n} steps came out differently\n"),
        };
        disk::print(&text)?;
    }
    Ok(if replayed.different_steps == 0 { Outcome::Fine } else { Outcome::Failed })
}

fn open_loop(bytes: &[u8], name: &str, spec: &Spec, args: &ReplayArgs) -> CommandResult {
    let steps = journal::replay_with_spec(bytes, spec).map_err(|error| Failure::about(error, name))?;
    eprintln!("open loop: the inputs are as recorded, they do not answer what this spec would have changed");
    let mut text = String::new();
    if args.json {
        for step in &steps {
            text += &serde_json::to_string(step)?;
            text.push('\n');
        }
    } else {
        text += &Differences::of(&steps).to_string();
        let shown = steps.iter().filter(|step| args.all || !is_equal(&step.recorded, &step.other));
        shown.for_each(|step| show(step, &mut text));
    }
    disk::print(&text)?;
    Ok(Outcome::Fine)
}

fn show(step: &OpenLoopStep, text: &mut String) {
    *text += &format!("\n{}\n", utc(step.t.as_millis()));
    for (who, decisions) in [("recorded", &step.recorded), ("this spec", &step.other)] {
        if decisions.is_empty() {
            *text += &format!("  {who:9} no decision\n");
        }
        for decision in decisions {
            *text += &format!("  {who:9} {}: {}\n", decision.group, did(decision));
        }
    }
}

fn did(decision: &Decision) -> String {
    format!("{} ({})", outcome(decision), decision.reason.rule.sentence().trim_end_matches('.'))
}
