//! Compute providers and the live controller: the only crate that talks to the world.
//!
//! [`provider::ComputeProvider`] is what starts workers or sets the size of a set of workers. A provider makes no
//! decision: `wci_core::Controller` does, and the [`controller`] carries its decisions out on Temporal. What goes
//! wrong is told as a [`error::ProviderError`] whose class says whether trying again can help; secrets appear in no
//! error, log, metric or journal.
//!
//! The contract of a provider, held by one conformance suite for all:
//!
//! - `validate` changes nothing, reads no cached credentials, and fails with the class that a call would fail with;
//! - `invoke_worker` starts one worker more and returns when the platform has accepted it, not when it runs;
//! - `set_worker_set_size` may be repeated: the second call with the same size changes nothing;
//! - the operation that does not fit the launch strategy is `Rejected`;
//! - every call ends within its time limit, also when the other side never answers.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

#[cfg(feature = "aws")]
pub mod aws;
#[cfg_attr(not(any(feature = "aws", feature = "gcp")), expect(dead_code, reason = "clouds use it"))]
mod chain;
pub mod cli;
#[cfg(feature = "kubernetes")]
pub mod cluster;
pub mod config;
pub mod controller;
pub mod error;
mod external;
#[cfg(feature = "gcp")]
pub mod gcp;
pub mod guard;
pub mod host;
#[cfg(feature = "kubernetes")]
mod kubernetes;
pub mod provider;
pub mod recording;
pub mod registry;
pub mod secrets;
pub mod serve;
mod subprocess;
mod web;
mod webhook;

pub use controller::Client;
pub use error::ProviderError;
pub use external::Published;
pub use host::Host;
pub use provider::ComputeProvider;
pub use registry::Registry;
pub use web::install_crypto;
