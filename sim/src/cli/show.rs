//! `wci validate` and `wci schema`.

use super::args::{SchemaArgs, SchemaOf, ValidateArgs};
use super::{CommandResult, Failure, Outcome, cluster, disk, load};
use crate::scenario;
use std::path::Path;

/// Checks scenarios; a missing outside trace is a warning.
pub fn validate(args: &ValidateArgs) -> CommandResult {
    let mut outcome = Outcome::Fine;
    for path in &args.scenarios {
        match check(path) {
            Ok(()) => disk::print(&format!("{}: valid\n", path.display()))?,
            Err(Failure(text)) => {
                eprintln!("error: {text}");
                outcome = Outcome::Wrong;
            }
        }
    }
    Ok(outcome)
}

fn check(path: &Path) -> Result<(), Failure> {
    if cluster::is_one(path) {
        return cluster::read(path).map(|scenario| cluster::warn(&scenario));
    }
    let resolved = load::read(path)?.resolve()?;
    load::warn(&resolved, path);
    for missing in resolved.missing_traces(load::SURROUNDINGS) {
        eprintln!("warning: {}: {missing}", path.display());
    }
    Ok(())
}

/// Prints the JSON Schema, or the reference made from it.
pub fn schema(args: &SchemaArgs) -> CommandResult {
    let text = match args.of {
        SchemaOf::Scenario if args.markdown => scenario::reference_markdown(),
        SchemaOf::Scenario => format!("{:#}\n", scenario::schema()),
        SchemaOf::Cluster if args.markdown => {
            return Err(Failure::new("--markdown: not for cluster scenarios, see docs/cluster.md"));
        }
        SchemaOf::Cluster => format!("{:#}\n", crate::cluster::schema()),
    };
    disk::print(&text)?;
    Ok(Outcome::Fine)
}
