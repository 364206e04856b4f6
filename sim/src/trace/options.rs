//! What a user says about a trace: where it is, its format, and how it is replayed.

use crate::scenario::Span;
use crate::workload::Expand;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A trace and how to replay it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct TraceOptions {
    /// The file, plain or gzip. A folder for `azure-functions-2019` and `servegen`.
    pub path: String,
    /// The format.
    #[serde(default)]
    pub format: TraceFormat,
    /// The file with the durations (`azure-functions-2019`, where `path` names the file with the invocations).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durations: Option<String>,
    /// The file with the allocated memory (`azure-functions-2019`); only reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Which columns of the file mean what (`mapped`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// Unit of the numbers in the columns of `csv`, `mapped` and `nab` files.
    #[serde(default)]
    pub unit: Unit,
    /// The service time, a column or a formula over the columns, instead of the format's own, for formats with one
    /// record a line: `0.5 + 0.02 * GeneratedTokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Unit of `service`; default: `unit` for `csv` and `mapped` files, seconds for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_unit: Option<Unit>,
    /// Only records for which this formula holds, for formats with one record a line: `Model == 'GPT-4'`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How many times as fast as recorded the arrivals come; service times stay as they are.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub speed: f64,
    /// Arrivals from this simulated time on are left out ("2h").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Span>,
    /// Where the arrivals of an interval lie, of which the trace knows only the number. Default: `uniform`; for
    /// `servegen` as drawn from its fitted gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<Expand>,
    /// Reads the whole trace and sorts it, instead of refusing arrivals far out of order.
    #[serde(default)]
    pub sort: bool,
    /// Counts records that cannot be read instead of refusing the trace.
    #[serde(default)]
    pub skip_bad_records: bool,
    /// Whether a function's durations belong to its invocations (`azure-functions-2019`). Default: found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing: Option<Pairing>,
    /// What the values of a range query are (`prometheus`).
    #[serde(default)]
    pub values: Values,
    /// Interval between two lines or values (`nab`, `prometheus`), such as "5m". Default: the smallest found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Span>,
}

const fn one() -> f64 {
    1.0
}

impl TraceOptions {
    /// A trace in a format, everything else at its default.
    #[must_use]
    pub fn new(path: &str, format: TraceFormat) -> Self {
        Self {
            path: path.to_owned(),
            format,
            durations: None,
            memory: None,
            mapping: None,
            unit: Unit::default(),
            service: None,
            service_unit: None,
            filter: None,
            speed: one(),
            length: None,
            expand: None,
            sort: false,
            skip_bad_records: false,
            pairing: None,
            values: Values::default(),
            step: None,
        }
    }
}

/// The formats that are read natively.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TraceFormat {
    /// `timestamp,duration`, with or without this header line; what `wci trace convert` writes.
    #[default]
    Csv,
    /// Any CSV, TSV, JSON lines or words between blanks, through `mapping`.
    Mapped,
    /// Counts per minute and percentiles of durations of Azure Functions, 2019.
    #[serde(rename = "azure-functions-2019")]
    AzureFunctions2019,
    /// Single invocations of Azure Functions, 2021.
    #[serde(rename = "azure-functions-2021")]
    AzureFunctions2021,
    /// Requests to Azure's LLM inference service.
    AzureLlm,
    /// Requests to Kimi (JSON lines).
    Mooncake,
    /// Requests to ChatGPT and GPT-4.
    Burstgpt,
    /// Rates and burstiness of clients of LLM services, one file a client.
    Servegen,
    /// Hadoop jobs of Facebook.
    Swim,
    /// A count per interval: `timestamp,value`.
    Nab,
    /// The Standard Workload Format of the Parallel Workloads Archive.
    Swf,
    /// The answer to a Prometheus range query (JSON).
    Prometheus,
}

/// Which columns of a file mean what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct Mapping {
    /// How lines are cut into columns.
    #[serde(default)]
    pub layout: FileLayout,
    /// The column with the arrival time, or a formula: `end_timestamp - duration`.
    pub arrival: String,
    /// Pattern of the arrival times, such as `%d/%b/%Y:%H:%M:%S %z`. Default: a number of `unit`s or
    /// `YYYY-MM-DD HH:MM:SS`, whichever the first record has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
    /// Names of the columns of a file without a header line. In any file `$1` is the first column, `$2` the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Lines that begin with this character are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<char>,
}

/// How lines are cut into columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileLayout {
    /// Commas between the columns.
    #[default]
    Csv,
    /// Semicolons between the columns.
    Semicolons,
    /// Tabs between the columns.
    Tsv,
    /// Any blanks between the columns.
    Words,
    /// A JSON object a line; its keys are the columns.
    JsonLines,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Minutes.
    #[serde(rename = "m")]
    Minutes,
    /// Hours.
    #[serde(rename = "h")]
    Hours,
    /// Days of 24 hours.
    #[serde(rename = "d")]
    Days,
}

impl Unit {
    /// Its length.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Minutes => 60_000_000_000,
            Self::Hours => 3_600_000_000_000,
            Self::Days => 86_400_000_000_000,
        }
    }
}

/// Whose durations an invocation gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pairing {
    /// Those of its function.
    Function,
    /// Those of any function, as often as it was invoked.
    Pooled,
}

/// What the values of a range query are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    /// Arrivals per second, as `rate(..)` gives them.
    #[default]
    Rate,
    /// Arrivals in the step before, as `increase(..)` gives them.
    Count,
}
