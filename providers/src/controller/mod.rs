//! The live controller: a Temporal workflow for each worker controller instance.
//!
//! The workflow is a dumb host. It queues what happens, hands it to one local activity, which asks
//! `wci_core::Controller`, and carries out what the recorded answer says. Replay reads the record and never runs the
//! core, so a rule may change in any release without breaking a running controller.

mod actions;
mod activities;
mod alarm;
pub mod client;
mod confirmed;
pub mod connect;
pub mod contract;
mod decide;
mod deployments;
pub mod dynamic_config;
mod failure;
pub(crate) mod fast_poll;
mod figures;
mod gone;
mod host;
pub mod journal;
mod messages;
mod pace;
mod recovery;
mod rivals;
mod run;
mod statistics;
mod stuck;
#[cfg(test)]
mod tests;
mod workflow;

pub use client::Client;
pub(crate) use deployments::{builds_of, deployments};
pub use failure::data_converter;
pub use host::LiveHost;
pub(crate) use host::now;
pub(crate) use pace::Pace;
pub use run::{RunOptions, run};
pub(crate) use statistics::{VersionQueue, pollers_of, read_queues, sum};
