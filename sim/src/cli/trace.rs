//! `wci trace stats` and `wci trace convert`.

use super::args::{TraceArgs, TraceCommand};
use super::disk::{self, Disk};
use super::{CommandResult, Failure, Outcome};
use crate::report::units;
use crate::rng::Stream;
use crate::scenario::{Span, parse_value};
use crate::trace::{self, TraceDraws, TraceOptions, TraceSource, TraceStats};
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// Looks at a trace.
pub fn trace(command: &TraceCommand) -> CommandResult {
    match command {
        TraceCommand::Stats(args) => stats(args),
        TraceCommand::Convert(args) => convert(args),
    }
}

fn stats(args: &TraceArgs) -> CommandResult {
    let mut source = open(args)?;
    let stats = trace::stats(&mut source)?;
    for note in source.notes() {
        eprintln!("note: {note}");
    }
    let text = if args.json { crate::report::json::to_json(&stats)? } else { table(&stats) };
    disk::print(&text)?;
    Ok(Outcome::Fine)
}

fn convert(args: &TraceArgs) -> CommandResult {
    let mut source = open(args)?;
    let records = match &args.output {
        Some(path) => {
            let mut file = disk::create(path)?;
            let n = trace::convert(&mut source, &mut file)?;
            file.flush().map_err(|error| disk::named(&error, path))?;
            n
        }
        None => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            let n = trace::convert(&mut source, &mut out)?;
            out.flush()?;
            n
        }
    };
    for note in source.notes() {
        eprintln!("note: {note}");
    }
    eprintln!("{} records", units::count(records));
    Ok(Outcome::Fine)
}

fn open(args: &TraceArgs) -> Result<TraceSource, Failure> {
    let path = args.path.to_string_lossy();
    if !args.path.exists() {
        return Err(Failure::about("no such file or folder", &path));
    }
    let options = options(args, &path)?;
    let stream = |what: &str| Stream::named(args.seed, &format!("trace/{what}"));
    let draws = TraceDraws { arrivals: stream("arrivals"), services: stream("services"), service: None };
    Ok(TraceSource::open(&options, &Disk, draws)?)
}

/// The options of a scenario's `trace = { .. }`, read by the same rules.
fn options(args: &TraceArgs, path: &str) -> Result<TraceOptions, Failure> {
    let mut table = toml::Table::new();
    table.insert("path".into(), path.into());
    let format = match &args.format {
        Some(format) => format.clone(),
        None => guess(&args.path)?.into(),
    };
    table.insert("format".into(), format.into());
    for setting in &args.set {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(Failure::new(format!("--set {setting}: expected KEY=VALUE, such as unit=ms")));
        };
        table.insert(key.trim().into(), parse_value(value.trim()));
    }
    let flags = [("sort", args.sort), ("skip_bad_records", args.skip_bad_records)];
    for (key, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
        table.insert(key.into(), true.into());
    }
    if let Some(speed) = args.speed {
        table.insert("speed".into(), speed.into());
    }
    if let Some(length) = &args.length {
        Span::parse(length).map_err(|error| Failure::about(error, "--length"))?;
        table.insert("length".into(), length.clone().into());
    }
    table.try_into().map_err(|error: toml::de::Error| Failure::about(error.message(), "trace options"))
}

/// The format that the header of a trace tells; a folder's formats are told by the names in it.
fn guess(path: &Path) -> Result<&'static str, Failure> {
    let named = |error: &io::Error| disk::named(error, path);
    let mut first_line = String::new();
    let known = if path.is_dir() {
        let names = fs::read_dir(path).map_err(|error| named(&error))?;
        let names: Vec<String> =
            names.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
        guess_folder(&names)
    } else {
        let mut head = Vec::new();
        let file = fs::File::open(path).map_err(|error| named(&error))?;
        file.take(1 << 16).read_to_end(&mut head).map_err(|error| named(&error))?;
        if head.starts_with(&[0x1f, 0x8b]) {
            let mut plain = vec![0; 4096];
            // A cut block at the end is fine: only the first line is looked at.
            let n = flate2::read::MultiGzDecoder::new(&head[..]).read(&mut plain).unwrap_or(0);
            plain.truncate(n);
            head = plain;
        }
        first_line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
        guess_line(&first_line)
    };
    known.ok_or_else(|| Failure::about(unknown_format(&first_line), &path.display().to_string()))
}

/// A format that cannot be told: what its first line says instead.
fn unknown_format(line: &str) -> String {
    const LONGEST: usize = 120;
    let line: String = line.chars().filter(|c| !c.is_control() || *c == '\t').take(LONGEST).collect();
    let separator = [',', '\t', ';', ' '].into_iter().find(|separator| line.contains(*separator));
    let columns: Vec<&str> = line.split(separator.unwrap_or(',')).map(str::trim).collect();
    let found = match line.trim() {
        "" => "no header".to_owned(),
        _ => format!("the columns {}", columns.join(", ")),
    };
    format!("found {found}, which no known format has, expected one that is told by --format")
}

fn guess_folder(names: &[String]) -> Option<&'static str> {
    let has = |part: &str| names.iter().any(|name| name.contains(part));
    match () {
        () if has("chunk-") => Some("servegen"),
        () if has("invocations") || has("_inv") => Some("azure-functions-2019"),
        () => None,
    }
}

fn guess_line(line: &str) -> Option<&'static str> {
    let line = line.trim_start_matches('\u{feff}').to_ascii_lowercase();
    let is = |parts: &[&str]| parts.iter().all(|part| line.contains(part));
    let numbers =
        |separator| line.split(separator).filter(|field| field.trim().parse::<f64>().is_ok()).count();
    match () {
        () if is(&["timestamp", "contexttokens"]) => Some("azure-llm"),
        () if is(&["timestamp", "request tokens"]) => Some("burstgpt"),
        () if is(&["end_timestamp", "duration"]) => Some("azure-functions-2021"),
        () if is(&["hashfunction"]) => Some("azure-functions-2019"),
        () if is(&["timestamp", "duration"]) => Some("csv"),
        () if is(&["timestamp", "value"]) => Some("nab"),
        () if is(&["input_length", "output_length"]) => Some("mooncake"),
        () if is(&["resulttype"]) => Some("prometheus"),
        () if line.starts_with(';') || numbers(' ') >= 18 => Some("swf"),
        () if line.starts_with("job") && line.split('\t').count() == 6 => Some("swim"),
        () if numbers(',') >= 2 => Some("csv"),
        () => None,
    }
}

fn table(stats: &TraceStats) -> String {
    let mut rows = vec![
        ("records", units::count(stats.count)),
        ("span", units::duration_s(stats.span_seconds)),
        ("mean rate", format!("{} a second", units::number(stats.mean_rate))),
        ("most in 1 s", units::count(stats.peak_per_second)),
        ("most in 60 s", units::count(stats.peak_per_minute)),
        ("index of dispersion at 1 s", units::number(stats.index_of_dispersion_1s)),
        ("index of dispersion at 60 s", units::number(stats.index_of_dispersion_60s)),
    ];
    let durations = &stats.duration_seconds;
    for (name, seconds) in [
        ("duration mean", durations.mean),
        ("duration p50", durations.p50),
        ("duration p90", durations.p90),
        ("duration p99", durations.p99),
        ("duration max", durations.max),
    ] {
        rows.push((name, units::duration_s(seconds)));
    }
    rows.push(("offered load", format!("{} erlangs", units::number(stats.offered_load))));
    rows.iter().map(|(name, value)| format!("{name:28} {value}\n")).collect()
}
