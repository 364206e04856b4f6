//! `cargo xtask soak`: what takes too long for every run of the tests.

use crate::{live, shell};

const KILLS: &str = "100";

/// Kills the live controller a hundred times at random moments, under signals.
pub fn run() -> Result<(), String> {
    let tools = live::tools()?;
    let test = "five_kills_lose_no_signal_and_repeat_at_most_one_call_each";
    let mut command = shell::cargo(&["test", "--package", "wci-providers", "--profile", "ci"]);
    command.args(["--features", "live-tests", "--test", "live", "--", "--nocapture", test]);
    shell::run(command.env("WCI_LIVE_TOOLS", tools).env("WCI_SOAK_KILLS", KILLS))
}
