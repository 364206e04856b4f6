//! `cargo xtask soak`: what takes too long for every run of the tests.

use crate::{live, shell};

const KILLS: &str = "100";
/// Each with a change and a signal for each of eight controllers, under questions; every fourth one with a kill.
const ROUNDS: &str = "100";
/// Long enough for the first poll of the original, five minutes after its start.
const PARITY_SECS: &str = "330";

/// Kills the live controller a hundred times at random moments, under signals, replays eight hundred runs that went on
/// under questions, changes and kills, and compares the controller with the original for five and a half minutes.
pub fn run() -> Result<(), String> {
    let tools = live::tools()?;
    for test in [
        "five_kills_lose_no_signal_and_repeat_at_most_one_call_each",
        "questions_beside_updates_signals_and_kills_leave_histories_that_replay",
        "the_original_and_ours_make_the_same_calls_at_the_same_time",
    ] {
        let mut command = shell::cargo(&["test", "--package", "wci-providers", "--profile", "ci"]);
        command.args(["--features", "live-tests", "--test", "live", "--", "--nocapture", test]);
        command.env("WCI_SOAK_KILLS", KILLS).env("WCI_SOAK_ROUNDS", ROUNDS);
        command.env("WCI_PARITY_SECS", PARITY_SECS);
        shell::run(command.env("WCI_LIVE_TOOLS", &tools))?;
    }
    Ok(())
}
