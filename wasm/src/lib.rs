//! The simulator for the browser: the library of `wci` behind one class, [`Simulator`].
//!
//! There is no rule and no default in here. A scenario is the same TOML as on the command line, read by the same
//! code; what a page offers as a control is described by the scenario's own schema; decisions are explained in the
//! words of `wci explain`. What this crate adds is how a page needs to see it: time in slices, points for charts,
//! what is true right now, and what hands did.
//!
//! [`Player`] is all of it without a browser, so that it is tested like everything else; [`Simulator`] only turns
//! its answers into what JavaScript takes: texts of JSON and arrays of numbers.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

mod controls;
#[cfg(feature = "files")]
mod incident;
#[cfg(feature = "files")]
mod journal;
mod log;
mod player;
mod recorder;
mod simulator;
mod traces;
mod view;

pub use controls::Control;
#[cfg(feature = "files")]
pub use incident::Incident;
pub use player::{Player, PlayerError, Slice};
pub use recorder::COLUMNS;
pub use simulator::Simulator;
