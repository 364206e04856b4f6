//! `wci compare`: several specs on the same scenarios and the same luck.

use super::args::{CompareArgs, ScenarioArgs};
use super::study::{check_once, constraints, plan};
use super::tune::kinds;
use super::{CommandResult, Failure, Outcome, disk, load, run};
use crate::report::json::to_json;
use crate::report::study::{compare as text, compare_page};
use crate::research::compare::{Contest, Entrant, with_spec};
use crate::research::keep_alive::{Policy, is_per_request};
use crate::research::{Case, Lab, SquareRoot};
use crate::scenario::{Scenario, json_to_toml};
use std::path::Path;
use wci_core::algorithm::AlgorithmKind;

/// The name of the fixed count in hindsight.
const BEST_FIXED: &str = "best-fixed";
/// The name of the plan on the true rate.
const SQUARE_ROOT: &str = "square-root";

/// Compares; what does not fit a scenario is left out by name. Nothing at all that ran is an error.
pub fn compare(args: &CompareArgs) -> CommandResult {
    check_once(&args.scenarios)?;
    let read = |path: &std::path::PathBuf| {
        load::scenario(&ScenarioArgs { scenario: path.clone(), set: args.set.clone(), seed: args.seed })
    };
    let scenarios = args.scenarios.iter().map(read).collect::<Result<Vec<Scenario>, _>>()?;
    let entrants =
        scenarios.iter().map(|scenario| entrants(args, scenario)).collect::<Result<Vec<_>, _>>()?;
    args.specs.iter().try_for_each(|path| check_spec(path, &scenarios))?;
    check_policies(args, &scenarios)?;
    args.study.with_lab(args.out.as_deref(), args.quiet, |lab: &Lab<'_>| {
        let mut contests = Vec::new();
        for (scenario, entrants) in scenarios.iter().zip(&entrants) {
            let case = Case::new(scenario.name(), scenario)?;
            let plan = plan(&args.study, &args.until, 10, &[&case])?;
            let mut contest = Contest::run(lab, scenario, entrants, &plan)?;
            contest.target = constraints(&args.subject_to, scenario)?;
            contests.push(contest);
        }
        Contest::together(&mut contests);
        show(args, &contests)
    })
}

fn entrants(args: &CompareArgs, scenario: &Scenario) -> Result<Vec<Entrant>, Failure> {
    let mut entrants = Vec::new();
    let everything = args.algorithms.is_empty() && args.specs.is_empty() && args.keep_alive.is_empty();
    let is_hindsight = |name: &String| name == BEST_FIXED || name == SQUARE_ROOT;
    let named: Vec<String> = args.algorithms.iter().filter(|name| !is_hindsight(name)).cloned().collect();
    let kinds =
        if everything { AlgorithmKind::ALL.to_vec() } else { kinds(&named, &[BEST_FIXED, SQUARE_ROOT])? };
    entrants.extend(kinds.into_iter().map(Entrant::Algorithm));
    let wants = |what: &str| everything || args.algorithms.iter().any(|name| name == "all" || name == what);
    if wants(SQUARE_ROOT) {
        entrants.push(Entrant::SquareRoot(SquareRoot { beta: args.beta }));
    }
    if wants(BEST_FIXED) {
        entrants.push(Entrant::BestFixed(constraints(&args.subject_to, scenario)?));
    }
    let is_usual = everything || args.algorithms.iter().any(|name| name == "all");
    let policies = if args.keep_alive.is_empty() && is_usual && is_per_request(scenario)? {
        Policy::usual().to_vec()
    } else {
        policies(args)?
    };
    entrants.extend(policies.into_iter().map(Entrant::KeepAlive));
    for path in &args.specs {
        entrants.push(Entrant::Spec(path.display().to_string(), spec(path)?));
    }
    Ok(entrants)
}

fn policies(args: &CompareArgs) -> Result<Vec<Policy>, Failure> {
    let policies = args.keep_alive.iter().map(|text| Policy::parse(text));
    policies.collect::<Result<_, _>>().map_err(|error| Failure::about(error, "--keep-alive"))
}

fn spec(path: &Path) -> Result<toml::Value, Failure> {
    let text = disk::read_text(path)?;
    let wrong = |error: &dyn std::fmt::Display| Failure::about(error, &path.display().to_string());
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    json_to_toml(json).ok_or_else(|| wrong(&"found null, expected a spec"))
}

/// A policy that fits some scenario is left out of the others by name; one that fits none is wrong.
fn check_policies(args: &CompareArgs, scenarios: &[Scenario]) -> Result<(), Failure> {
    for policy in policies(args)? {
        let wrong = scenarios.iter().map(|scenario| policy.applied(scenario).map(drop));
        if let Some(why) = wrong.reduce(Result::or).and_then(Result::err) {
            return Err(Failure::new(format!("--{policy}: {why}")));
        }
    }
    Ok(())
}

/// A spec that fits some scenario is left out of the others by name; one that fits none is wrong.
fn check_spec(path: &Path, scenarios: &[Scenario]) -> Result<(), Failure> {
    let spec = spec(path)?;
    let mut wrong = None;
    for scenario in scenarios {
        match with_spec(scenario, &spec) {
            Ok(_) => return Ok(()),
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    wrong.map_or(Ok(()), |why| Err(Failure::new(format!("--specs {}: {why}", path.display()))))
}

fn show(args: &CompareArgs, contests: &[Contest]) -> CommandResult {
    if let Some(folder) = &args.out {
        disk::write(&folder.join("compare.csv"), text::csv(contests)?)?;
        disk::write(&folder.join("compare.json"), to_json(&text::to_json(contests))?)?;
        disk::write(&folder.join("report.html"), compare_page::page(contests, &command(args))?)?;
        eprintln!("look at {}", folder.join("report.html").display());
    }
    disk::print(&if args.json { to_json(&text::to_json(contests))? } else { text::table(contests) })?;
    if contests.iter().all(|contest| contest.results.is_empty()) {
        return Err(Failure::new("nothing ran: every scenario was left out"));
    }
    Ok(Outcome::Fine)
}

/// The command that gives this result again.
fn command(args: &CompareArgs) -> String {
    let mut words = vec!["wci compare".to_owned()];
    words.extend(args.scenarios.iter().map(|path| run::quoted(&path.to_string_lossy())));
    words
        .extend((!args.algorithms.is_empty()).then(|| format!("--algorithms {}", args.algorithms.join(","))));
    words
        .extend((!args.keep_alive.is_empty()).then(|| format!("--keep-alive {}", args.keep_alive.join(","))));
    words.extend(args.specs.iter().map(|path| format!("--specs {}", run::quoted(&path.to_string_lossy()))));
    words.extend(args.set.iter().map(|setting| format!("--set {}", run::quoted(setting))));
    words.extend(args.seed.map(|seed| format!("--seed {seed}")));
    words.extend(args.subject_to.iter().map(|text| format!("--subject-to {}", run::quoted(text))));
    words.extend((args.beta != SquareRoot::default().beta).then(|| format!("--beta {}", args.beta)));
    words.extend(args.study.replications.map(|n| format!("--replications {n}")));
    words.extend(run::until_words(args.until.until.as_deref(), &args.until.of));
    words.join(" ")
}
