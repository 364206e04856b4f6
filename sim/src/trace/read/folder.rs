//! Which files of a folder belong to a trace of several files.

use super::error::TraceError;
use super::files::TraceFiles;
use super::options::TraceOptions;
use super::parser::unreadable;
use std::io::Read;

/// The three files of Azure Functions 2019.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AzureFiles {
    pub invocations: String,
    pub durations: String,
    pub memory: Option<String>,
}

impl AzureFiles {
    /// Finds them: in a folder by their names (`invocations.csv` or `1350_inv.csv.gz`, and so on).
    pub(crate) fn find(options: &TraceOptions, files: &dyn TraceFiles) -> Result<Self, TraceError> {
        let path = &options.path;
        let Some(names) = list(files, path)? else {
            let durations = options.durations.clone().ok_or_else(|| {
                TraceError::of_option(
                    path,
                    "durations",
                    "nothing",
                    "the file with the durations, or a folder",
                )
            })?;
            return Ok(Self { invocations: path.clone(), durations, memory: options.memory.clone() });
        };
        let folder = AzureFolder { path, names };
        let needed = |what: &str, found: Option<String>| {
            let expected = format!("a file with {what} (.csv or .csv.gz)");
            found.ok_or_else(|| TraceError::of_file(path, "no such file", expected))
        };
        let given = |option: &Option<String>, what: &str, words: &[&str]| match option {
            Some(file) => Ok(Some(file.clone())),
            None => folder.only(what, words),
        };
        Ok(Self {
            invocations: needed("invocations", folder.only("invocations", &["inv"])?)?,
            durations: needed("durations", given(&options.durations, "durations", &["dur", "run"])?)?,
            memory: given(&options.memory, "memory", &["mem"])?,
        })
    }
}

/// A folder with the three files under any of the names they have been published with.
struct AzureFolder<'p> {
    path: &'p str,
    names: Vec<String>,
}

impl AzureFolder<'_> {
    /// The only file whose name has one of these words.
    fn only(&self, what: &str, words: &[&str]) -> Result<Option<String>, TraceError> {
        // The first of all words that a name has decides: "run" may stand in others too.
        let word = |name: &str| ["inv", "mem", "dur", "run"].into_iter().find(|word| name.contains(word));
        let mut fitting = self.names.iter().filter(|name| {
            is_table(name) && word(&name.to_lowercase()).is_some_and(|word| words.contains(&word))
        });
        match (fitting.next(), fitting.next()) {
            (Some(first), Some(second)) => {
                let expected = format!("one file with {what}; name it in the options");
                Err(TraceError::of_file(self.path, format!("{first:?} and {second:?}"), expected))
            }
            (first, _) => Ok(first.map(|name| join(self.path, name))),
        }
    }
}

/// ServeGen's files, one a client, in the order of their names; one file is one client.
pub(crate) fn client_files(path: &str, files: &dyn TraceFiles) -> Result<Vec<String>, TraceError> {
    let Some(mut names) = list(files, path)? else { return Ok(vec![path.to_owned()]) };
    names.retain(|name| name.starts_with("chunk-") && is_table(name));
    names.sort_unstable();
    if names.is_empty() {
        return Err(TraceError::of_file(path, "no such file", "files named chunk-*.csv"));
    }
    Ok(names.iter().map(|name| join(path, name)).collect())
}

/// Opens one file of a trace.
pub(crate) fn open(files: &dyn TraceFiles, path: &str) -> Result<Box<dyn Read + Send>, TraceError> {
    files.open(path).map_err(|error| unreadable(path, &error))
}

fn list(files: &dyn TraceFiles, path: &str) -> Result<Option<Vec<String>>, TraceError> {
    files.list(path).map_err(|error| unreadable(path, &error))
}

fn is_table(name: &str) -> bool {
    name.ends_with(".csv") || name.ends_with(".csv.gz")
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{MemoryFiles, TraceFormat};
    use std::sync::Arc;

    fn folder(names: &[&str]) -> MemoryFiles {
        MemoryFiles(names.iter().map(|name| (format!("t/{name}"), Arc::from([]))).collect())
    }

    fn find(names: &[&str]) -> Result<AzureFiles, TraceError> {
        AzureFiles::find(&TraceOptions::new("t/", TraceFormat::AzureFunctions2019), &folder(names))
    }

    #[test]
    fn finds_azures_tables_under_all_their_names() {
        let found = find(&["README.md", "memory.csv", "invocations.csv", "durations.csv", "LICENSE.invitro"])
            .unwrap();
        let expected = ["t/invocations.csv", "t/durations.csv", "t/memory.csv"].map(str::to_owned);
        assert_eq!([found.invocations, found.durations, found.memory.unwrap()], expected);
        let found = find(&["1350_run.csv.gz", "1350_inv.csv.gz"]).unwrap();
        assert_eq!((found.invocations.as_str(), found.memory), ("t/1350_inv.csv.gz", None));
        assert_eq!(found.durations, "t/1350_run.csv.gz");
        let names =
            ["invocations_per_function_md.anon.d01.csv", "function_durations_percentiles.anon.d01.csv"];
        assert_eq!(find(&names).unwrap().durations, format!("t/{}", names[1]));
    }

    #[test]
    fn says_which_file_is_missing_or_ambiguous() {
        let error = find(&["invocations.csv"]).unwrap_err().to_string();
        assert!(error.contains("a file with durations"), "{error}");
        let error = find(&["durations.csv", "inv_d01.csv", "inv_d02.csv"]).unwrap_err().to_string();
        assert!(error.contains("\"inv_d01.csv\" and \"inv_d02.csv\""), "{error}");
    }

    #[test]
    fn clients_come_in_order_of_their_names() {
        let files = folder(&["chunk-2-trace.csv", "chunk-10-trace.csv", "chunk-1-dataset.json", "x.csv"]);
        assert_eq!(client_files("t", &files).unwrap(), ["t/chunk-10-trace.csv", "t/chunk-2-trace.csv"]);
        assert_eq!(client_files("t/x.csv", &files).unwrap(), ["t/x.csv"]);
    }
}
