//! Where a trace's bytes come from: the caller opens files, the library only names them.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

/// Opens files and lists folders for a trace; paths are the ones of the options, folders end with a slash or not.
pub trait TraceFiles {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;

    /// The names of the files in a folder, in any order; `None` if the path is no folder.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn list(&self, path: &str) -> io::Result<Option<Vec<String>>>;
}

/// Files that are in memory, by their paths: dropped on a browser's page, or made by a test.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Arc<[u8]>>);

impl TraceFiles for MemoryFiles {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.0.get(path).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(Cursor::new(Arc::clone(bytes))))
    }

    fn list(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        if self.0.contains_key(path) {
            return Ok(None);
        }
        let folder = format!("{}/", path.trim_end_matches('/'));
        let names = self.0.keys().filter_map(|file| file.strip_prefix(&folder));
        let names: Vec<String> = names.filter(|name| !name.contains('/')).map(str::to_owned).collect();
        Ok(if names.is_empty() { None } else { Some(names) })
    }
}
