//! The result in one sentence, and what its numbers suggest to try next.

use super::Report;
use super::units::{count, dollars, duration_ms, duration_s, percent, plural};
use crate::results::{Figures, Quantiles};
use wci_core::controller::FailureClass;
use wci_core::decision::Limit;

/// Whether the run went well, in a sentence and its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Overloaded, or an expectation failed.
    pub is_bad: bool,
    /// The sentence.
    pub headline: String,
    /// The numbers.
    pub detail: String,
}

/// The verdict on a run.
#[must_use]
pub fn verdict(report: &Report<'_>) -> Verdict {
    let total = &report.result.summary.total;
    let failed = report.expectations.iter().filter(|expectation| !expectation.passed).count();
    let load = load(total);
    let expectations = match (failed, report.expectations.len()) {
        (_, 0) => String::new(),
        (0, 1) => "; the expectation holds".into(),
        (0, n) => format!("; all {n} expectations hold"),
        (_, 1) => "; the expectation failed".into(),
        (failed, n) => format!("; {failed} of {n} expectations failed"),
    };
    Verdict {
        is_bad: total.overloaded || failed > 0,
        headline: format!("{load}{expectations}."),
        detail: detail(total),
    }
}

fn load(total: &Figures) -> String {
    let tasks = &total.tasks;
    let open = tasks.waiting + tasks.retrying;
    let lost = tasks.failed + tasks.rejected;
    if tasks.arrived == 0 {
        "No task arrived".into()
    } else if total.overloaded {
        "Overloaded: tasks came faster than the workers could take them".into()
    } else if open > 0 {
        format!("The run ended with {} still waiting", plural(open, "task", "tasks"))
    } else if lost > 0 {
        format!("Kept up with the load, but {} failed", plural(lost, "task", "tasks"))
    } else {
        match total.schedule_to_start.p95 {
            Some(wait) if wait >= LONG_WAIT_MS => {
                format!(
                    "Caught up with the load, but 5 % of the tasks waited {} or longer",
                    duration_ms(wait)
                )
            }
            _ => "Kept up with the load".into(),
        }
    }
}

/// Who waited longer would not say that the workers kept up.
const LONG_WAIT_MS: f64 = 60_000.0;

fn detail(total: &Figures) -> String {
    let tasks = &total.tasks;
    if tasks.arrived == 0 {
        return "There is nothing to measure.".into();
    }
    let waits = &total.schedule_to_start;
    format!(
        "{} of {} completed. Half waited {}, 95 % {}, the longest {}. It cost {}.",
        count(tasks.completed),
        plural(tasks.arrived, "task", "tasks"),
        less_than(waits, waits.p50, "p50"),
        less_than(waits, waits.p95, "p95"),
        longest(waits),
        dollars(total.cost_usd.total),
    )
}

fn less_than(waits: &Quantiles, value: Option<f64>, name: &str) -> String {
    let text = quantile(waits, value, name);
    match value {
        Some(0.0) if !is_censored(waits, name) => "not at all".into(),
        Some(_) if !is_censored(waits, name) => format!("less than {text}"),
        None if !is_censored(waits, name) => "an unknown time".into(),
        Some(_) => text,
        None => BEYOND.into(),
    }
}

/// A task that never started has waited longer than anybody has seen.
const BEYOND: &str = "until after the run's end";

fn longest(waits: &Quantiles) -> String {
    match waits.max {
        None if is_censored(waits, "max") => BEYOND.into(),
        max => quantile(waits, max, "max"),
    }
}

/// A quantile for people: `>= x` where it is only a lower bound, `never` where it is infinite.
#[must_use]
pub fn quantile(of: &Quantiles, value: Option<f64>, name: &str) -> String {
    match (value, is_censored(of, name)) {
        (Some(ms), false) => duration_ms(ms),
        (Some(ms), true) => format!(">= {}", duration_ms(ms)),
        (None, true) => "never".into(),
        (None, false) => "-".into(),
    }
}

fn is_censored(of: &Quantiles, name: &str) -> bool {
    of.censored.iter().any(|censored| censored == name)
}

/// What the numbers suggest, the most pressing first; each says what it saw.
#[must_use]
pub fn suggestions(report: &Report<'_>) -> Vec<String> {
    let total = &report.result.summary.total;
    let all = [
        overload(report),
        refused(report),
        unavailable(report),
        idle(total),
        cold(total),
        lost(total),
        throttled(total),
    ];
    all.into_iter().flatten().collect()
}

fn overload(report: &Report<'_>) -> Option<String> {
    if !report.result.summary.total.overloaded {
        return None;
    }
    let cut = times_cut(report, Limit::MaxCount);
    Some(if cut > 0 {
        format!("`max_count` cut the wish {}: raise it, or the backlog will keep growing.", times(cut))
    } else {
        "Add capacity: more slots for each worker, or an algorithm that adds workers faster.".into()
    })
}

fn times_cut(report: &Report<'_>, limit: Limit) -> u64 {
    let kinds = report.result.decisions.counts.iter();
    kinds.filter(|kind| kind.first.decision.reason.limit == Some(limit)).map(|kind| kind.count).sum()
}

fn times(n: u64) -> String {
    if n == 1 { "once".into() } else { format!("{} times", count(n)) }
}

/// Calls that met the provider's limit: only then is `concurrency` what is in the way.
fn refused(report: &Report<'_>) -> Option<String> {
    let refused = *report.result.decisions.failures.get(&FailureClass::Throttled)?;
    Some(format!(
        "The provider refused {} because its `concurrency` was reached: raise it, or start fewer workers at once.",
        plural(refused, "call", "calls")
    ))
}

fn unavailable(report: &Report<'_>) -> Option<String> {
    let failures = report.result.decisions.failures.iter();
    let others = failures.filter(|(class, _)| **class != FailureClass::Throttled);
    let failed: u64 = others.map(|(_, n)| n).sum();
    let calls = plural(failed, "call", "calls");
    (failed > 0).then(|| format!("{calls} to the provider failed: until one succeeds no worker is started."))
}

fn idle(total: &Figures) -> Option<String> {
    let workers = &total.workers;
    let share = workers.never_used as f64 / workers.started.max(1) as f64;
    (workers.never_used >= 10 && share >= 0.1).then(|| {
        format!(
            "{} of {} workers never ran a task ({}): fewer starts at once would cost less.",
            count(workers.never_used),
            count(workers.started),
            percent(share)
        )
    })
}

/// Where tasks queue up behind each other, as in a bulk load or under a dispatch-rate limit, a cold start is not
/// what they wait for, and workers kept ready would idle until then.
fn cold(total: &Figures) -> Option<String> {
    const MOST_WAITING_A_WORKER: u64 = 10;
    let is_queue = total.backlog.max > MOST_WAITING_A_WORKER * total.workers.max.max(1);
    let share = total.workers.cold_start_ratio.filter(|share| *share >= 0.2 && !is_queue)?;
    Some(format!("{} of the tasks waited for a worker to start: keep some workers ready.", percent(share)))
}

fn lost(total: &Figures) -> Option<String> {
    let lost = total.workers.lost_slot_seconds;
    (lost > 0.0).then(|| {
        format!("Work of {} was lost when workers ended: give them a longer time to drain.", duration_s(lost))
    })
}

fn throttled(total: &Figures) -> Option<String> {
    let (throttled, arrived) = (total.actions.throttled, total.tasks.arrived.max(1));
    let share = throttled as f64 / arrived as f64;
    (share >= 0.2).then(|| {
        format!(
            "The cooldown held back scale-ups for {} adds: a shorter one reacts faster.",
            count(throttled)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{empty_run, report, run};

    #[test]
    fn says_how_it_went_with_numbers() {
        let result = run();
        let verdict = verdict(&report(&result));
        assert!(verdict.is_bad);
        assert_eq!(verdict.headline, "Kept up with the load; 1 of 2 expectations failed.");
        assert_eq!(
            verdict.detail,
            "1,437,800 of 1,437,800 tasks completed. Half waited less than 12 ms, 95 % less than 1.36 s, the longest \
             1.37 min. It cost $5.24."
        );
    }

    #[test]
    fn never_takes_a_lower_bound_for_a_value() {
        let waits = Quantiles {
            p95: Some(5000.0),
            censored: vec!["p95".into(), "p99".into()],
            ..Quantiles::default()
        };
        assert_eq!(quantile(&waits, waits.p95, "p95"), ">= 5 s");
        assert_eq!(quantile(&waits, waits.p99, "p99"), "never");
        assert_eq!(quantile(&waits, waits.p50, "p50"), "-");
        assert_eq!(less_than(&waits, waits.p95, "p95"), ">= 5 s");
    }

    #[test]
    fn catching_up_late_is_not_keeping_up() {
        let mut result = run();
        result.summary.total.schedule_to_start.p95 = Some(540_000.0);
        let mut report = report(&result);
        report.expectations.clear();
        let headline = verdict(&report).headline;
        assert_eq!(headline, "Caught up with the load, but 5 % of the tasks waited 9 min or longer.");
    }

    #[test]
    fn tasks_that_wait_at_the_end_were_not_kept_up_with() {
        let mut result = run();
        result.summary.total.tasks.waiting = 278;
        let mut report = report(&result);
        report.expectations.clear();
        assert_eq!(verdict(&report).headline, "The run ended with 278 tasks still waiting.");
    }

    #[test]
    fn a_wait_without_end_is_no_eternity() {
        let mut total = run().summary.total;
        let waits = &mut total.schedule_to_start;
        (waits.p95, waits.max) = (None, None);
        waits.censored = vec!["p95".into(), "max".into()];
        let detail = detail(&total);
        assert!(detail.contains("95 % until after the run's end, the longest until after"), "{detail}");
    }

    #[test]
    fn advises_ready_workers_only_where_a_cold_start_is_what_tasks_wait_for() {
        let mut total = run().summary.total;
        total.workers.cold_start_ratio = Some(1.0);
        total.workers.max = 14;
        total.backlog.max = 20_000;
        assert_eq!(cold(&total), None, "a bulk load waits for its turn");
        total.backlog.max = 20;
        assert!(cold(&total).is_some_and(|advice| advice.contains("keep some workers ready")));
    }

    #[test]
    fn names_the_concurrency_only_where_calls_met_it() {
        let mut result = run();
        let advice = |result: &crate::results::RunResult| suggestions(&report(result)).join("\n");
        result.decisions.failures = [(FailureClass::Unavailable, 3)].into();
        let text = advice(&result);
        assert!(text.contains("3 calls to the provider failed") && !text.contains("concurrency"), "{text}");
        result.decisions.failures = [(FailureClass::Throttled, 2)].into();
        assert!(advice(&result).contains("refused 2 calls because its `concurrency` was reached"));
    }

    #[test]
    fn an_overload_names_the_limit_that_caused_it() {
        let mut result = run();
        result.summary.total.overloaded = true;
        for kind in &mut result.decisions.counts {
            kind.first.decision.reason.limit = Some(Limit::MaxCount);
        }
        let report = report(&result);
        assert!(verdict(&report).headline.starts_with("Overloaded"));
        assert!(suggestions(&report)[0].starts_with("`max_count` cut the wish"));
    }

    #[test]
    fn an_empty_run_has_a_verdict_and_no_suggestion() {
        let result = empty_run();
        let mut report = report(&result);
        report.expectations.clear();
        assert_eq!(verdict(&report).headline, "No task arrived.");
        assert_eq!(suggestions(&report), [""; 0]);
    }
}
