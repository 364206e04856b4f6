//! The workers of distributed tasks on a Kubernetes cluster: one Pod a worker, kept in step with the nodes that are
//! ready.
//!
//! The decisions are the core's ([`wci_core::cluster`]), the same that `wci cluster run` simulates. This host gives it
//! what it sees (nodes by a watch; jobs, records and Pods read at each scan) and carries out what it says. Every change
//! first goes into the job's record, a ConfigMap that is only replaced as it was read; Pods then follow the record. So a
//! controller that dies at any point leaves nothing that the next scan would not put right, and two controllers can
//! get in each other's way but not do a thing twice.

mod job;
mod metrics;
mod nodes;
mod pods;
mod reconciler;
mod record;
mod report;
mod store;

pub use job::{Job, labels};
pub use metrics::Metrics;
pub use nodes::{Follower, Seen};
pub use reconciler::{Options, Reconciler};
pub use report::{Done, Report};
