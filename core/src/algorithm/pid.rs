//! `pid`: a proportional-integral-derivative control loop that holds the backlog at a set point.
//!
//! Each control interval, with times in seconds:
//!
//! ```text
//! e       = backlog - set point
//! I       = clamp(I + e * dt, -max_count / ki, max_count / ki)        clamped only when ki > 0
//! desired = round(kp * e + ki * I + kd * (e - previous e) / dt)       within min_count and max_count
//! ```
//!
//! The first `dt` is the interval, the first previous error 0. The clamp keeps the integral from winding up
//! further than to what the whole set is worth (K. J. Åström, T. Hägglund, "PID Controllers", 1995, section 3.5).
//! Workers are removed newest first. Signals are not used.

use super::sizing::{Bounds, MIN_COUNT, Planned, Totals, max_count, saturated};
use super::state::{Slot, finite, time};
use super::stepping::METRICS_POLL_INTERVAL;
use super::{Context, ScalingAlgorithm, Verdict, Wish};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::decision::{Limit, Reason, Rule};
use crate::metrics::MetricsSnapshot;
use crate::signals::TaskAdd;
use crate::time::{Millis, Timestamp};

const SET_POINT: KeyDoc = KeyDoc::number("set_point", 2.0).unit("tasks").help("The backlog to hold");
const KP: KeyDoc = KeyDoc::number("kp", 0.0).help("Workers for each task of error");
const KI: KeyDoc = KeyDoc::number("ki", 0.1).help("Workers for each task-second of error");
const KD: KeyDoc =
    KeyDoc::number("kd", 0.05).help("Workers for each task per second by which the error grows");
const MAX_COUNT: KeyDoc = max_count(10);

pub(super) const KEYS: &[KeyDoc] = &[SET_POINT, KP, KI, KD, MIN_COUNT, MAX_COUNT, METRICS_POLL_INTERVAL];

const INTEGRAL: &str = "error_integral";
const LAST_ERROR: &str = "last_error";
const LAST_CONTROL: &str = "last_control_time_ms";

#[derive(Clone, Debug, PartialEq)]
struct Config {
    set_point: f64,
    kp: f64,
    ki: f64,
    kd: f64,
    bounds: Bounds,
    interval: Millis,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pid {
    config: Config,
    planned: Planned,
    integral: Slot<f64>,
    last_error: Slot<f64>,
    last_control: Slot<i64>,
}

/// One turn of the loop.
struct Turn {
    error: f64,
    integral: f64,
    derivative: f64,
    output: f64,
}

impl Pid {
    pub(super) fn new(config: &ConfigMap, state: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        Ok(Self {
            config: Config {
                set_point: config.number(&SET_POINT)?,
                kp: config.number(&KP)?,
                ki: config.number(&KI)?,
                kd: config.number(&KD)?,
                bounds: Bounds::read(&config, &MAX_COUNT)?,
                interval: Millis::new(config.integer(&METRICS_POLL_INTERVAL)?),
            },
            planned: Planned::read(state, 0),
            integral: Slot::strict(state, INTEGRAL, finite),
            last_error: Slot::strict(state, LAST_ERROR, finite),
            last_control: Slot::strict(state, LAST_CONTROL, time),
        })
    }

    /// The time since the last turn; none while the interval has not passed. After a clock that went backwards the
    /// loop starts afresh.
    fn dt(&self, now: Timestamp) -> Option<Millis> {
        let since = self.last_control.get().map(|_| self.last_control.elapsed(now));
        match since.filter(|since| *since >= Millis::ZERO) {
            None => Some(self.config.interval),
            Some(since) => Some(since).filter(|since| *since >= self.config.interval),
        }
    }

    fn turn(&self, backlog: f64, dt: Millis) -> Turn {
        let Config { set_point, kp, ki, kd, bounds, .. } = self.config;
        let dt = dt.as_f64() / 1000.0;
        let error = backlog - set_point;
        let integral = self.integral.get().unwrap_or(0.0) + error * dt;
        let most = if ki > 0.0 { f64::from(bounds.max) / ki } else { f64::MAX };
        let integral = integral.clamp(-most, most);
        let derivative = (error - self.last_error.get().unwrap_or(0.0)) / dt;
        Turn { error, integral, derivative, output: kp * error + ki * integral + kd * derivative }
    }

    fn keep(&mut self, turn: &Turn, now: Timestamp) {
        self.last_control.stamp(now);
        for (slot, value) in [(&mut self.integral, turn.integral), (&mut self.last_error, turn.error)] {
            if value.is_finite() {
                slot.set(value);
            }
        }
    }

    fn act(&mut self, context: Context<'_>, turn: &Turn) -> (Wish, Reason) {
        let current = self.planned.get();
        let recommended = saturated(turn.output.round());
        let (size, cut) = self.config.bounds.cut(recommended);
        let (wish, limit) = match self.planned.go_to(context, size) {
            Ok(_) if size == current => (Wish::Nothing, cut),
            Ok(wish) => (wish, cut),
            Err(limit) => (Wish::Nothing, Some(limit)),
        };
        let rule = match size.cmp(&current) {
            std::cmp::Ordering::Less => Rule::ControlBelow,
            std::cmp::Ordering::Equal => Rule::NoChange,
            std::cmp::Ordering::Greater => Rule::ControlAbove,
        };
        let reason = Reason::new(rule).wishing(recommended, self.planned.get().into(), limit).with_all(&[
            ("set_point", self.config.set_point),
            ("error", turn.error),
            ("error_integral", turn.integral),
            ("error_derivative", turn.derivative),
            ("proportional_term", self.config.kp * turn.error),
            ("integral_term", self.config.ki * turn.integral),
            ("derivative_term", self.config.kd * turn.derivative),
            ("control_output", turn.output),
            ("current_workers", f64::from(current)),
        ]);
        (wish, reason)
    }

    fn wait(&self, limit: Option<Limit>) -> Verdict {
        let current = i64::from(self.planned.get());
        let reason = Reason::new(Rule::NoChange).wishing(current, current, limit);
        Verdict::new(Wish::Nothing, reason.with("current_workers", f64::from(self.planned.get())))
    }
}

impl ScalingAlgorithm for Pid {
    fn on_task_added(&mut self, _context: Context<'_>, _add: &TaskAdd) -> Verdict {
        Verdict::NOTHING
    }

    fn on_metrics(&mut self, context: Context<'_>, metrics: &MetricsSnapshot) -> Verdict {
        self.planned.observe(context);
        let Some(totals) = Totals::of(metrics) else { return self.wait(None) };
        let Some(dt) = self.dt(context.now) else { return self.wait(Some(Limit::Cooldown)) };
        let turn = self.turn(totals.backlog_f64(), dt);
        self.keep(&turn, context.now);
        let (wish, reason) = self.act(context, &turn);
        Verdict::new(wish, reason.with("backlog_count", totals.backlog_f64()))
    }

    fn poll_interval(&self, _now: Timestamp) -> Millis {
        self.config.interval
    }

    fn planned(&self) -> Option<u32> {
        Some(self.planned.get())
    }

    fn register(&mut self) -> u32 {
        self.planned.register(self.config.bounds)
    }

    fn state(&self) -> ConfigMap {
        let mut state = ConfigMap::new();
        self.planned.write(&mut state);
        self.integral.write(INTEGRAL, &mut state);
        self.last_error.write(LAST_ERROR, &mut state);
        self.last_control.write(LAST_CONTROL, &mut state);
        state
    }
}

#[cfg(test)]
mod tests;
