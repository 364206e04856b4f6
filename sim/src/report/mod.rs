//! What a run says, for people and for programs: tables, charts, one HTML page, CSV and JSON.
//!
//! Everything here is a pure function from a finished [`RunResult`] to text or bytes; only `files` writes. What
//! needs no pictures is compiled everywhere, so that a browser page offers the same downloads and the same words.

#[cfg(feature = "cli")]
pub mod chart;
pub mod explain;
pub mod facts;
pub mod faults;
pub mod figures;
#[cfg(feature = "cli")]
pub mod files;
#[cfg(feature = "cli")]
pub mod html;
pub mod json;
pub mod log;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(feature = "cli")]
pub mod study;
#[cfg(feature = "cli")]
pub mod table;
pub mod timeseries;
pub mod units;
pub mod verdict;
pub mod why;

use crate::results::RunResult;
use faults::FaultWindow;
use wci_core::Timestamp;

/// A finished run with what a reader needs beside its numbers.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The run.
    pub result: &'a RunResult,
    /// The scenario's title.
    pub title: &'a str,
    /// The date at which simulated time 0 lies.
    pub start: Timestamp,
    /// Arrivals stop here, seconds since the start.
    pub horizon_s: f64,
    /// What goes wrong on the timeline.
    pub faults: Vec<FaultWindow>,
    /// What the model assumed, in words.
    pub facts: Vec<Fact>,
    /// The scenario file as it was run.
    pub scenario_toml: &'a str,
    /// The command that gives this result again.
    pub command: &'a str,
    /// What the scenario expected, and what came.
    pub expectations: Vec<Expectation>,
}

/// One line about the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What it says.
    pub value: String,
}

impl Fact {
    /// A fact from its two texts.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// One line of the scenario's `[expect]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The path in the summary.
    pub path: String,
    /// The condition as written.
    pub condition: String,
    /// What came, in words.
    pub actual: String,
    /// Whether it holds.
    pub passed: bool,
}
