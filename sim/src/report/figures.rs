//! The figures of a run or a group as lines of text, in the order in which people ask.

use super::units::{count, dollars, duration_ms, duration_s, number, percent};
use super::verdict::quantile;
use crate::results::{Figures, Quantiles};

/// One line. A value that is absent or zero where it mostly is has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the line belongs to.
    pub section: &'static str,
    /// What it counts.
    pub label: &'static str,
    /// The value with its unit.
    pub value: Option<String>,
}

/// Every line; the same lines in the same order for all figures.
#[must_use]
pub fn rows(figures: &Figures) -> Vec<Row> {
    let mut all = Vec::new();
    let mut push = |section, label, value| all.push(Row { section, label, value });
    let waits = "Wait from add to start";
    for (label, value) in quantiles(&figures.schedule_to_start) {
        push(waits, label, Some(value));
    }
    for (label, value) in quantiles(&figures.sojourn).into_iter().filter(|(label, _)| *label != "p90") {
        push("From add to done", label, Some(value));
    }
    for (label, value) in task_rows(figures) {
        push("Tasks", label, value);
    }
    for (label, value) in worker_rows(figures) {
        push("Workers", label, value);
    }
    for (label, value) in action_rows(figures) {
        push("Actions", label, value);
    }
    for (label, value) in cost_rows(figures) {
        push("Cost", label, value);
    }
    all
}

fn quantiles(of: &Quantiles) -> [(&'static str, String); 6] {
    [
        ("mean", quantile(of, of.mean, "mean")),
        ("median (p50)", quantile(of, of.p50, "p50")),
        ("p90", quantile(of, of.p90, "p90")),
        ("p95", quantile(of, of.p95, "p95")),
        ("p99", quantile(of, of.p99, "p99")),
        ("longest", quantile(of, of.max, "max")),
    ]
}

type Line = (&'static str, Option<String>);

fn some_count(n: u64) -> Option<String> {
    (n > 0).then(|| count(n))
}

fn task_rows(figures: &Figures) -> [Line; 12] {
    let tasks = &figures.tasks;
    [
        ("arrived", Some(count(tasks.arrived))),
        ("measured", (tasks.measured != tasks.arrived).then(|| count(tasks.measured))),
        ("completed", Some(count(tasks.completed))),
        ("waiting at the end", some_count(tasks.waiting)),
        ("running at the end", some_count(tasks.running)),
        ("retrying at the end", some_count(tasks.retrying)),
        ("failed", some_count(tasks.failed)),
        ("rejected", some_count(tasks.rejected)),
        ("matched at once", figures.sync_match_ratio.map(percent)),
        ("waiting (mean)", Some(number(figures.backlog.mean))),
        ("most waiting", Some(count(figures.backlog.max))),
        ("longest in the queue", Some(duration_ms(figures.backlog.max_age))),
    ]
}

fn worker_rows(figures: &Figures) -> [Line; 7] {
    let workers = &figures.workers;
    [
        ("mean", Some(number(workers.mean))),
        ("most at once", Some(count(workers.max))),
        ("started", Some(count(workers.started))),
        ("never ran a task", some_count(workers.never_used)),
        ("slot time with a task", workers.utilization.map(percent)),
        ("tasks with a cold start", workers.cold_start_ratio.map(percent)),
        ("lost work", (workers.lost_slot_seconds > 0.0).then(|| duration_s(workers.lost_slot_seconds))),
    ]
}

fn action_rows(figures: &Figures) -> [Line; 4] {
    let actions = &figures.actions;
    [
        ("workers invoked", some_count(actions.invoke_worker)),
        ("sizes set", some_count(actions.set_worker_set_size)),
        ("calls that failed", some_count(actions.failed)),
        ("adds throttled", some_count(actions.throttled)),
    ]
}

fn cost_rows(figures: &Figures) -> [Line; 2] {
    let total = figures.cost_usd.total;
    let completed = figures.tasks.completed;
    let per_million = (completed > 0).then(|| dollars(total / completed as f64 * 1e6));
    [("total", Some(dollars(total))), ("a million tasks", per_million)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::run;

    #[test]
    fn all_figures_have_the_same_lines() {
        let labels =
            |figures: &Figures| rows(figures).iter().map(|row| (row.section, row.label)).collect::<Vec<_>>();
        assert_eq!(labels(&run().summary.total), labels(&Figures::default()));
    }

    #[test]
    fn a_ratio_without_tasks_has_no_value() {
        let rows = rows(&Figures::default());
        let value =
            |label: &str| rows.iter().find(|row| row.label == label).and_then(|row| row.value.clone());
        assert_eq!(value("matched at once"), None);
        assert_eq!(value("arrived").as_deref(), Some("0"));
        assert_eq!(value("p95").as_deref(), Some("-"));
    }
}
