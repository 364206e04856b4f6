//! Ten replications of a scenario under two rules, compared on the same luck, in twenty lines.
//!
//! ```text
//! cargo run --release -p wci-sim --example study
//! ```

use wci_core::algorithm::AlgorithmKind;
use wci_sim::research::compare::{Contest, Entrant};
use wci_sim::research::{Lab, Plan};
use wci_sim::scenario::Scenario;

const SCENARIO: &str = include_str!("../../scenarios/lambda-burst.toml");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let scenario = Scenario::from_toml(SCENARIO, "lambda-burst.toml", &no_files)?;
    let entrants = [Entrant::Algorithm(AlgorithmKind::Backlog)];
    let contest = Contest::run(&Lab::without_files(), &scenario, &entrants, &Plan::of(10))?;
    for result in &contest.results {
        let (cost, wait) = (result.estimate("cost_usd.total"), result.estimate("schedule_to_start.p95"));
        println!("{}: {cost:?}, p95 of waits in ms: {wait:?}", result.name);
    }
    let saved = contest.difference(1, "cost_usd.total");
    println!(
        "{} costs {:?} more, significant: {}",
        contest.results[1].name, saved.estimate, saved.is_significant
    );
    Ok(())
}
