//! `wci explain`: why did it scale at this moment?

use super::args::ExplainArgs;
use super::{CommandResult, Failure, Outcome, disk, load};
use crate::driver::Observer;
use crate::report::explain::{Explanation, parse_moment};
use crate::results::TimedDecision;

/// Keeps the decisions around a moment: all of one kind up to it would be too many for long runs.
struct Around {
    at: i64,
    group: Option<String>,
    before: std::collections::VecDeque<TimedDecision>,
    after: Vec<TimedDecision>,
}

/// Decisions kept on each side of the moment.
const KEPT: usize = 2000;

impl Observer for Around {
    fn decision(&mut self, decision: &TimedDecision) {
        if self.group.as_deref().is_some_and(|group| group != &*decision.decision.group) {
            return;
        }
        if decision.t <= self.at {
            if self.before.len() == KEPT {
                self.before.pop_front();
            }
            self.before.push_back(decision.clone());
        } else if self.after.len() < KEPT {
            self.after.push(decision.clone());
        }
    }
}

/// Runs the scenario again and explains the decisions at the moment.
pub fn explain(args: &ExplainArgs) -> CommandResult {
    let scenario = load::scenario(&args.scenario)?;
    let mut resolved = scenario.resolve()?;
    let start = resolved.model.start;
    let at = parse_moment(&args.at, start).map_err(|error| Failure::about(error, "--at"))?;
    if let Some(group) = &args.group {
        let names: Vec<&str> = resolved.model.groups.iter().map(|group| &*group.name).collect();
        if !names.contains(&group.as_str()) {
            return Err(Failure::new(format!(
                "--group {group}: no such group, expected one of {}",
                names.join(", ")
            )));
        }
    }
    let simulation = load::simulation(&mut resolved)?;
    let mut around = Around {
        at,
        group: args.group.clone(),
        before: std::collections::VecDeque::new(),
        after: Vec::new(),
    };
    let result = simulation.run(&mut around)?;
    let decisions = around.before.into_iter().chain(around.after);
    let explanation = Explanation::at(decisions, at, args.group.as_deref());
    disk::print(&explanation.render(start, Some(&result.timeline)))?;
    Ok(Outcome::Fine)
}
