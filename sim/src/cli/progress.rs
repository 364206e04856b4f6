//! Progress on stderr, only where a person watches.

use crate::model::{Nanos, SECOND};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of simulated time.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar that shows itself after a moment, or never when `quiet`.
    pub fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        let bar = ProgressBar::with_draw_target(Some(1000), target);
        let template = "{bar:30} {percent:>3} % of simulated time, {msg}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Simulated time went on.
    pub fn update(&self, now: Nanos, horizon: Nanos, events: u64) {
        let share = now.min(horizon) as f64 / horizon.max(1) as f64;
        self.0.set_position((share * 1000.0) as u64);
        let millions = events as f64 / 1e6;
        self.0.set_message(format!("{millions:.1} M events, {:.0} s simulated", now as f64 / SECOND as f64));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
