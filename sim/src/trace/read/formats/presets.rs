//! What each format's file holds.

use super::Header;
use crate::trace::options::{FileLayout, TraceFormat, TraceOptions, Unit};
use crate::trace::read::service_models;

/// A format before the user's own formulas replace its.
pub(super) struct Preset {
    pub layout: FileLayout,
    pub comment: Option<char>,
    pub header: Header,
    pub arrival: &'static str,
    pub unit: Unit,
    /// A column with measured times.
    pub service: Option<&'static str>,
    /// Our model, for files without it.
    pub assumed: Option<&'static str>,
    pub filter: Option<&'static str>,
    /// As in [`super::RecordFormat`].
    pub batch: Option<u64>,
}

/// Mooncake's recorder wrote arrivals in batches 3 s apart.
const MOONCAKE_BATCH: u64 = 3_000_000_000;

/// What each format's file holds.
pub(super) fn preset(options: &TraceOptions) -> Option<Preset> {
    let csv = Preset {
        layout: FileLayout::Csv,
        comment: None,
        header: Header::Line,
        arrival: "timestamp",
        unit: Unit::Seconds,
        service: Some("duration"),
        assumed: None,
        filter: None,
        batch: None,
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
            Preset { arrival: "TIMESTAMP", service: None, assumed: Some(service_models::AZURE_LLM), ..csv }
        }
        TraceFormat::Mooncake => Preset {
            layout: FileLayout::JsonLines,
            unit: Unit::Milliseconds,
            service: None,
            assumed: Some(service_models::MOONCAKE),
            batch: Some(MOONCAKE_BATCH),
            ..csv
        },
        // Files from the third on also record how long a request took, in whole seconds.
        TraceFormat::Burstgpt => Preset {
            arrival: "Timestamp",
            service: Some("[Elapsed time]"),
            assumed: Some(service_models::BURSTGPT),
            ..csv
        },
        TraceFormat::Swim => Preset {
            layout: FileLayout::Tsv,
            header: names(&SWIM_COLUMNS, false),
            arrival: "submit_time",
            service: None,
            assumed: Some(service_models::SWIM),
            ..csv
        },
        // A run time of -1 is unknown: such jobs were cancelled before they ran.
        TraceFormat::Swf => Preset {
            layout: FileLayout::Words,
            comment: Some(';'),
            header: names(&SWF_COLUMNS, true),
            arrival: "submit_time",
            service: Some("run_time"),
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
