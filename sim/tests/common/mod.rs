//! Runs a scenario that needs no files.

use wci_sim::driver::{Quiet, Simulation};
use wci_sim::results::Summary;
use wci_sim::scenario::{Scenario, SourceSpec};
use wci_sim::workload::{Source, SyntheticSource};

/// Runs the scenario of this text to the end.
pub fn run(text: &str) -> Summary {
    let no_files = |name: &str| Err(std::io::Error::new(std::io::ErrorKind::NotFound, name.to_owned()));
    let scenario = Scenario::from_toml(text, "scenario.toml", &no_files).unwrap_or_else(|e| panic!("{e}"));
    let resolved = scenario.resolve().unwrap_or_else(|e| panic!("{e}"));
    let model = resolved.model;
    let source = |(workload, spec): (&wci_sim::model::Workload, &SourceSpec)| match spec {
        SourceSpec::Synthetic { arrivals, service } => Source::from(SyntheticSource::new(
            model.seed,
            &workload.name,
            arrivals,
            service.clone(),
            model.horizon,
        )),
        SourceSpec::Trace { .. } => panic!("no traces here"),
    };
    let sources = model.workloads.iter().zip(&resolved.sources).map(source).collect();
    Simulation::new(model, sources).run(&mut Quiet).unwrap_or_else(|e| panic!("{e}")).summary
}
