//! The scaling core: what to start, when, and why, as plain data in and plain data out.
//!
//! [`controller::Controller`] is the state machine of one worker controller instance (WCI). A host hands it
//! [`controller::Input`]s together with the time at which they happened and carries out the
//! [`decision::Action`]s it answers with; each answer also says when the controller wants to be woken. The core
//! has no clock, no randomness, no IO and no `async`, so the simulator, the browser and the live controller run
//! exactly the same decisions, and a recorded [`journal`] replays them bit for bit.
//!
//! The layers, from the bottom: [`time`] and [`config`] give units and validity; [`metrics`] and [`signals`] are
//! what a controller can see; [`spec`] says what the user asked for; [`algorithm`] holds one scaling rule a file;
//! [`controller`] joins them. [`cluster`] is the second system: distributed tasks whose workers follow the nodes.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

pub mod algorithm;
pub mod cluster;
pub mod config;
pub mod controller;
pub mod decide;
mod decimal;
pub mod decision;
mod explain;
mod gather;
pub mod journal;
pub mod metrics;
pub mod signals;
pub mod spec;
pub mod time;

pub use controller::{Controller, Input, Settings, State, Step};
pub use decimal::parse_number;
pub use decision::{Action, Decision};
pub use gather::{gather, sorted_by};
pub use spec::Spec;
pub use time::{Millis, Timestamp};
