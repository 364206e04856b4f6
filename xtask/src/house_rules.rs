//! Rules of this project that no compiler knows: how long a file gets, what it starts with, who may name whom.

mod independence;

use crate::shell::root;
use crate::tally::Tally;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest a source file may be, its tests not counted.
const MAX_LINES: usize = 600;

/// Checks the shape of every source file of the workspace.
pub fn check() -> Result<Tally, String> {
    let mut problems = Tally::default();
    for path in workspace_sources()? {
        let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        problems.failed.extend(check_shape(&read(&path)?).err().map(|why| format!("{name} {why}")));
    }
    Ok(if problems.failed.is_empty() { Tally::of("house rules", Ok(())) } else { problems })
}

/// Checks that no algorithm names another one.
pub fn check_algorithms() -> Result<Tally, String> {
    let folder = root().join("core/src/algorithm");
    let algorithms = independence::algorithms(&read(&folder.join("mod.rs"))?)?;
    let mut tally = Tally::default();
    for path in rust_files(&folder)? {
        let Some(own) = algorithms.iter().find(|algorithm| belongs_to(&path, &folder, &algorithm.module))
        else {
            continue;
        };
        let found = independence::others_named(&read(&path)?, own, &algorithms);
        let result = if found.is_empty() { Ok(()) } else { Err(format!("names {}", found.join(", "))) };
        tally.add(Tally::of(&format!("algorithm {}", own.module), result));
    }
    if tally == Tally::default() {
        return Err(format!("no algorithm lies in {}", folder.display()));
    }
    Ok(tally)
}

/// `module.rs` and everything in the folder `module/`.
fn belongs_to(path: &Path, folder: &Path, module: &str) -> bool {
    let inside = path.strip_prefix(folder).ok().and_then(|inside| inside.components().next());
    inside.is_some_and(|first| Path::new(&first).with_extension("") == Path::new(module))
}

fn check_shape(text: &str) -> Result<(), String> {
    if !text.lines().any(|line| line.starts_with("//!")) {
        return Err("has no line of //! that says what the file is for".into());
    }
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    if lines > MAX_LINES {
        return Err(format!("has {lines} lines without its tests; split files over {MAX_LINES}"));
    }
    Ok(())
}

/// Every Rust file under `src` of the workspace's packages, in order; files of tests only are left out.
fn workspace_sources() -> Result<Vec<PathBuf>, String> {
    let mut sources = Vec::new();
    for entry in entries(&root())? {
        if entry.join("Cargo.toml").is_file() && entry.join("src").is_dir() {
            sources.extend(rust_files(&entry.join("src"))?);
        }
    }
    sources.retain(|path| !path.iter().any(|part| part == "tests" || part == "tests.rs"));
    Ok(sources)
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    files(folder, "rs")
}

/// Every file in the folder and below it whose name ends so, in order; hidden folders and build folders are left out.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        if entry.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            found.extend(files(&entry, extension)?);
        } else if entry.extension().is_some_and(|own| own == extension) {
            found.push(entry);
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let read = fs::read_dir(folder).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut paths: Vec<PathBuf> = read.map_err(|e| format!("{}: {e}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_it_is_for() {
        assert!(check_shape("//! One line.\nfn main() {}\n").is_ok());
        assert!(check_shape("fn main() {}\n").is_err());
    }

    #[test]
    fn tests_do_not_count_towards_the_length() {
        let code = "//! x\n".to_owned() + &"//\n".repeat(MAX_LINES - 1);
        assert!(check_shape(&code).is_ok());
        assert!(check_shape(&(code.clone() + "//\n")).is_err());
        assert!(check_shape(&(code + "#[cfg(test)]\nmod tests {\n//\n//\n}\n")).is_ok());
    }

    #[test]
    fn a_module_is_a_file_or_a_folder() {
        let folder = Path::new("a/algorithm");
        assert!(belongs_to(Path::new("a/algorithm/pid.rs"), folder, "pid"));
        assert!(belongs_to(Path::new("a/algorithm/pid/terms.rs"), folder, "pid"));
        assert!(!belongs_to(Path::new("a/algorithm/pid_like.rs"), folder, "pid"));
    }
}
