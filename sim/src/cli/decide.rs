//! `wci decide`: one decision a line.

use super::args::DecideArgs;
use super::{CommandResult, Failure, Outcome, disk};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};

/// Answers each line; lines that cannot be read are answered with an error and make the status 2 at the end.
pub fn decide(args: &DecideArgs) -> CommandResult {
    let input: Box<dyn BufRead> = match &args.file {
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(|error| disk::named(&error, path))?)),
        None => Box::new(io::stdin().lock()),
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut outcome = Outcome::Fine;
    let mut line = Vec::new();
    let mut input = input;
    for number in 1.. {
        line.clear();
        let read =
            input.read_until(b'\n', &mut line).map_err(|error| Failure::about(error, "reading questions"))?;
        if read == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let (answer, is_json) = wci_core::decide::decide_line(text.trim_end_matches(['\n', '\r']), number);
        writeln!(out, "{answer}")?;
        if !is_json {
            outcome = Outcome::Wrong;
        }
    }
    out.flush()?;
    Ok(outcome)
}
