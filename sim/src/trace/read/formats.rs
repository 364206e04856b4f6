//! The formats with one record a line, as data: layout, columns, and what they mean.

mod presets;

use super::datetime::TimePattern;
use super::error::TraceError;
use super::formula::Formula;
use super::options::{FileLayout, Mapping, TraceFormat, TraceOptions, Unit};
use super::records::formula;
use super::rows::Layout;
use presets::{Preset, preset};

/// How one format's records are read.
#[derive(Clone, Debug)]
pub(crate) struct RecordFormat {
    pub layout: Layout,
    pub header: Header,
    /// The arrival time.
    pub arrival: Formula,
    /// How it is written; `None`: a number or ISO 8601.
    pub time_format: Option<TimePattern>,
    /// The arrival's unit, if it is a number.
    pub unit: Unit,
    /// The service time: the first of these whose columns the file has.
    pub services: Vec<ServiceFormula>,
    /// A file may have none of them.
    pub is_service_optional: bool,
    pub filter: Option<Formula>,
    /// Equal arrival times are a batch that came within this many nanoseconds.
    pub batch: Option<u64>,
}

/// One way to a service time.
#[derive(Clone, Debug)]
pub(crate) struct ServiceFormula {
    pub formula: Formula,
    pub unit: Unit,
    /// The formula's text, if it is an assumption of ours.
    pub assumed: Option<&'static str>,
}

/// Where the names of the columns come from.
#[derive(Clone, Debug)]
pub(crate) enum Header {
    /// The first line.
    Line,
    /// The keys of each line.
    Keys(Vec<String>),
    /// They are known; a ragged file's rows may be of any length.
    Names { names: Vec<String>, is_ragged: bool },
    /// There are none.
    Numbered,
    /// The first line, unless it begins with a time: then they are known.
    Detected(Vec<String>),
}

impl RecordFormat {
    /// What the options say; `None` for formats that are no lists of records.
    pub(crate) fn new(options: &TraceOptions) -> Result<Option<Self>, TraceError> {
        let file = &options.path;
        if options.format == TraceFormat::Mapped {
            let mapping = options.mapping.as_ref().ok_or_else(|| {
                TraceError::of_option(file, "mapping", "nothing", "which column holds the arrival")
            })?;
            return Self::mapped(mapping, options).map(Some);
        }
        if options.mapping.is_some() {
            return Err(TraceError::of_option(file, "mapping", "a mapping", "none, or the format `mapped`"));
        }
        preset(options).map(|preset| Self::from_preset(preset, options)).transpose()
    }

    fn from_preset(preset: Preset, options: &TraceOptions) -> Result<Self, TraceError> {
        let file = &options.path;
        let is_csv = options.format == TraceFormat::Csv;
        let default_unit = if is_csv { options.unit } else { Unit::Seconds };
        let unit = options.service_unit.unwrap_or(default_unit);
        let service = |text: &str, assumed| {
            Ok::<_, TraceError>(ServiceFormula { formula: formula(file, "service", text)?, unit, assumed })
        };
        let services = match &options.service {
            Some(own) => vec![service(own, None)?],
            None => {
                let measured = preset.service.map(|text| service(text, None));
                let assumed = preset.assumed.map(|text| service(text, Some(text)));
                measured.into_iter().chain(assumed).collect::<Result<_, _>>()?
            }
        };
        let filters = [preset.filter, options.filter.as_deref()];
        let arrival = formula(file, "arrival", preset.arrival)?;
        let filter = both(file, filters)?;
        let layout = layout(preset.layout, preset.comment, &arrival, &services, filter.as_ref());
        let header = match &layout {
            Layout::JsonLines { keys } => Header::Keys(keys.clone()),
            _ => preset.header,
        };
        Ok(Self {
            layout,
            header,
            arrival,
            time_format: None,
            unit: preset.unit,
            services,
            is_service_optional: is_csv && options.service.is_none(),
            filter,
            batch: preset.batch,
        })
    }

    fn mapped(mapping: &Mapping, options: &TraceOptions) -> Result<Self, TraceError> {
        let file = &options.path;
        let comment = ascii_comment(file, mapping)?;
        let pattern = mapping.time_format.as_ref().map(|text| time_pattern(file, text));
        let arrival = formula(file, "mapping.arrival", &mapping.arrival)?;
        let unit = options.service_unit.unwrap_or(options.unit);
        let service = options.service.as_ref().map(|text| formula(file, "service", text)).transpose()?;
        let services: Vec<_> =
            service.into_iter().map(|formula| ServiceFormula { formula, unit, assumed: None }).collect();
        let filter = both(file, [None, options.filter.as_deref()])?;
        let layout = layout(mapping.layout, comment, &arrival, &services, filter.as_ref());
        let header = match (&layout, &mapping.columns) {
            (Layout::JsonLines { keys }, _) => Header::Keys(keys.clone()),
            (_, Some(names)) if names.is_empty() => Header::Numbered,
            (_, Some(names)) => Header::Names { names: names.clone(), is_ragged: false },
            (_, None) => Header::Line,
        };
        Ok(Self {
            layout,
            header,
            arrival,
            time_format: pattern.transpose()?,
            unit: options.unit,
            services,
            is_service_optional: options.service.is_none(),
            filter,
            batch: None,
        })
    }
}

fn ascii_comment(file: &str, mapping: &Mapping) -> Result<Option<char>, TraceError> {
    match mapping.comment {
        Some(other) if !other.is_ascii() => {
            Err(TraceError::of_option(file, "mapping.comment", format!("{other:?}"), "an ASCII character"))
        }
        comment => Ok(comment),
    }
}

fn time_pattern(file: &str, text: &str) -> Result<TimePattern, TraceError> {
    TimePattern::parse(text).map_err(|found| {
        let expected = "one of %Y %m %b %d %H %M %S %f %z %%";
        TraceError::of_option(file, "mapping.time_format", format!("{found:?}"), expected)
    })
}

/// One filter of the format's and the user's.
fn both(file: &str, filters: [Option<&str>; 2]) -> Result<Option<Formula>, TraceError> {
    let text = match filters {
        [None, None] => return Ok(None),
        [Some(one), None] | [None, Some(one)] => one.to_owned(),
        // Read alone first, so that an error counts its characters.
        [Some(own), Some(user)] => {
            formula(file, "filter", user)?;
            format!("({own}) and ({user})")
        }
    };
    formula(file, "filter", &text).map(Some)
}

fn layout(
    layout: FileLayout,
    comment: Option<char>,
    arrival: &Formula,
    services: &[ServiceFormula],
    filter: Option<&Formula>,
) -> Layout {
    // Only ASCII comes here.
    let comment = comment.and_then(|c| u8::try_from(c).ok());
    let separated = |delimiter| Layout::Separated { delimiter, comment };
    match layout {
        FileLayout::Csv => separated(b','),
        FileLayout::Semicolons => separated(b';'),
        FileLayout::Tsv => separated(b'\t'),
        FileLayout::Words => Layout::Words { comment },
        FileLayout::JsonLines => {
            let formulas =
                [Some(arrival), filter].into_iter().flatten().chain(services.iter().map(|s| &s.formula));
            let mut keys: Vec<String> = Vec::new();
            for key in formulas.flat_map(Formula::columns) {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
            Layout::JsonLines { keys }
        }
    }
}
