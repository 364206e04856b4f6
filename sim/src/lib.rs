//! The simulator: replay a workload against a spec, with the very code that scales in production.

#![cfg_attr(not(test), deny(clippy::dbg_macro, clippy::todo, clippy::unwrap_used))]

#[cfg(feature = "cli")]
pub mod cli;
pub mod cluster;
pub mod digest;
pub mod dist;
pub mod driver;
pub mod event_queue;
pub mod histogram;
pub mod ledger;
pub mod model;
pub mod pool;
pub mod report;
#[cfg(feature = "research")]
pub mod research;
pub mod results;
pub mod rng;
pub mod scenario;
pub mod slab;
pub mod summary;
pub mod task_queue;
pub mod timeline;
pub mod trace;
pub mod warm_up;
pub mod worker;
pub mod workload;
pub mod world;
