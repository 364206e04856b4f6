//! The options of a trace that are numbers, checked; and whether the options fit the format.

use super::error::TraceError;
use super::formats::RecordFormat;
use super::options::{TraceFormat, TraceOptions, Unit};
use crate::scenario::Span;

impl TraceOptions {
    /// Checks all that can be checked without the file: that the options fit together and the format, and that
    /// durations and formulas can be read.
    ///
    /// # Errors
    /// Names the option, what was found and what would be right.
    pub fn check(&self) -> Result<(), TraceError> {
        Settings::new(self)?;
        RecordFormat::new(self)?;
        Ok(())
    }
}

/// Speed, length and step as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    speed: f64,
    /// Arrivals from this simulated nanosecond on are left out.
    pub length: u64,
    /// Length of an interval in nanoseconds, if the user said it.
    pub step: Option<u64>,
}

impl Settings {
    pub(crate) fn new(options: &TraceOptions) -> Result<Self, TraceError> {
        let speed = options.speed;
        if !(speed.is_finite() && speed > 0.0) {
            return Err(TraceError::of_option(&options.path, "speed", speed.to_string(), "a number above 0"));
        }
        check_use(options)?;
        let length = span(options, "length", options.length)?.unwrap_or(u64::MAX);
        Ok(Self { speed, length, step: span(options, "step", options.step)? })
    }

    /// A trace's time in simulated time.
    pub(crate) fn scaled(&self, nanos: u64) -> u64 {
        // Without a float, which is not exact above 2^53, where nothing is to do.
        if self.speed == 1.0 { nanos } else { (nanos as f64 / self.speed) as u64 }
    }
}

/// A duration above 0 in nanoseconds.
fn span(options: &TraceOptions, option: &str, span: Option<Span>) -> Result<Option<u64>, TraceError> {
    if span == Some(Span(0)) {
        return Err(TraceError::of_option(&options.path, option, "0s", "a duration above 0"));
    }
    Ok(span.map(|span| span.0))
}

/// Refuses options that the format has no use for: they would do nothing in silence.
fn check_use(options: &TraceOptions) -> Result<(), TraceError> {
    use TraceFormat::{AzureFunctions2019, Csv, Mapped, Mooncake, Nab, Prometheus, Servegen};
    let format = options.format;
    let is_azure_2019 = format == AzureFunctions2019;
    let is_counts = matches!(format, AzureFunctions2019 | Servegen | Nab | Prometheus);
    let has_step = matches!(format, Nab | Prometheus);
    let has_unit = matches!(format, Csv | Mapped | Nab);
    let uses = [
        ("durations", options.durations.is_some(), is_azure_2019),
        ("memory", options.memory.is_some(), is_azure_2019),
        ("pairing", options.pairing.is_some(), is_azure_2019),
        ("mapping", options.mapping.is_some(), format == Mapped),
        ("service", options.service.is_some(), !is_counts),
        ("service_unit", options.service_unit.is_some(), !is_counts),
        ("filter", options.filter.is_some(), !is_counts),
        ("expand", options.expand.is_some(), is_counts || format == Mooncake),
        ("step", options.step.is_some(), has_step),
        ("unit", options.unit != Unit::default(), has_unit),
    ];
    let unused = uses.iter().find(|(_, is_given, is_used)| *is_given && !is_used);
    unused.map_or(Ok(()), |(option, ..)| {
        let found = "an option that this format has no use for";
        Err(TraceError::of_option(&options.path, option, found, "it with other formats only"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut TraceOptions)) -> Result<Settings, TraceError> {
        let mut options = TraceOptions::new("t", TraceFormat::Nab);
        change(&mut options);
        Settings::new(&options)
    }

    #[test]
    fn a_length_of_nothing_is_refused() {
        assert_eq!(settings(|_| ()).unwrap().length, u64::MAX);
        assert_eq!(settings(|o| o.length = Some(Span(5))).unwrap().length, 5);
        assert!(settings(|o| o.length = Some(Span(0))).is_err());
    }

    #[test]
    fn speed_shortens_time_and_must_be_positive() {
        assert_eq!(settings(|o| o.speed = 4.0).unwrap().scaled(1_000), 250);
        assert_eq!(settings(|_| ()).unwrap().scaled(u64::MAX), u64::MAX);
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(settings(|o| o.speed = speed).is_err());
        }
    }

    #[test]
    fn options_without_use_are_refused() {
        let error = settings(|o| o.filter = Some("a > 1".into())).unwrap_err();
        assert_eq!(error.column.as_deref(), Some("filter"));
        assert!(settings(|o| o.step = Some(Span(1))).is_ok());
    }
}
