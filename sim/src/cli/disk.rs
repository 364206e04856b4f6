//! Files of this machine.

use crate::trace::TraceFiles;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Opens traces on disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl TraceFiles for Disk {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, expected a file"));
        }
        Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
    }

    fn list(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        if !Path::new(path).is_dir() {
            return Ok(None);
        }
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<Vec<_>>>().map(Some)
    }
}

/// Reads a text file; the error names it.
pub fn read_text(path: &Path) -> Result<String, super::Failure> {
    fs::read_to_string(path).map_err(|error| named(&error, path))
}

/// Creates a file for writing; the error names it.
pub fn create(path: &Path) -> Result<BufWriter<File>, super::Failure> {
    File::create(path).map(BufWriter::new).map_err(|error| named(&error, path))
}

/// Writes a whole file; the error names it.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), super::Failure> {
    fs::write(path, bytes).map_err(|error| named(&error, path))
}

/// Writes to standard output.
pub fn print(text: &str) -> Result<(), super::Failure> {
    let mut out = io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}

/// An error with the file it is about.
pub fn named(error: &io::Error, path: &Path) -> super::Failure {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "no such file",
        io::ErrorKind::PermissionDenied => "no permission",
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => "found a file, expected a folder",
        _ => return super::Failure::about(error, &path.display().to_string()),
    };
    super::Failure::about(hint, &path.display().to_string())
}
