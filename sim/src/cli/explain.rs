//! `wci explain`: why did it scale at this moment?

use super::args::ExplainArgs;
use super::{CommandResult, Failure, Outcome, disk, load};
use crate::driver::Observer;
use crate::model::{MILLI, Nanos};
use crate::report::explain::{Explanation, check_moment, parse_moment};
use crate::report::faults::FaultWindow;
use crate::results::TimedDecision;
use wci_core::Millis;
use wci_core::controller::FailureClass;
use wci_core::decision::ActionId;

/// Keeps the decisions around a moment: all of one kind up to it would be too many for long runs.
struct Around {
    at: i64,
    /// How long the run lasted so far.
    now: Nanos,
    group: Option<String>,
    before: std::collections::VecDeque<TimedDecision>,
    after: Vec<TimedDecision>,
}

/// Decisions kept on each side of the moment.
const KEPT: usize = 2000;
/// Decisions among which the one is looked for whose call was answered.
const RECENT: usize = 64;

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

    fn call_ended(&mut self, id: ActionId, failure: Option<FailureClass>) {
        // The answer comes soon after the call, so its decision is among the last ones.
        let recent = self.after.iter_mut().rev().take(RECENT);
        let mut kept = recent.chain(self.before.iter_mut().rev().take(RECENT));
        if let Some(timed) = kept.find(|timed| timed.decision.action_id == Some(id)) {
            timed.failure = failure;
        }
    }

    fn progress(&mut self, now: Nanos, _horizon: Nanos, _events: u64) {
        self.now = now;
    }
}

/// Runs the scenario again and explains the decisions at the moment.
pub fn explain(args: &ExplainArgs) -> CommandResult {
    let scenario = load::scenario(&args.scenario)?;
    let mut resolved = load::resolve(&scenario, &args.scenario)?;
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
    let faults = FaultWindow::of_model(&resolved.model);
    let simulation = load::simulation(&mut resolved)?;
    let mut around = Around {
        at,
        now: 0,
        group: args.group.clone(),
        before: std::collections::VecDeque::new(),
        after: Vec::new(),
    };
    let result = simulation.run(&mut around)?;
    let end = start.plus(Millis::new((around.now / MILLI) as i64));
    check_moment(at, start, end).map_err(|error| Failure::about(error, "--at"))?;
    let decisions = around.before.into_iter().chain(around.after);
    let explanation = Explanation::at(decisions, at, args.group.as_deref());
    disk::print(&explanation.render(start, Some(&result.timeline), &faults))?;
    Ok(Outcome::Fine)
}
