//! `wci validate` and `wci schema`.

use super::args::{SchemaArgs, ValidateArgs};
use super::{CommandResult, Failure, Outcome, disk, load};
use crate::scenario;

/// Checks scenarios; a missing outside trace is a warning.
pub fn validate(args: &ValidateArgs) -> CommandResult {
    let mut outcome = Outcome::Fine;
    for path in &args.scenarios {
        let checked = load::read(path).and_then(|scenario| Ok(scenario.resolve()?));
        match checked {
            Ok(resolved) => {
                load::warn(&resolved, path);
                for missing in resolved.missing_traces(load::SURROUNDINGS) {
                    eprintln!("warning: {}: {missing}", path.display());
                }
                disk::print(&format!("{}: valid\n", path.display()))?;
            }
            Err(Failure(text)) => {
                eprintln!("error: {text}");
                outcome = Outcome::Wrong;
            }
        }
    }
    Ok(outcome)
}

/// Prints the JSON Schema, or the reference made from it.
pub fn schema(args: &SchemaArgs) -> CommandResult {
    let text =
        if args.markdown { scenario::reference_markdown() } else { format!("{:#}\n", scenario::schema()) };
    disk::print(&text)?;
    Ok(Outcome::Fine)
}
