//! What `wci trace convert` writes: the plain `timestamp,duration` CSV in exact decimal seconds.

use super::error::TraceError;
use super::source::TraceSource;
use crate::workload::Block;
use std::io::{self, Write};

/// A trace that cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The result cannot be written.
    #[error("cannot write the converted trace: {0}")]
    Write(#[from] io::Error),
}

/// Writes all arrivals of a trace and returns how many there were.
///
/// # Errors
/// If the trace cannot be read or the result cannot be written.
pub fn convert(source: &mut TraceSource, out: &mut dyn Write) -> Result<u64, ConvertError> {
    writeln!(out, "timestamp,duration")?;
    let (mut block, mut text, mut count) = (Block::default(), Vec::new(), 0);
    loop {
        source.fill(&mut block)?;
        if block.at.is_empty() {
            return Ok(count);
        }
        text.clear();
        for (at, service) in block.at.iter().zip(&block.service) {
            push_seconds(*at, &mut text);
            text.push(b',');
            push_seconds(*service, &mut text);
            text.push(b'\n');
        }
        out.write_all(&text)?;
        count += block.at.len() as u64;
    }
}

/// Nanoseconds as seconds, with as many decimals as it takes.
fn push_seconds(nanos: u64, out: &mut Vec<u8>) {
    const SECOND: u64 = 1_000_000_000;
    out.extend_from_slice((nanos / SECOND).to_string().as_bytes());
    let mut rest = nanos % SECOND;
    if rest > 0 {
        out.push(b'.');
    }
    let mut unit = SECOND / 10;
    while rest > 0 {
        out.push(b'0' + (rest / unit) as u8);
        rest %= unit;
        unit /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact_and_short() {
        for (nanos, expected) in [
            (0, "0"),
            (1, "0.000000001"),
            (1_500_000_000, "1.5"),
            (60_000_000_000, "60"),
            (1_010_000_000, "1.01"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            let mut text = Vec::new();
            push_seconds(nanos, &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
