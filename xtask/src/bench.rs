//! `cargo xtask bench`: runs the benches of every crate, which print their own tables.

use crate::shell::{self, cargo, program};
use crate::wci;

/// One after another: on a busy machine take ratios, not the figures.
pub fn run() -> Result<(), String> {
    shell::run(&mut cargo(&["bench", "--quiet", "--workspace", "--bench", "*"]))?;
    shell::run(program(wci::build()?).arg("bench"))
}
