//! Rates that jump between states at random: on-off sources and Markov-modulated ones.

use crate::dist::{Check, Dist, ParameterError};
use crate::rng::Stream;
use std::sync::Arc;

/// How long the phases of an on-off source last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phases {
    /// Exponentially distributed.
    Exponential,
    /// Always their mean.
    Constant,
}

/// States with their rates, in arrivals a nanosecond, and how long each lasts.
#[derive(Clone, Debug)]
pub(super) struct Modulation {
    states: Vec<State>,
    phases: Phases,
}

#[derive(Clone, Debug)]
struct State {
    rate: f64,
    stay: Dist,
}

/// Shorter stays than this would make a walk through the states endless.
const SHORTEST_STAY: u64 = 1_000;

impl Modulation {
    pub(super) fn new(check: Check, states: &[(f64, u64)], phases: Phases) -> Result<Self, ParameterError> {
        check.that(states.len() >= 2, "number of states", states.len(), "at least 2")?;
        let state = |&(rate, stay): &(f64, u64)| {
            check.that(stay >= SHORTEST_STAY, "mean stay", stay, format!("at least {SHORTEST_STAY} ns"))?;
            let stay = match phases {
                Phases::Exponential => Dist::exponential(stay as f64)?,
                Phases::Constant => Dist::constant(stay as f64)?,
            };
            Ok(State { rate, stay })
        };
        Ok(Self { states: states.iter().map(state).collect::<Result<_, _>>()?, phases })
    }

    /// The mean rate over all time: every state is entered equally often.
    pub(super) fn mean(&self) -> f64 {
        let arrivals: f64 = self.states.iter().map(|state| state.rate * state.stay.mean()).sum();
        arrivals / self.length()
    }

    /// Mean length of one stay in each state.
    fn length(&self) -> f64 {
        self.states.iter().map(|state| state.stay.mean()).sum()
    }

    /// The state at time 0. An exponential stay has no memory, so with states as likely as their share of time
    /// the walk is as if it had run forever.
    fn first(&self, stream: &mut Stream) -> usize {
        if self.phases == Phases::Constant {
            return 0;
        }
        let mut left = stream.uniform() * self.length();
        let longer = |state: &State| {
            left -= state.stay.mean();
            left < 0.0
        };
        self.states.iter().position(longer).unwrap_or(0)
    }

    /// Any state but this one.
    fn after(&self, state: usize, stream: &mut Stream) -> usize {
        let others = self.states.len() - 1;
        let step = if others == 1 { 0 } else { stream.below(others as u64) as usize };
        (state + 1 + step) % self.states.len()
    }
}

/// A walk through the states.
#[derive(Clone, Debug)]
pub(in crate::workload) struct Walk {
    modulation: Arc<Modulation>,
    stream: Stream,
    state: usize,
    rate: f64,
    /// The stay in this state, and the expected arrivals before it.
    start: f64,
    end: f64,
    before: f64,
}

impl Walk {
    pub(super) fn new(modulation: Arc<Modulation>, mut stream: Stream) -> Self {
        let state = modulation.first(&mut stream);
        let mut walk = Self { modulation, stream, state, rate: 0.0, start: 0.0, end: 0.0, before: 0.0 };
        walk.enter(state);
        walk
    }

    pub(super) fn time(&mut self, expected: f64, until: f64) -> f64 {
        while self.rate == 0.0 || self.before + self.rate * (self.end - self.start) <= expected {
            if self.end >= until {
                return f64::INFINITY;
            }
            self.advance();
        }
        self.start + (expected - self.before).max(0.0) / self.rate
    }

    pub(super) fn expected(&mut self, now: f64) -> f64 {
        while self.end < now {
            self.advance();
        }
        self.before + self.rate * (now - self.start)
    }

    fn advance(&mut self) {
        self.before += self.rate * (self.end - self.start);
        let next = self.modulation.after(self.state, &mut self.stream);
        self.enter(next);
    }

    fn enter(&mut self, state: usize) {
        let State { rate, stay } = &self.modulation.states[state];
        (self.state, self.rate, self.start) = (state, *rate, self.end);
        // Far from 0 a short stay can vanish in rounding; time must go on.
        self.end = (self.start + stay.draw(&mut self.stream)).max(self.start.next_up());
    }
}
