//! Reasons in words, for people who ask why.

mod sizes;

use crate::decision::{Limit, Reason, Rule};
use crate::metrics::TaskQueueType;

/// Ten years in milliseconds: a time that was never set counts from 1970.
const NEVER: f64 = 3650.0 * 86_400_000.0;

impl Reason {
    /// One or two plain sentences with the numbers: what the algorithm saw, what it did, what held it back.
    #[must_use]
    pub fn explain(&self, algorithm: &str) -> String {
        let fact = self.fact();
        let outcome = self.outcome();
        if outcome.is_empty() {
            format!("Why: {algorithm} {fact}.")
        } else {
            format!("Why: {algorithm} {fact}. {outcome}.")
        }
    }

    /// What the algorithm saw.
    fn fact(&self) -> String {
        let n = |name| self.number(name);
        match self.rule {
            Rule::NoSyncMatch => match self.input("no_sync_match_count").unwrap_or(1.0) {
                count if count > 1.0 => format!("saw {} tasks that found no waiting worker", plain(count)),
                _ => "saw a task that found no waiting worker".to_owned(),
            },
            Rule::BacklogAboveThreshold => {
                format!("saw a backlog of {}, above the threshold of {}", self.backlogs(), n("threshold"))
            }
            Rule::LifetimeRefresh if self.input("elapsed_ms").is_none_or(|ms| ms >= NEVER) => {
                format!("saw a backlog of {} and has never started a worker", self.backlogs())
            }
            Rule::LifetimeRefresh => format!(
                "saw a backlog of {} {} after it last started a worker, whose lifetime is {}",
                self.backlogs(),
                self.time("elapsed_ms"),
                self.time("lifetime_ms")
            ),
            Rule::NoChange => self.no_change(),
            Rule::OfferedLoadAbove | Rule::OfferedLoadBelow => self.offered_load(),
            Rule::CapacityMeasured => format!(
                "saw {} workers dispatch {} tasks/s and now counts on {} tasks/s a worker (before: {})",
                n("current_workers"),
                n("dispatch_rate"),
                n("capacity"),
                n("previous_capacity")
            ),
            Rule::NoFreeSlot => format!("saw {} tasks wait, so no slot is free", n("backlog_count")),
            Rule::BacklogEmpty => format!(
                "saw no task wait for {} (enough: {})",
                self.time("empty_ms"),
                self.time("empty_backlog_ms")
            ),
            Rule::ControlAbove | Rule::ControlBelow => self.control(),
            Rule::BelowPeakRate => format!(
                "saw {} tasks/s dispatched; one worker fewer has carried {} tasks/s",
                n("dispatch_rate"),
                n("peak_rate")
            ),
            Rule::FixedCount => format!("keeps {} workers", self.recommended_workers.unwrap_or_default()),
            Rule::CapacityUnknown => {
                format!("saw no task dispatched, so it still counts on {} tasks/s a worker", n("capacity"))
            }
            Rule::BelowMinimum => {
                format!(
                    "counts {} workers, fewer than the minimum of {}",
                    n("current_workers"),
                    n("min_count")
                )
            }
            Rule::SizeIssuedAgain => "saw that the call failed that should have set the size".to_owned(),
            other => self.size_fact().unwrap_or_else(|| self.plain_fact(other)),
        }
    }

    /// What left everything as it is: each algorithm goes by other numbers.
    fn no_change(&self) -> String {
        let has = |name| self.input(name).is_some();
        if let Some(fact) = self.size_fact() {
            fact
        } else if has("offered_load") {
            self.offered_load()
        } else if has("control_output") {
            self.control()
        } else if has("lifetime_ms") {
            self.no_new_worker()
        } else if has("empty_ms") {
            let (seen, wanted) = (self.time("empty_ms"), self.time("empty_backlog_ms"));
            format!("has seen no task wait for {seen}; {wanted} without any would remove a worker")
        } else if has("threshold_rate") {
            let (seen, least) = (self.number("dispatch_rate"), self.number("threshold_rate"));
            format!("saw {seen} tasks/s dispatched, and fewer than {least} tasks/s would remove a worker")
        } else if has("dispatch_rate") {
            let (rate, backlog) = (self.number("dispatch_rate"), self.number("backlog_count"));
            format!("saw {rate} tasks/s dispatched and a backlog of {backlog}")
        } else if self.inputs.iter().all(|(name, _)| name == "current_workers") {
            match self.limit {
                Some(Limit::Cooldown) => "was asked again before its interval was over".to_owned(),
                _ => "got no statistics that it could go by".to_owned(),
            }
        } else {
            self.plain_fact(Rule::NoChange)
        }
    }

    /// `no-sync` at a poll that starts no worker.
    fn no_new_worker(&self) -> String {
        let threshold = self.number("threshold");
        let backlogs = self.present_backlogs();
        if backlogs.is_empty() {
            return format!("saw no task wait (more than {threshold} would start a worker)");
        }
        let lifetime = self.input("lifetime_ms").filter(|ms| *ms > 0.0).map_or_else(String::new, |ms| {
            format!(
                "; it last started a worker {} ago, and replaces it after {}",
                self.time("elapsed_ms"),
                span(ms)
            )
        });
        format!("saw a backlog of {backlogs}, not above the threshold of {threshold}{lifetime}")
    }

    fn offered_load(&self) -> String {
        let n = |name| self.number(name);
        format!(
            "saw {} tasks/s arrive (average {}) and a backlog of {}; at {} tasks/s a worker that is work for {} \
             workers, and {} with the safety margin",
            n("arrival_rate"),
            n("ewma_arrival_rate"),
            n("backlog_count"),
            n("capacity"),
            n("offered_load"),
            self.recommended_workers.unwrap_or_default()
        )
    }

    fn control(&self) -> String {
        let n = |name| self.number(name);
        format!(
            "saw a backlog of {} where {} are meant to wait; its control loop asks for {} workers",
            n("backlog_count"),
            n("set_point"),
            n("control_output")
        )
    }

    /// The rule's own sentence with all the numbers.
    fn plain_fact(&self, rule: Rule) -> String {
        let sentence = rule.sentence().trim_end_matches('.');
        let numbers: Vec<_> = self.inputs.iter().map(|(name, value)| named(name, *value)).collect();
        if numbers.is_empty() {
            format!("says: {sentence}")
        } else {
            format!("says: {sentence} ({})", numbers.join(", "))
        }
    }

    /// What came of it.
    fn outcome(&self) -> String {
        let (Some(recommended), Some(desired)) = (self.recommended_workers, self.desired_workers) else {
            return String::new();
        };
        let because =
            self.limit.map(|limit| format!(", because {}", self.limit_clause(limit))).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "a number of workers")]
        let current = self.input("current_workers").map(|current| current as i64);
        match current {
            None if self.rule == Rule::SizeIssuedAgain => format!("It sets the size to {desired} again"),
            None if desired > 0 => format!("It starts {}", workers_more(desired)),
            None if recommended > 0 => format!("It does not start {}{because}", workers_more(recommended)),
            None => String::from("It starts no worker"),
            Some(current) if desired != current && recommended != desired => {
                format!("It goes from {current} to {desired} workers, not to {recommended}{because}")
            }
            Some(current) if desired != current => format!("It goes from {current} to {desired} workers"),
            Some(_) if recommended != desired => {
                format!("It stays at {desired} workers and does not go to {recommended}{because}")
            }
            Some(_) => format!("It stays at {desired} workers{because}"),
        }
    }

    fn limit_clause(&self, limit: Limit) -> String {
        match limit {
            Limit::Cooldown if self.input("cooldown_ms").is_some() => format!(
                "only {} of the cooldown of {} have passed",
                self.time("elapsed_ms"),
                self.time("cooldown_ms")
            ),
            Limit::MaxCount if self.input("max_count").is_some() => {
                format!("the maximum is {}", self.number("max_count"))
            }
            Limit::MinCount if self.input("min_count").is_some() => {
                format!("the minimum is {}", self.number("min_count"))
            }
            Limit::MaxStep if self.input("max_scale_up_step").is_some() => {
                format!("one step adds at most {}", self.number("max_scale_up_step"))
            }
            Limit::NoSyncQuiet if self.input("since_no_sync_ms").is_some() => format!(
                "a task found no waiting worker {} ago, and {} of quiet are needed",
                self.time("since_no_sync_ms"),
                self.time("no_sync_quiet_ms")
            ),
            Limit::DispatchRateEpsilon => {
                format!(
                    "the dispatch rate has moved by no more than {} since the last poll",
                    self.number("epsilon")
                )
            }
            other => lower_first(other.sentence().trim_end_matches('.')),
        }
    }

    /// The backlogs of the types that have one, else the backlog of all.
    fn backlogs(&self) -> String {
        let present = self.present_backlogs();
        if present.is_empty() { format!("{} tasks", self.number("backlog_count")) } else { present }
    }

    /// The backlogs of the types that have one.
    fn present_backlogs(&self) -> String {
        let of = |task_type: TaskQueueType| {
            let name = task_type.name();
            let count = self.input(&format!("{name}_backlog_count")).filter(|count| *count > 0.0)?;
            let tasks = if count == 1.0 { "task" } else { "tasks" };
            Some(format!("{} {name} {tasks}", plain(count)))
        };
        let all: Vec<_> = TaskQueueType::ALL.into_iter().filter_map(of).collect();
        all.join(" and ")
    }

    fn number(&self, name: &str) -> String {
        self.input(name).map_or_else(|| "an unknown number".to_owned(), plain)
    }

    fn time(&self, name: &str) -> String {
        self.input(name).map_or_else(|| "an unknown time".to_owned(), span)
    }
}

fn workers_more(count: i64) -> String {
    if count == 1 { "one more worker".to_owned() } else { format!("{count} more workers") }
}

/// A number with its name in words; the unit stands at the name's end.
fn named(name: &str, value: f64) -> String {
    match name.strip_suffix("_ms") {
        Some(base) => format!("{} {}", base.replace('_', " "), span(value)),
        None => format!("{} {}", name.replace('_', " "), plain(value)),
    }
}

/// At most two decimals.
fn plain(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn span(millis: f64) -> String {
    match millis {
        ms if ms >= 600_000.0 => format!("{} min", plain(ms / 60_000.0)),
        ms if ms >= 1000.0 => format!("{} s", plain(ms / 1000.0)),
        ms => format!("{} ms", plain(ms)),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

#[cfg(test)]
mod tests;
