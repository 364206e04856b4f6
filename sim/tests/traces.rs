//! Traces from files: our own fixtures always; the real ones, whose figures are known, where `WCI_TRACES` names them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use wci_sim::rng::Stream;
#[cfg(feature = "outside-traces")]
use wci_sim::trace::Expand;
use wci_sim::trace::{
    TraceDraws, TraceFiles, TraceFormat, TraceOptions, TraceSource, TraceStats, convert, stats,
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/fixtures");

struct Folder;

impl TraceFiles for Folder {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }

    fn list(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        if !Path::new(path).is_dir() {
            return Ok(None);
        }
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<Vec<_>>>().map(Some)
    }
}

/// Folder or file of every trace that has a fixture.
const TRACES: [(TraceFormat, &str); 11] = [
    (TraceFormat::AzureLlm, "azure-llm-2023/AzureLLMInferenceTrace_conv.csv"),
    (TraceFormat::AzureFunctions2019, "azure-functions-2019-8h-small"),
    (TraceFormat::AzureFunctions2021, "azure-functions-2021/Azure2021_200.csv"),
    (TraceFormat::Mooncake, "mooncake-2024/conversation_trace.jsonl.gz"),
    (TraceFormat::Swim, "facebook-swim-2009/FB-2009_samples_24_times_1hr_0.tsv"),
    (TraceFormat::Nab, "nab-aws-elb-2014/elb_request_count_8c0756.csv"),
    (TraceFormat::Servegen, "servegen-2025-r1"),
    (TraceFormat::Burstgpt, "burstgpt-2024/BurstGPT_1.csv"),
    (TraceFormat::Burstgpt, "burstgpt-2024/BurstGPT_3.csv"),
    (TraceFormat::Swf, "swf/example.swf"),
    (TraceFormat::Prometheus, "prometheus/tasks_added_rate.json"),
];

fn open(root: &str, options: &TraceOptions) -> TraceSource {
    let options = TraceOptions { path: format!("{root}/{}", options.path), ..options.clone() };
    let service = (options.format == TraceFormat::Prometheus)
        .then(|| wci_sim::dist::Dist::log_normal(2e8, 2e9).expect("a log-normal"));
    let (arrivals, services) = (Stream::named(42, "trace/arrivals"), Stream::named(42, "trace/services"));
    TraceSource::open(&options, &Folder, TraceDraws { arrivals, services, service })
        .unwrap_or_else(|error| panic!("{error}"))
}

fn figures(root: &str, options: &TraceOptions) -> TraceStats {
    stats(&mut open(root, options)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fixture_is_read_to_its_end() {
    let counts = TRACES.map(|(format, path)| figures(FIXTURES, &TraceOptions::new(path, format)).count);
    assert_eq!(counts, [199, 22_920, 199, 200, 200, 10_267, 27_107, 199, 99, 185, 6_371]);
}

#[test]
fn a_converted_fixture_has_the_figures_of_the_original() {
    for (format, path) in TRACES {
        let options = TraceOptions::new(path, format);
        let mut text = Vec::new();
        convert(&mut open(FIXTURES, &options), &mut text).expect("a converted trace");
        let file = std::env::temp_dir().join(format!(
            "wci-convert-{}-{}.csv",
            std::process::id(),
            path.replace('/', "-")
        ));
        fs::write(&file, &text).expect("a file");
        let again = figures("", &TraceOptions::new(&file.to_string_lossy(), TraceFormat::Csv));
        fs::remove_file(&file).expect("the file");
        let original = figures(FIXTURES, &options);
        assert_eq!(again.duration_seconds, original.duration_seconds, "{path}");
        assert_eq!(again.count, original.count, "{path}");
    }
}

/// The folder of the real traces; tests that need it belong to a feature.
#[cfg(feature = "outside-traces")]
fn real_traces() -> String {
    let root = std::env::var("WCI_TRACES").unwrap_or_default();
    assert!(
        Path::new(&root).join("azure-functions-2019-8h").is_dir(),
        "WCI_TRACES names no real traces: {root:?}"
    );
    root
}

#[cfg(feature = "outside-traces")]
fn is_close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected} +- {tolerance}");
}

/// What a README says: count, span in seconds, peaks per second and minute, indexes of dispersion at 1 s and 60 s.
#[cfg(feature = "outside-traces")]
struct Known(u64, f64, u64, u64, f64, f64);

#[test]
#[cfg(feature = "outside-traces")]
fn real_records_have_the_known_figures() {
    let root = real_traces();
    for (i, known) in [
        (0, Known(19_366, 3_501.7, 16, 507, 1.39, 20.6)),
        (2, Known(199, 1_200.0, 22, 42, 8.25, 10.2)),
        (3, Known(12_031, 3_537.0, 28, 247, 7.89, 2.85)),
        (4, Known(5_894, 86_355.0, 3, 32, 1.01, 3.66)),
    ] {
        let (format, path) = TRACES[i];
        let expand = (format == TraceFormat::Mooncake).then_some(Expand::Start);
        let found = figures(&root, &TraceOptions { expand, ..TraceOptions::new(path, format) });
        assert_eq!(
            (found.count, found.peak_per_second, found.peak_per_minute),
            (known.0, known.2, known.3),
            "{path}"
        );
        is_close(path, found.span_seconds, known.1, 0.6);
        is_close(path, found.index_of_dispersion_1s, known.4, 0.006);
        is_close(path, found.index_of_dispersion_60s, known.5, 0.06);
    }
}

#[test]
#[cfg(feature = "outside-traces")]
fn real_services_have_the_known_figures() {
    let root = real_traces();
    // Nearest ranks; with 199 records the README's interpolated p90 is 202.8.
    let azure_2021 = [1.63, 237.7, 358.1];
    for (i, [p50, p90, p99]) in [(0, [4.3, 13.1, 18.4]), (2, azure_2021), (4, [10.0, 15.0, 152.0])] {
        let (format, path) = TRACES[i];
        let found = figures(&root, &TraceOptions::new(path, format)).duration_seconds;
        is_close(path, found.p50 / p50, 1.0, 0.02);
        is_close(path, found.p90 / p90, 1.0, 0.02);
        is_close(path, found.p99 / p99, 1.0, 0.02);
    }
}

#[test]
#[cfg(feature = "outside-traces")]
fn real_azure_functions_have_the_known_offered_load() {
    let root = real_traces();
    for (path, count, peak, dispersion, load, tolerance) in [
        ("azure-functions-2019-8h", 3_037_902, 7_603, 63.5, 53.2, 0.5),
        ("azure-functions-2019-8h-small", 339_657, 1_460, 8.81, 10.7, 0.1),
    ] {
        let options = TraceOptions::new(path, TraceFormat::AzureFunctions2019);
        let found = figures(&root, &options);
        assert_eq!(
            (found.count, found.peak_per_minute, found.span_seconds),
            (count, peak, 28_800.0),
            "{path}"
        );
        is_close(path, found.index_of_dispersion_60s, dispersion, 0.06);
        is_close(path, found.offered_load, load, tolerance);
        assert_eq!(open(&root, &options).notes().len(), 1, "only the memory is noted");
    }
}

#[test]
#[cfg(feature = "outside-traces")]
fn real_durations_without_pairing_are_pooled_and_it_is_said() {
    let root = real_traces();
    let options = TraceOptions::new("azure-functions-2019-24h", TraceFormat::AzureFunctions2019);
    let found = figures(&root, &options);
    assert_eq!((found.count, found.peak_per_minute, found.span_seconds), (996_503, 1_611, 86_400.0));
    is_close("dispersion", found.index_of_dispersion_60s, 32.3, 0.06);
    // The mean of Average weighted by Count is 1.0438 s.
    is_close("load", found.offered_load, 12.04, 0.2);
    assert!(open(&root, &options).notes()[0].contains("draws from the durations of all functions"));
}

#[test]
#[cfg(feature = "outside-traces")]
fn real_counts_have_the_known_figures() {
    let root = real_traces();
    let (format, path) = TRACES[5];
    let found = figures(&root, &TraceOptions::new(path, format));
    let notes = open(&root, &TraceOptions::new(path, format)).notes();
    let repeated: u64 =
        notes[0].split(['(', ' ']).rev().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    assert!(notes[0].starts_with("8 missing intervals"), "{notes:?}");
    assert_eq!((found.count - repeated, found.span_seconds), (249_327, 4_040.0 * 300.0));
    let found = figures(&root, &TraceOptions::new("servegen-2025-r1", TraceFormat::Servegen));
    assert_eq!((found.count, found.span_seconds), (1_383_669, 86_400.0));
    is_close("rate", found.mean_rate, 16.0, 0.05);
    is_close("median", found.duration_seconds.p50, 8.0, 0.1);
    is_close("p99", found.duration_seconds.p99, 60.0, 1.5);
}
