//! Traces that a person dropped on the page: found by their names alone, because a page knows no folders.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use wci_sim::trace::TraceFiles;

/// Files in memory by their names.
#[derive(Clone, Debug, Default)]
pub struct Dropped(BTreeMap<String, Arc<[u8]>>);

impl Dropped {
    /// Adds a file, or replaces the one of that name.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(base(name).to_owned(), bytes.into());
    }
}

impl TraceFiles for Dropped {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.0.get(base(path)).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Box::new(Cursor::new(Arc::clone(bytes))))
    }

    /// A path that names no dropped file and has no extension is a folder: the one with everything that was dropped.
    fn list(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        let name = base(path.trim_end_matches('/'));
        let is_folder = !self.0.contains_key(name) && !name.contains('.') && !self.0.is_empty();
        Ok(is_folder.then(|| self.0.keys().cloned().collect()))
    }
}

fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenarios_path_finds_the_dropped_file_of_that_name() {
        let mut files = Dropped::default();
        files.insert("day.csv", b"1,2".to_vec());
        let mut text = String::new();
        files.open("${WCI_TRACES}/x/day.csv").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "1,2");
        assert_eq!(files.open("other.csv").err().unwrap().kind(), io::ErrorKind::NotFound);
        assert_eq!(files.list("x/day.csv").unwrap(), None);
        assert_eq!(files.list("${WCI_TRACES}/servegen/").unwrap(), Some(vec!["day.csv".to_owned()]));
    }
}
