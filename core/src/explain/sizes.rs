//! What the rules saw that wish a size at each turn of theirs: told by the numbers that each of them gives.

use super::{plain, span};
use crate::decision::{Reason, Rule};

impl Reason {
    /// What such a rule saw; none if it was another one.
    pub(super) fn size_fact(&self) -> Option<String> {
        let has = |name| self.input(name).is_some();
        if has("target_utilization") {
            Some(self.utilization())
        } else if has("activation_backlog") {
            Some(self.backlog_per_worker())
        } else if has("stable_concurrency") {
            Some(self.concurrency())
        } else if has("needed_workers") {
            Some(self.needed())
        } else if has("forecast_rate") {
            Some(self.forecast())
        } else if has("lower_bound_workers") {
            Some(self.corridor())
        } else {
            None
        }
    }

    fn utilization(&self) -> String {
        let percent = |name| plain(self.input(name).unwrap_or_default() * 100.0);
        let (seen, wanted) = (percent("utilization"), percent("target_utilization"));
        let rows = self.input("periods_above").map_or_else(String::new, |above| {
            format!(
                " ({} periods in a row above that, {} well below)",
                plain(above),
                self.number("periods_below")
            )
        });
        let starting = match self.input("starting_workers") {
            Some(starting) if starting > 0.0 => format!("; {} more workers start", plain(starting)),
            _ => String::new(),
        };
        format!("saw {seen} % of the slots busy where {wanted} % shall be{rows}{starting}")
    }

    fn backlog_per_worker(&self) -> String {
        let backlog = self.number("backlog_count");
        match (self.rule, self.input("target_backlog_per_worker")) {
            (Rule::Activated, _) => format!("saw a backlog of {backlog} and no worker"),
            (Rule::Deactivated, _) => {
                format!("has seen no work wait for more than {}", self.time("cooldown_ms"))
            }
            (_, Some(target)) => {
                format!("saw a backlog of {backlog} where {} tasks for each worker may wait", plain(target))
            }
            (_, None) => {
                let threshold = self.number("activation_backlog");
                format!(
                    "saw a backlog of {backlog}; only a look that finds more than {threshold} starts a worker"
                )
            }
        }
    }

    fn concurrency(&self) -> String {
        let n = |name| self.number(name);
        let target = n("target_concurrency");
        if self.rule == Rule::Panic {
            let (tasks, ready) = (n("panic_concurrency"), n("ready_workers"));
            return format!(
                "is in panic mode and lately saw {tasks} tasks run and wait, where each of {ready} ready workers shall \
                 have {target}"
            );
        }
        format!("saw {} tasks run and wait where each worker shall have {target}", n("stable_concurrency"))
    }

    fn needed(&self) -> String {
        let n = |name| self.number(name);
        format!(
            "saw {} tasks run and wait, work for {} workers of {} slots; it keeps what was needed within the last {}",
            n("concurrency"),
            n("needed_workers"),
            n("slots_per_worker"),
            span(self.input("break_even_ms").unwrap_or_default())
        )
    }

    fn forecast(&self) -> String {
        let n = |name| self.number(name);
        format!(
            "saw {} tasks/s arrive and a backlog of {}, and expects {} tasks/s within {}; that is work for {} workers, \
             and {} with the safety margin",
            n("arrival_rate"),
            n("backlog_count"),
            n("forecast_rate"),
            self.time("lead_time_ms"),
            n("forecast_load"),
            self.recommended_workers.unwrap_or_default()
        )
    }

    fn corridor(&self) -> String {
        let n = |name| self.number(name);
        format!(
            "saw {} tasks run and wait on workers of {} slots; as far as hindsight goes, {} to {} workers are right",
            n("concurrency"),
            n("slots_per_worker"),
            n("lower_bound_workers"),
            n("upper_bound_workers")
        )
    }
}
