//! `wci tune`: the cheapest setting that meets a target.

use super::args::{ScenarioArgs, TuneArgs};
use super::run::{quoted, until_words};
use super::study::{check_key, check_once, constraints, key_of, share};
use super::{CommandResult, Failure, Outcome, cluster_study, disk, load};
use crate::report::json::to_json;
use crate::report::study::tune::{page, pareto, quantity, table, trials_csv};
use crate::research::keep_alive;
use crate::research::range::of_algorithm;
use crate::research::tune::{Effort, Goal, Space, Tuned, algorithms, tune as search};
use crate::research::variant::{groups, scaling_key, with_algorithm};
use crate::research::{Case, Lab, Until};
use crate::scenario::Scenario;
use crate::scenario::expect::Quantity;
use wci_core::algorithm::AlgorithmKind;

/// Searches, prints what to deploy and how sure that is; a target that no setting meets makes the status 1.
pub fn tune(args: &TuneArgs) -> CommandResult {
    if args.scenarios.iter().any(|path| super::cluster::is_one(path)) {
        return cluster_study::tune(args);
    }
    check_once(&args.scenarios)?;
    let scenarios = scenarios(args)?;
    let goal = goal(args, &scenarios)?;
    let spaces = spaces(args, &scenarios)?;
    let effort = Effort {
        trials: args.trials as usize,
        replications: args.study.replications.unwrap_or(Effort::default().replications),
        until: until(args, &goal, &scenarios)?,
    };
    args.study.with_lab(args.out.as_deref(), args.quiet, |lab: &Lab<'_>| {
        let tuned = search(lab, &scenarios, &spaces, &goal, effort)?;
        show(args, &scenarios, &tuned)
    })
}

fn scenarios(args: &TuneArgs) -> Result<Vec<Scenario>, Failure> {
    let read = |path: &std::path::PathBuf| {
        load::scenario(&ScenarioArgs { scenario: path.clone(), set: args.set.clone(), seed: args.seed })
    };
    args.scenarios.iter().map(read).collect()
}

fn goal(args: &TuneArgs, scenarios: &[Scenario]) -> Result<Goal, Failure> {
    let minimize = key_of(&args.minimize);
    let mut asked = Vec::new();
    for scenario in scenarios {
        let case = Case::new(scenario.name(), scenario)?;
        check_key("--minimize", &minimize, &case)?;
        if quantity(&minimize) == Quantity::Flag {
            return Err(Failure::new(format!(
                "--minimize {minimize}: found what is true or false, expected a figure that can be small, such as cost"
            )));
        }
        asked = constraints(&args.subject_to, scenario)?;
    }
    Ok(Goal { minimize, constraints: asked })
}

fn until(args: &TuneArgs, goal: &Goal, scenarios: &[Scenario]) -> Result<Option<Until>, Failure> {
    let Some(text) = &args.until else { return Ok(None) };
    let own = || {
        let constrained = goal.constraints.iter().map(|constraint| constraint.key.clone());
        [goal.minimize.clone()].into_iter().chain(constrained).collect()
    };
    let keys: Vec<String> =
        if args.of.is_empty() { own() } else { args.of.iter().map(|name| key_of(name)).collect() };
    for scenario in scenarios {
        let case = Case::new(scenario.name(), scenario)?;
        keys.iter().try_for_each(|key| check_key("--of", key, &case))?;
    }
    Ok(Some(Until { share: share(text)?, keys }))
}

fn spaces(args: &TuneArgs, scenarios: &[Scenario]) -> Result<Vec<Space>, Failure> {
    if !args.vary.is_empty() {
        let ranges = super::sweep::parsed(&args.vary)?;
        for (range, scenario) in ranges.iter().flat_map(|range| scenarios.iter().map(move |s| (range, s))) {
            scenario.with([(range.key.as_str(), range.at(0.0))])?;
        }
        let ranges = ranges.into_iter().map(|range| range.fitted(&scenarios[0])).collect();
        return Ok(vec![Space { name: "as written".into(), scenarios: scenarios.to_vec(), ranges }]);
    }
    if args.algorithms.is_empty() {
        check_same_groups(scenarios)?;
        return Ok(vec![own_space(scenarios)?]);
    }
    let kinds = kinds(&args.algorithms, &[])?;
    let mut spaces = Vec::new();
    for kind in kinds {
        let changed = scenarios.iter().map(|scenario| with_algorithm(scenario, kind, &[]));
        match changed.collect::<Result<Vec<_>, _>>() {
            Ok(changed) => {
                check_same_groups(&changed)?;
                let ranges = of_algorithm(&changed[0], &groups(&changed[0])?, kind)?;
                spaces.push(Space { name: kind.name().into(), scenarios: changed, ranges });
            }
            Err(unfit) => eprintln!("left out: {unfit}"),
        }
    }
    Ok(spaces)
}

/// What is searched are settings of groups, in all scenarios at once: each needs the others' groups and algorithms.
fn check_same_groups(scenarios: &[Scenario]) -> Result<(), Failure> {
    let Some((first, others)) = scenarios.split_first() else { return Ok(()) };
    others.iter().try_for_each(|other| {
        check_has_groups_of(first, other)?;
        check_has_groups_of(other, first)
    })
}

fn check_has_groups_of(one: &Scenario, other: &Scenario) -> Result<(), Failure> {
    let (groups, others) = (algorithms(std::slice::from_ref(one))?, algorithms(std::slice::from_ref(other))?);
    let found = |group: &str| others.iter().find(|(name, _)| name == group).map(|(_, kind)| *kind);
    let Some((group, kind)) = groups.iter().find(|(group, kind)| found(group) != Some(*kind)) else {
        return Ok(());
    };
    let instead = found(group).map_or_else(String::new, |kind| format!(" (its own runs {})", kind.name()));
    Err(Failure::new(format!(
        "scenario {} has no group {group} on {}{instead} as scenario {} has: {}.config cannot be searched in both; give \
         ranges that both have with --vary, or tune them apart",
        other.name(),
        kind.name(),
        one.name(),
        scaling_key(group)
    )))
}

/// Every number that the scenarios' own algorithms are configured with; where the platform starts the workers, how long
/// it keeps them.
fn own_space(scenarios: &[Scenario]) -> Result<Space, Failure> {
    let first = &scenarios[0];
    let resolved = first.resolve()?;
    if keep_alive::is_per_request(first)? {
        let ranges = keep_alive::ranges(first)?;
        return Ok(Space { name: "keep-alive".into(), scenarios: scenarios.to_vec(), ranges });
    }
    let mut ranges = Vec::new();
    let mut names = Vec::new();
    for (group, scaling) in resolved.model.spec.groups() {
        let kind = scaling.algorithm();
        ranges.extend(of_algorithm(first, &[group.to_string()], kind)?);
        names.push(kind.name());
    }
    names.dedup();
    Ok(Space { name: names.join(" and "), scenarios: scenarios.to_vec(), ranges })
}

/// Algorithms by their names on the wire; `all` is every one. `others` are known here as well, but no algorithms.
pub fn kinds(names: &[String], others: &[&str]) -> Result<Vec<AlgorithmKind>, Failure> {
    if names.iter().any(|name| name == "all") {
        return Ok(AlgorithmKind::ALL.to_vec());
    }
    let kind = |name: &String| {
        AlgorithmKind::from_name(name).ok_or_else(|| {
            let all = AlgorithmKind::ALL.iter().map(|kind| kind.name());
            let known: Vec<&str> = all.chain(others.iter().copied()).collect();
            Failure::new(format!(
                "--algorithms {name}: no such algorithm, expected all or some of {}",
                known.join(", ")
            ))
        })
    };
    names.iter().map(kind).collect()
}

fn show(args: &TuneArgs, scenarios: &[Scenario], tuned: &Tuned) -> CommandResult {
    let title =
        scenarios.iter().map(|scenario| scenario.file().title.as_str()).collect::<Vec<_>>().join("; ");
    let json = to_json(tuned)?;
    if let Some(folder) = &args.out {
        disk::write(&folder.join("tune.json"), &json)?;
        disk::write(&folder.join("trials.csv"), trials_csv(tuned)?)?;
        disk::write(&folder.join("pareto.svg"), pareto(tuned).svg())?;
        disk::write(&folder.join("report.html"), page(&title, tuned, &command(args)))?;
        // What the platform decides stands in no spec.
        if let Some(best) = tuned.best.as_ref().filter(|_| !tuned.is_per_request) {
            for (scenario, spec) in scenarios.iter().zip(&best.specs) {
                let name = if scenarios.len() == 1 {
                    "spec.json".into()
                } else {
                    format!("spec-{}.json", scenario.name())
                };
                disk::write(&folder.join(name), to_json(spec)?)?;
            }
        }
        eprintln!("look at {}", folder.join("report.html").display());
    }
    disk::print(&if args.json { json } else { table(&title, tuned) })?;
    Ok(if tuned.best.is_some() { Outcome::Fine } else { Outcome::Failed })
}

/// The command that gives this result again.
pub fn command(args: &TuneArgs) -> String {
    let mut words = vec!["wci tune".to_owned()];
    words.extend(args.scenarios.iter().map(|path| quoted(&path.to_string_lossy())));
    words.extend(args.set.iter().map(|setting| format!("--set {}", quoted(setting))));
    words.extend(args.seed.map(|seed| format!("--seed {seed}")));
    words.push(format!("--minimize {}", quoted(&args.minimize)));
    words.extend(args.subject_to.iter().map(|text| format!("--subject-to {}", quoted(text))));
    words.extend(args.vary.iter().map(|range| format!("--vary {}", quoted(range))));
    words
        .extend((!args.algorithms.is_empty()).then(|| format!("--algorithms {}", args.algorithms.join(","))));
    words.extend((args.trials != 200).then(|| format!("--trials {}", args.trials)));
    words.extend(args.study.replications.map(|n| format!("--replications {n}")));
    words.extend(until_words(args.until.as_deref(), &args.of));
    words.join(" ")
}
