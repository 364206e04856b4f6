//! The spec of a worker controller instance: what the user asked for, valid by construction.

use crate::metrics::TaskQueueType;

/// A task queue type in the wire's form: an integer goes out, names and integers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireTaskType(pub TaskQueueType);
