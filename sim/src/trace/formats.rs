//! The formats with one record a line, as data: layout, columns, and what they mean.

use super::datetime::TimePattern;
use super::error::TraceError;
use super::formula::Formula;
use super::options::{FileLayout, Mapping, TraceFormat, TraceOptions, Unit};
use super::records::formula;
use super::rows::Layout;
use super::service_models;

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
    pub services: Vec<(Formula, Unit)>,
    /// A file may have none of them.
    pub is_service_optional: bool,
    pub filter: Option<Formula>,
    /// Equal arrival times are a batch that came within this many nanoseconds.
    pub batch: Option<u64>,
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

/// A format before the user's own formulas replace its.
struct Preset {
    layout: FileLayout,
    comment: Option<char>,
    header: Header,
    arrival: &'static str,
    unit: Unit,
    services: Vec<&'static str>,
    filter: Option<&'static str>,
}

/// Mooncake's recorder wrote arrivals in batches 3 s apart.
const MOONCAKE_BATCH: u64 = 3_000_000_000;

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
        let texts = match &options.service {
            Some(own) => vec![own.as_str()],
            None => preset.services,
        };
        let unit = options.service_unit.unwrap_or(default_unit);
        let services = texts.iter().map(|text| Ok((formula(file, "service", text)?, unit)));
        let filters = [preset.filter, options.filter.as_deref()];
        let arrival = formula(file, "arrival", preset.arrival)?;
        let services: Vec<_> = services.collect::<Result<_, TraceError>>()?;
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
            batch: (options.format == TraceFormat::Mooncake).then_some(MOONCAKE_BATCH),
        })
    }

    fn mapped(mapping: &Mapping, options: &TraceOptions) -> Result<Self, TraceError> {
        let file = &options.path;
        let pattern = |text: &String| {
            TimePattern::parse(text).map_err(|found| {
                let expected = "one of %Y %m %b %d %H %M %S %f %z %%";
                TraceError::of_option(file, "mapping.time_format", format!("{found:?}"), expected)
            })
        };
        let comment = mapping.comment.filter(char::is_ascii);
        if comment != mapping.comment {
            let found = format!("{:?}", mapping.comment.unwrap_or(' '));
            return Err(TraceError::of_option(file, "mapping.comment", found, "an ASCII character"));
        }
        let arrival = formula(file, "mapping.arrival", &mapping.arrival)?;
        let unit = options.service_unit.unwrap_or(options.unit);
        let service = options.service.as_ref().map(|text| formula(file, "service", text)).transpose()?;
        let services: Vec<_> = service.into_iter().map(|s| (s, unit)).collect();
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
            time_format: mapping.time_format.as_ref().map(pattern).transpose()?,
            unit: options.unit,
            services,
            is_service_optional: true,
            filter,
            batch: None,
        })
    }
}

/// What each format's file holds.
fn preset(options: &TraceOptions) -> Option<Preset> {
    let csv = Preset {
        layout: FileLayout::Csv,
        comment: None,
        header: Header::Line,
        arrival: "timestamp",
        unit: Unit::Seconds,
        services: vec!["duration"],
        filter: None,
    };
    let names = |names: &[&str], is_ragged| Header::Names {
        names: names.iter().map(|n| (*n).to_owned()).collect(),
        is_ragged,
    };
    Some(match options.format {
        TraceFormat::Csv => Preset {
            header: Header::Detected(vec!["timestamp".to_owned(), "duration".to_owned()]),
            unit: options.unit,
            ..csv
        },
        TraceFormat::AzureFunctions2021 => Preset { arrival: "end_timestamp - duration", ..csv },
        TraceFormat::AzureLlm => {
            Preset { arrival: "TIMESTAMP", services: vec![service_models::AZURE_LLM], ..csv }
        }
        TraceFormat::Mooncake => Preset {
            layout: FileLayout::JsonLines,
            unit: Unit::Milliseconds,
            services: vec![service_models::MOONCAKE],
            ..csv
        },
        // Files from the third on also record how long a request took, in whole seconds.
        TraceFormat::Burstgpt => {
            Preset { arrival: "Timestamp", services: vec!["[Elapsed time]", service_models::BURSTGPT], ..csv }
        }
        TraceFormat::Swim => Preset {
            layout: FileLayout::Tsv,
            header: names(&SWIM_COLUMNS, false),
            arrival: "submit_time",
            services: vec![service_models::SWIM],
            ..csv
        },
        // A run time of -1 is unknown: such jobs were cancelled before they ran.
        TraceFormat::Swf => Preset {
            layout: FileLayout::Words,
            comment: Some(';'),
            header: names(&SWF_COLUMNS, true),
            arrival: "submit_time",
            services: vec!["run_time"],
            filter: Some("run_time >= 0"),
            ..csv
        },
        _ => return None,
    })
}

const SWIM_COLUMNS: [&str; 6] =
    ["job", "submit_time", "gap", "map_input_bytes", "shuffle_bytes", "reduce_output_bytes"];

const SWF_COLUMNS: [&str; 18] = [
    "job",
    "submit_time",
    "wait_time",
    "run_time",
    "allocated_processors",
    "cpu_time",
    "used_memory",
    "requested_processors",
    "requested_time",
    "requested_memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding_job",
    "think_time",
];

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
    services: &[(Formula, Unit)],
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
            let formulas = [Some(arrival), filter].into_iter().flatten().chain(services.iter().map(|s| &s.0));
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
