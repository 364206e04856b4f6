//! The commands and their options.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Decide when to start Temporal workers: replay a workload against a spec and see what tasks wait and what it
/// costs.
#[derive(Debug, Parser)]
#[command(name = "wci", version, about, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate a scenario
    Run(RunArgs),
    /// Run several algorithms or specs on the same scenarios and the same luck
    Compare(CompareArgs),
    /// Run many settings of a scenario and rank what matters
    Sweep(SweepArgs),
    /// Search the setting that is cheapest among those that meet a target
    Tune(TuneArgs),
    /// Check scenario files without running them
    Validate(ValidateArgs),
    /// Say why it scaled, or did not, at a moment
    Explain(ExplainArgs),
    /// Replay a journal: every decision must come out the same
    Replay(ReplayArgs),
    /// Answer single decisions: JSON lines in, JSON lines out
    Decide(DecideArgs),
    /// Look at workload traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Distributed tasks whose workers follow the nodes of a cluster
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Print the JSON Schema of scenario files
    Schema(SchemaArgs),
    /// Measure the simulator beside hand-written loops
    Bench(BenchArgs),
    /// Compare the shipped scenarios with their golden results
    #[command(hide = true)]
    Golden(GoldenArgs),
}

/// Which scenario, and what is different this time.
#[derive(Clone, Debug, ClapArgs)]
pub struct ScenarioArgs {
    /// The scenario file (TOML)
    pub scenario: PathBuf,
    /// Set a value of the scenario by its dotted path; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Another seed than the scenario's
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// `wci run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// Print the summary as JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write report.html, plots, summary, time series, decisions and journal into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also write tasks.csv, a line for each finished task
    #[arg(long, requires = "out")]
    pub tasks: bool,
    /// Write no journal (it is the largest file)
    #[arg(long, requires = "out")]
    pub no_journal: bool,
    /// Find the warm-up by MSER-5 in a first run and leave it out (only for stationary synthetic arrivals)
    #[arg(long)]
    pub mser5: bool,
    /// Do not check the scenario's expectations
    #[arg(long)]
    pub no_expect: bool,
    #[command(flatten)]
    pub study: StudyArgs,
    #[command(flatten)]
    pub until: UntilArgs,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// How often, on how many threads, and where to go on from.
#[derive(Clone, Debug, ClapArgs)]
pub struct StudyArgs {
    /// Run under so many seeds, from the scenario's own on; every figure gets its 95 % interval (Student)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    pub replications: Option<u64>,
    /// Threads; default: one for each core. The results are the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    pub threads: Option<u16>,
    /// Remember finished runs in this file, and take from it those of an interrupted command. Default with --out:
    /// checkpoint.jsonl in that folder
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
}

/// When to stop replicating.
#[derive(Clone, Debug, ClapArgs)]
pub struct UntilArgs {
    /// Replicate, in blocks of 10, until half the interval is at most this share of the mean: ci=1%. Without
    /// --replications at most 1000 times
    #[arg(long, value_name = "ci=SHARE")]
    pub until: Option<String>,
    /// With --until: the figures that shall be so precise; repeatable. Default: mean wait and cost
    #[arg(long = "of", value_name = "KEY", requires = "until")]
    pub of: Vec<String>,
}

/// `wci compare`.
#[derive(Debug, ClapArgs)]
pub struct CompareArgs {
    /// The scenario files; one whose trace is missing is left out by name
    #[arg(required = true)]
    pub scenarios: Vec<PathBuf>,
    /// Algorithms with their defaults (comma-separated), or all. Two more know what no controller can: best-fixed is
    /// the fewest fixed workers that meet --subject-to, square-root is square-root staffing on the true rate.
    /// Default: all of them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub algorithms: Vec<String>,
    /// With mode per-request, where the platform starts the workers: how long it keeps idle ones (comma-separated):
    /// a window such as 10m, exponential:10m, hybrid-histogram or hybrid-histogram:4h. Default: 1m, 10m, 1h and
    /// hybrid-histogram
    #[arg(long, value_name = "POLICIES", value_delimiter = ',')]
    pub keep_alive: Vec<String>,
    /// Specs as JSON files (comma-separated)
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    pub specs: Vec<PathBuf>,
    /// Set a value of the scenarios by its dotted path; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Another first seed than the scenarios'
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// The margin of square-root, in square roots of the offered load
    #[arg(long, value_name = "BETA", default_value_t = 1.0, value_parser = margin, allow_negative_numbers = true)]
    pub beta: f64,
    /// What best-fixed has to meet, and each row is marked for, such as "cost < 2 USD"; repeatable
    #[arg(long, value_name = "CONSTRAINT", default_value = "schedule_to_start.p95 < 1s")]
    pub subject_to: Vec<String>,
    #[command(flatten)]
    pub study: StudyArgs,
    #[command(flatten)]
    pub until: UntilArgs,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write report.html, compare.csv and compare.json into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// A margin of square-root staffing.
fn margin(text: &str) -> Result<f64, String> {
    let margin = text.parse::<f64>().ok().filter(|margin| (0.0..=1000.0).contains(margin));
    margin.ok_or_else(|| "expected a number from 0 to 1000".into())
}

/// `wci sweep`.
#[derive(Debug, ClapArgs)]
pub struct SweepArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// What to vary: PATH=VALUE,VALUE, PATH=LOW..HIGH or PATH=LOW..HIGH:log; repeatable, every combination is run
    #[arg(long, value_name = "PATH=RANGE", required = true)]
    pub vary: Vec<String>,
    /// Steps of each range in the grid
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub steps: u32,
    /// Only so many points, spread evenly over all ranges at once (Latin hypercube)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub sample: Option<u32>,
    /// The first values together, the second ones together, and so on
    #[arg(long, conflicts_with = "sample")]
    pub list: bool,
    /// Figures to show and to rank by: cost, or keys of run --json (comma-separated)
    #[arg(long, value_name = "KEYS", value_delimiter = ',', default_value = "cost,schedule_to_start.p95")]
    pub figure: Vec<String>,
    #[command(flatten)]
    pub study: StudyArgs,
    #[command(flatten)]
    pub until: UntilArgs,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write report.html, sweep.csv, sweep.json and heat maps into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// `wci tune`.
#[derive(Debug, ClapArgs)]
pub struct TuneArgs {
    /// The scenario files; a setting has to hold in every one of them
    #[arg(required = true)]
    pub scenarios: Vec<PathBuf>,
    /// Set a value of the scenarios by its dotted path; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Another first seed than the scenarios'
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// The figure that shall be small: cost, or a key of run --json
    #[arg(long, value_name = "KEY", default_value = "cost")]
    pub minimize: String,
    /// What has to hold, such as "schedule_to_start.p95 < 1s" or "cost < 2 USD"; repeatable
    #[arg(long, value_name = "CONSTRAINT")]
    pub subject_to: Vec<String>,
    /// What to vary: PATH=LOW..HIGH, PATH=LOW..HIGH:log or PATH=VALUE,VALUE; repeatable. Default: every number that
    /// the algorithm is configured with, or how long the platform of mode per-request keeps idle workers
    #[arg(long, value_name = "PATH=RANGE")]
    pub vary: Vec<String>,
    /// Search these algorithms (comma-separated, or all) instead of the scenarios' own
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "vary")]
    pub algorithms: Vec<String>,
    /// Try at most so many settings of each algorithm
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub trials: u32,
    #[command(flatten)]
    pub study: StudyArgs,
    /// Prove the setting on more fresh seeds, in blocks of 10 and at most 1000, until half the interval is at most this
    /// share of the mean: ci=1%
    #[arg(long, value_name = "ci=SHARE")]
    pub until: Option<String>,
    /// With --until: the figures that shall be so precise; repeatable. Default: the figure to minimize and those of
    /// --subject-to
    #[arg(long = "of", value_name = "KEY", requires = "until")]
    pub of: Vec<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write report.html, pareto.svg, trials.csv, tune.json and spec.json into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// `wci validate`.
#[derive(Debug, ClapArgs)]
pub struct ValidateArgs {
    /// The scenario files, also those of distributed tasks (TOML or XML)
    #[arg(required = true)]
    pub scenarios: Vec<PathBuf>,
}

/// `wci explain`.
#[derive(Debug, ClapArgs)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub scenario: ScenarioArgs,
    /// The moment: "10:31:05", "25m", "1h2m3s" or a date such as "2026-01-05T10:31:05Z"
    #[arg(long, short)]
    pub at: String,
    /// Only this scaling group
    #[arg(long, short)]
    pub group: Option<String>,
}

/// `wci replay`.
#[derive(Debug, ClapArgs)]
pub struct ReplayArgs {
    /// The journal (JSON lines, plain or gzip); "-" is standard input
    pub journal: PathBuf,
    /// What another spec would have decided on the inputs as recorded (open loop)
    #[arg(long, value_name = "FILE")]
    pub spec: Option<PathBuf>,
    /// With --spec: list also the decisions on which both do the same
    #[arg(long, requires = "spec", conflicts_with = "json")]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `wci decide`.
#[derive(Debug, ClapArgs)]
pub struct DecideArgs {
    /// The questions, one JSON object a line; default: standard input
    pub file: Option<PathBuf>,
}

/// `wci trace`.
#[derive(Debug, Subcommand)]
pub enum TraceCommand {
    /// Count, span, rates, burstiness, durations, offered load
    Stats(TraceArgs),
    /// Write it as plain `timestamp,duration` CSV
    Convert(TraceArgs),
}

/// Which trace and how to read it.
#[derive(Debug, ClapArgs)]
pub struct TraceArgs {
    /// The trace: a file, plain or gzip, or a folder (azure-functions-2019, servegen)
    pub path: PathBuf,
    /// Its format; default: guessed from names and header
    #[arg(long, short)]
    pub format: Option<String>,
    /// Another option of `trace = { .. }` in a scenario; repeatable
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Sort records that are out of order (reads all of them into memory)
    #[arg(long)]
    pub sort: bool,
    /// Count bad records instead of stopping at the first
    #[arg(long)]
    pub skip_bad_records: bool,
    /// Times as fast
    #[arg(long)]
    pub speed: Option<f64>,
    /// Only this much of it, such as "10m"
    #[arg(long)]
    pub length: Option<String>,
    /// Seed of what the trace leaves open
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print JSON (stats)
    #[arg(long)]
    pub json: bool,
    /// Write here instead of standard output (convert)
    #[arg(long, short)]
    pub output: Option<PathBuf>,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Scenario files of task queues
    Scenario,
    /// Scenario files of distributed tasks
    Cluster,
}

/// `wci schema`.
#[derive(Debug, ClapArgs)]
pub struct SchemaArgs {
    /// Which files
    #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
    pub of: SchemaOf,
    /// The reference as Markdown instead of the schema
    #[arg(long)]
    pub markdown: bool,
}

/// `wci bench`.
#[derive(Debug, ClapArgs)]
pub struct BenchArgs {
    /// Tasks of each work
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub tasks: u64,
    /// Runs of each work; the best one counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `wci golden`.
#[derive(Debug, ClapArgs)]
pub struct GoldenArgs {
    /// Folder of the scenarios
    #[arg(default_value = "scenarios")]
    pub folder: PathBuf,
    /// Rewrite the golden results and print the differences
    #[arg(long)]
    pub bless: bool,
    /// Use the real traces of `WCI_TRACES` and their golden results
    #[arg(long)]
    pub real_traces: bool,
}

/// `wci cluster`.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Simulate distributed tasks while nodes come, go, fall silent and crash
    Run(ClusterRunArgs),
}

/// `wci cluster run`.
#[derive(Debug, ClapArgs)]
pub struct ClusterRunArgs {
    /// A cluster scenario (TOML), or task definitions (XML) that run on two nodes, A and B
    pub scenario: PathBuf,
    /// Print the result as JSON instead of words
    #[arg(long)]
    pub json: bool,
    /// Write report.html, log, journal, timeline and chart into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Do not check the scenario's expectations
    #[arg(long)]
    pub no_expect: bool,
    /// The nodes that are up at the start, with commas between them
    #[arg(long, value_name = "NAMES")]
    pub nodes: Option<String>,
    /// How many buckets the work of each task has
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub buckets: Option<u32>,
    /// How long a worker takes for a bucket, such as 50s
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub bucket: Option<String>,
    /// What happens to a node, such as "70s C join" (join, leave, silent, crash, return); repeatable
    #[arg(long, value_name = "EVENT")]
    pub event: Vec<String>,
    /// Another seed than the scenario's, for the sizes of buckets and for the crashes of [failures]
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}
