//! Writes all of a run's reports into a folder.

use super::Report;
use super::chart::{self, ChartError, Size};
use super::html;
use super::json::to_json;
use super::timeseries::to_csv;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a report could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A file or the folder.
    #[error("cannot write {}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A chart.
    #[error("cannot draw the chart {id}: {cause}")]
    Chart {
        /// Which.
        id: String,
        /// Why.
        cause: ChartError,
    },
    /// Something that has no JSON form.
    #[error("cannot write {name}: {cause}")]
    Form {
        /// Which file.
        name: &'static str,
        /// Why.
        cause: String,
    },
}

/// Writes summary.json, performance.json, timeseries.csv, report.html and each chart as SVG and PNG into a folder,
/// which is made if it is missing. Answers with the paths, in the order in which they were written.
///
/// # Errors
/// Names the file that could not be written.
pub fn write_all(dir: &Path, report: &Report<'_>) -> Result<Vec<PathBuf>, WriteError> {
    fs::create_dir_all(dir).map_err(|cause| WriteError::File { path: dir.to_owned(), cause })?;
    let mut written = Vec::new();
    let mut write = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        match fs::write(&path, bytes) {
            Ok(()) => written.push(path),
            Err(cause) => return Err(WriteError::File { path, cause }),
        }
        Ok(())
    };
    let result = report.result;
    let json = |name, text: serde_json::Result<String>| {
        text.map_err(|cause| WriteError::Form { name, cause: cause.to_string() })
    };
    write("summary.json", json("summary.json", to_json(&result.summary))?.as_bytes())?;
    write("performance.json", json("performance.json", to_json(&result.performance))?.as_bytes())?;
    write("timeseries.csv", to_csv(&result.timeline).as_bytes())?;
    for chart in chart::course(report) {
        let failed = |cause| WriteError::Chart { id: chart.id.clone(), cause };
        let size = Size::wide(&chart);
        write(&format!("{}.svg", chart.id), chart::svg(&chart, size).map_err(failed)?.as_bytes())?;
        write(&format!("{}.png", chart.id), &chart::png(&chart, size).map_err(failed)?)?;
    }
    let page = html::page(report).map_err(|cause| WriteError::Chart { id: "report.html".into(), cause })?;
    write("report.html", page.as_bytes())?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{empty_run, report, run};
    use crate::results::RunResult;

    #[test]
    fn writes_every_file_also_of_an_empty_run() {
        let dir = std::env::temp_dir().join(format!("wci-report-{}", std::process::id()));
        for result in [run(), empty_run()] {
            let written = write_all(&dir, &report(&result)).expect("writes");
            assert_eq!(written.len(), 4 + 2 * 5);
            assert!(written.iter().all(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0)));
        }
        fs::remove_dir_all(&dir).expect("removes what it made");
    }

    #[test]
    fn names_the_place_that_cannot_be_written() {
        let result = empty_run();
        let error = write_all(Path::new("/dev/null/here"), &report(&result)).expect_err("no folder");
        assert!(error.to_string().starts_with("cannot write /dev/null/here"), "{error}");
    }

    #[test]
    fn writes_runs_of_every_length() {
        // A folder named by the variable keeps the files, so that a person can look at them.
        let kept = std::env::var_os("WCI_REPORT_DIR").map(PathBuf::from);
        let own = std::env::temp_dir().join(format!("wci-report-lengths-{}", std::process::id()));
        let dir = kept.as_ref().unwrap_or(&own);
        for (name, result) in [("day", run()), ("minute", minute()), ("empty", empty_run())] {
            write_all(&dir.join(name), &report(&result)).expect("writes");
        }
        if kept.is_none() {
            fs::remove_dir_all(dir).expect("removes what it made");
        }
    }

    /// The beginning of the burst, as if each minute were a second.
    fn minute() -> RunResult {
        let mut result = run();
        result.timeline.window_s = 1.0;
        let groups = result.timeline.groups.values_mut();
        for rows in groups.chain([&mut result.timeline.total]) {
            *rows = rows[530..590].to_vec();
            for (i, row) in rows.iter_mut().enumerate() {
                row.t_s = i as f64;
                if i % 7 == 3 {
                    row.schedule_to_start_p50_ms = None;
                }
            }
        }
        result
    }
}
