//! Tests of whole traces: bytes in, arrivals out.

mod counts;
mod errors;
mod pieces;
mod records;

use super::*;
use crate::rng::Stream;
use crate::scenario::Span;
use crate::workload::Block;
use std::sync::Arc;

fn draws(seed: u64) -> TraceDraws {
    TraceDraws {
        arrivals: Stream::named(seed, "test/arrivals"),
        services: Stream::named(seed, "test/services"),
        service: None,
    }
}

fn files(files: &[(&str, &[u8])]) -> MemoryFiles {
    MemoryFiles(files.iter().map(|(name, bytes)| ((*name).to_owned(), Arc::from(*bytes))).collect())
}

/// A source of one file named `t`.
fn open(options: &TraceOptions, bytes: &[u8]) -> Result<TraceSource, TraceError> {
    TraceSource::open(options, &files(&[("t", bytes)]), draws(1))
}

/// All arrivals and services in nanoseconds.
fn drain(source: &mut TraceSource) -> Result<Vec<(u64, u64)>, TraceError> {
    let (mut block, mut all) = (Block::default(), Vec::new());
    loop {
        source.fill(&mut block)?;
        if block.at.is_empty() {
            return Ok(all);
        }
        all.extend(block.at.iter().copied().zip(block.service.iter().copied()));
    }
}

fn arrivals(options: &TraceOptions, bytes: &[u8]) -> Result<Vec<(u64, u64)>, TraceError> {
    drain(&mut open(options, bytes)?)
}

/// The same in milliseconds.
fn millis(options: &TraceOptions, text: &str) -> Vec<(u64, u64)> {
    let all = arrivals(options, text.as_bytes()).unwrap();
    all.into_iter().map(|(at, service)| (at / 1_000_000, service / 1_000_000)).collect()
}

fn options(format: TraceFormat) -> TraceOptions {
    TraceOptions::new("t", format)
}

fn mapped(arrival: &str, service: &str) -> TraceOptions {
    TraceOptions {
        mapping: Some(Mapping { arrival: arrival.to_owned(), ..Mapping::default() }),
        service: (!service.is_empty()).then(|| service.to_owned()),
        ..options(TraceFormat::Mapped)
    }
}
