//! What a file of task definitions holds for us.

use wci_core::Millis;
use wci_core::cluster::TaskId;
use wci_core::cluster::eligibility::AutoScaling;
use wci_core::cluster::scan::ScanConfig;
use wci_core::cluster::wanted::WorkersPerNode;

/// The tasks of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    /// Those whose work is distributed to workers, in the order of the file.
    pub tasks: Vec<DistributedTask>,
    /// The one that keeps the workers in step, if there is one.
    pub scan: Option<ScanTask>,
}

/// A task whose work is distributed.
#[derive(Clone, Debug, PartialEq)]
pub struct DistributedTask {
    /// Its identifier: the one in the file, else its name.
    pub oid: TaskId,
    /// Its name.
    pub name: String,
    /// Identifiers of its archetypes.
    pub archetypes: Vec<String>,
    /// Whether it may be touched.
    pub auto_scaling: AutoScaling,
    /// The name of its activity, as workers' names carry it.
    pub activity: String,
    /// Where its workers run, and how many.
    pub workers: Vec<WorkersPerNode>,
}

/// A task that looks after the workers of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanTask {
    /// Its name.
    pub name: String,
    /// How often it runs.
    pub interval: Millis,
    /// What it does.
    pub config: ScanConfig,
}

impl ScanTask {
    /// The interval of the documentation's example.
    pub const DEFAULT_INTERVAL: Millis = Millis::from_secs(60);
}

impl Default for ScanTask {
    fn default() -> Self {
        Self {
            name: "Auto-scaling".to_owned(),
            interval: Self::DEFAULT_INTERVAL,
            config: ScanConfig::default(),
        }
    }
}
