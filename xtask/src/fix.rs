//! `cargo xtask fix`: formats, and applies what clippy can mend by itself.

use crate::shell::{self, cargo};

/// Formats last, so that what clippy wrote is formatted too.
pub fn run() -> Result<(), String> {
    shell::run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--fix",
        "--allow-dirty",
        "--allow-staged",
    ]))?;
    shell::run(&mut cargo(&["fmt", "--all"]))
}
