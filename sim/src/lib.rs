//! The simulator: replay a workload against a spec, with the very code that scales in production.

pub mod dist;
pub mod model;
pub mod report;
pub mod results;
pub mod rng;
pub mod trace;
pub mod workload;
