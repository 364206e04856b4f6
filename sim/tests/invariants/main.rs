//! What holds in every run, checked on whole systems drawn from seeds: several groups, task types, partitions,
//! routings, retries, crashes, faults, workflow shapes, limits, changes by hand. One invariant a file.
//!
//! A failure prints the command that runs its seed alone. `WCI_FUZZ=1000..2000` runs other seeds.

mod any;
mod any_fleet;
mod any_workload;
mod books;
mod chunks;
mod harness;
mod journal;
mod limits;
mod luck;
mod no_task_lost;
mod seeds;
