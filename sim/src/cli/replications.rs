//! `wci run --replications`: a scenario under many seeds.

use super::args::RunArgs;
use super::study::plan;
use super::{CommandResult, Failure, Outcome, disk, load, run};
use crate::report::json::to_json;
use crate::report::study::{replications_csv, replications_page, replications_table};
use crate::research::{Case, Lab, Replications, replicate};

/// Runs a scenario under many seeds and prints every figure with its interval.
pub fn run(args: &RunArgs) -> CommandResult {
    if args.tasks {
        return Err(Failure::new("--tasks: found with --replications, expected a single run"));
    }
    let scenario = load::scenario(&args.scenario)?;
    let mut case = Case::new(scenario.name(), &scenario)?;
    if args.mser5 {
        run::leave_out_warm_up(&mut case.resolved)?;
    }
    let plan = plan(&args.study, &args.until, 10, &[&case])?;
    let with_lab = |lab: &Lab<'_>| {
        let result = replicate(lab, &case, &plan)?;
        show(args, &case, &result)
    };
    args.study.with_lab(args.out.as_deref(), args.quiet, with_lab)
}

fn show(args: &RunArgs, case: &Case, result: &Replications) -> CommandResult {
    let json = result.to_json();
    let expectations = if args.no_expect { Vec::new() } else { run::checked(&case.resolved, &json) };
    let text = to_json(&json)?;
    if let Some(folder) = &args.out {
        disk::write(&folder.join("summary.json"), &text)?;
        disk::write(&folder.join("replications.csv"), replications_csv(result)?)?;
        let page = replications_page(&case.resolved.model.title, result, &expectations, &run::command(args));
        disk::write(&folder.join("report.html"), page)?;
        eprintln!("look at {}", folder.join("report.html").display());
    }
    if args.json {
        disk::print(&text)?;
    } else {
        disk::print(&replications_table(&case.resolved.model.title, result, &expectations))?;
    }
    let has_failed = expectations.iter().any(|expectation| !expectation.passed);
    Ok(if has_failed { Outcome::Failed } else { Outcome::Fine })
}
