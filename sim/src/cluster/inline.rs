//! A scenario that stands alone: what its definitions say, in its own words.

use super::scenario::ClusterScenario;
use super::{DistributedTask, ScanTask};
use crate::model::MILLI;
use crate::scenario::Span;
use serde::Serialize;
use toml::{Table, Value};
use wci_core::Millis;
use wci_core::cluster::eligibility::{Selection, Selector};

impl ClusterScenario {
    /// The table that this scenario was read from, with tasks and scan in it instead of the name of a file.
    #[must_use]
    pub fn inlined(&self, mut table: Table) -> Table {
        if table.remove("definitions").is_none() {
            return table;
        }
        let read = self.definitions.tasks.len() - self.source.own_tasks;
        let mut tasks: Vec<Value> = self
            .definitions
            .tasks
            .iter()
            .take(read)
            .map(|definition| Value::Table(task(definition)))
            .collect();
        if let Some(Value::Array(own)) = table.remove("task") {
            tasks.extend(own);
        }
        table.insert("task".to_owned(), Value::Array(tasks));
        table.remove("scan");
        if let Some(task) = self.scan_task() {
            // One that fits no task here selects nothing, and a scenario may not name it.
            let is_known = |selector: &&Selector| self.fits_a_task(selector);
            table.insert("scan".to_owned(), Value::Table(scan(task, is_known)));
        }
        table
    }
}

fn task(definition: &DistributedTask) -> Table {
    let DistributedTask { oid, name, archetypes, auto_scaling, activity, workers, execution } = definition;
    let mut table = Table::new();
    put(&mut table, "name", name);
    put(&mut table, "oid", oid);
    put(&mut table, "archetypes", archetypes);
    put(&mut table, "auto_scaling", auto_scaling);
    put(&mut table, "activity", activity);
    put(&mut table, "workers_per_node", workers);
    put(&mut table, "execution_state", execution);
    table
}

fn scan(task: &ScanTask, is_known: impl FnMut(&&Selector) -> bool) -> Table {
    let (config, latch) = (&task.config, &task.config.latch);
    let span = |millis: Millis| Span(millis.get().unsigned_abs().saturating_mul(MILLI)).to_string();
    let mut table = Table::new();
    put(&mut table, "interval", &span(task.interval));
    for (key, interval) in [("min_interval", latch.min_interval), ("max_interval", latch.max_interval)] {
        if let Some(interval) = interval {
            put(&mut table, key, &span(interval));
        }
    }
    put(&mut table, "skip_initial", &latch.skip_initial);
    put(&mut table, "retry_failed", &config.retry_failed);
    put(&mut table, "close_done", &config.close_done);
    put(&mut table, "follow_definitions", &config.follow_definitions);
    if let Selection::AnyOf(selectors) = &config.tasks {
        let selector = |selector: &Selector| {
            let (key, name) = match selector {
                Selector::Oid(oid) => ("oid", oid),
                Selector::Name(name) => ("name", name),
                Selector::Archetype(archetype) => ("archetype", archetype),
            };
            Table::from_iter([(key.to_owned(), Value::String(name.clone()))])
        };
        put(&mut table, "tasks", &selectors.iter().filter(is_known).map(selector).collect::<Vec<_>>());
    }
    table
}

fn put(table: &mut Table, key: &str, value: &impl Serialize) {
    // Texts, numbers and what is made of them cannot fail to be written.
    if let Ok(value) = Value::try_from(value) {
        table.insert(key.to_owned(), value);
    }
}
