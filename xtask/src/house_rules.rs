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
        let text = read(&path)?;
        let checked = check_shape(&text).and_then(|()| check_root(&path, &text));
        problems.failed.extend(checked.err().map(|why| format!("{name} {why}")));
    }
    Ok(if problems.failed.is_empty() { Tally::of("house rules", Ok(())) } else { problems })
}

/// Checks that no algorithm names another one.
pub fn check_algorithms() -> Result<Tally, String> {
    let folder = root().join("core/src/algorithm");
    let modules: Vec<String> = entries(&folder)?.iter().map(|path| module_of(path)).collect();
    let mut algorithms = independence::algorithms(&read(&folder.join("kind.rs"))?)?;
    independence::merge_forms(&mut algorithms, &modules);
    if let Some(lost) = algorithms.iter().find(|algorithm| !modules.contains(&algorithm.module)) {
        return Err(format!("{} has no module in {}", lost.module, folder.display()));
    }
    let mut problems = Tally::default();
    for path in rust_files(&folder)? {
        let module = module_of(path.strip_prefix(&folder).unwrap_or(&path));
        let Some(own) = algorithms.iter().find(|algorithm| algorithm.module == module) else { continue };
        let found = independence::others_named(&read(&path)?, own, &algorithms);
        problems.failed.extend(found.iter().map(|other| format!("{} names {other}", path.display())));
    }
    let is_clean = problems.failed.is_empty();
    Ok(if is_clean { Tally::of("independent algorithms", Ok(())) } else { problems })
}

/// The module that a file or folder right inside the folder of algorithms is, or that a path relative to it belongs
/// to: `pid` for `pid.rs`, `pid/` and `pid/tests.rs`.
fn module_of(path: &Path) -> String {
    let first = if path.is_absolute() { path.file_name() } else { path.iter().next() };
    Path::new(first.unwrap_or_default()).with_extension("").to_string_lossy().into_owned()
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

/// What is shipped, unlike its tests, must not give up on a value that may be missing.
fn check_root(path: &Path, text: &str) -> Result<(), String> {
    const DENIED: &str =
        "#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]";
    let is_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    if is_root && !text.contains(DENIED) { Err(format!("lacks the line {DENIED}")) } else { Ok(()) }
}

/// Every Rust file under a folder `src`, in order; files of tests only are left out.
fn workspace_sources() -> Result<Vec<PathBuf>, String> {
    let mut sources = rust_files(&root())?;
    sources.retain(|path| {
        let has = |name: &str| path.iter().any(|part| part == name);
        has("src") && !has("tests") && !has("tests.rs")
    });
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
        let modules = ["pid.rs", "pid/terms.rs", "/a/algorithm/pid.rs", "/a/algorithm/pid"]
            .map(Path::new)
            .map(module_of);
        assert_eq!(modules, ["pid"; 4]);
        assert_eq!(module_of(Path::new("pid_like.rs")), "pid_like");
    }
}
