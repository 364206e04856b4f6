//! The timers of a run.
//!
//! A timer that began is never cancelled. Where a decision's record and what it leads to stand in different workflow
//! tasks, replay would cancel in the same task, as if it had never begun, a timer that history holds. So the core may be
//! woken up too early, and then names the next time.

use super::workflow::InstanceWorkflow;
use futures::FutureExt;
use futures::future::{LocalBoxFuture, MaybeDone, maybe_done};
use std::task::{Context, Poll};
use std::time::Duration;
use temporalio_sdk::{TimerOptions, WorkflowCancellationToken, WorkflowContext};
use wci_core::Timestamp;

/// What wakes the core up.
pub(super) struct Alarm {
    /// Histories from before timers stayed replay in their own way: one timer, cancelled for the next one.
    cancels: bool,
    timers: Vec<Timer>,
    due: Due,
}

struct Timer {
    at: Timestamp,
    rings: MaybeDone<LocalBoxFuture<'static, ()>>,
    token: WorkflowCancellationToken,
}

impl Alarm {
    pub(super) fn new(cancels: bool) -> Self {
        Self { cancels, timers: Vec::new(), due: Due::default() }
    }

    /// Wants to ring at a time, given what a record says: when it was, and how many timers had rung. Whether another
    /// timer begins.
    pub(super) fn set(
        &mut self,
        ctx: &WorkflowContext<InstanceWorkflow>,
        at: Option<Timestamp>,
        now: Timestamp,
        rings: usize,
    ) -> bool {
        if self.cancels {
            self.timers.extract_if(.., |timer| Some(timer.at) != at).for_each(|timer| timer.token.cancel());
            self.due = Due { times: self.timers.iter().map(|timer| timer.at).collect(), overdue: 0 };
        } else {
            self.due.forget_rung(now, rings);
        }
        let Some(at) = at.filter(|at| self.due.begins(*at)) else { return false };
        let token = ctx.cancellation_token().child_token();
        let millis = u64::try_from(at.since(now).get()).unwrap_or(0);
        let duration = Duration::from_millis(millis);
        let options = TimerOptions::builder(duration).cancellation_token(token.clone()).build();
        let ctx = ctx.clone();
        let rings = async move {
            ctx.timer(options).await;
        };
        self.timers.push(Timer { at, rings: maybe_done(rings.boxed_local()), token });
        true
    }

    /// Orders the timers that were begun.
    pub(super) fn order(&mut self, cx: &mut Context<'_>) {
        for timer in &mut self.timers {
            let _ = timer.rings.poll_unpin(cx);
        }
    }

    /// Rings once for each timer that has rung.
    pub(super) fn poll_ring(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let rung = self.timers.iter_mut().position(|timer| timer.rings.poll_unpin(cx).is_ready());
        rung.map_or(Poll::Pending, |rung| {
            self.timers.remove(rung);
            Poll::Ready(())
        })
    }

    pub(super) async fn ring(&mut self) {
        std::future::poll_fn(|cx| self.poll_ring(cx)).await;
    }
}

/// When timers are still to ring by what is recorded: whether one has rung may be heard earlier on replay.
#[derive(Default)]
struct Due {
    times: Vec<Timestamp>,
    /// Timers whose time has passed and that were not heard yet.
    overdue: usize,
}

impl Due {
    /// A ring belongs to a timer whose time has passed; if there is none, one rang before its time by the clock of the
    /// process that was woken up.
    fn forget_rung(&mut self, now: Timestamp, rings: usize) {
        let before = self.times.len();
        self.times.retain(|due| *due > now);
        self.overdue += before - self.times.len();
        let late = rings.min(self.overdue);
        self.overdue -= late;
        self.times.sort_unstable();
        self.times.drain(..(rings - late).min(self.times.len()));
    }

    /// Whether a timer must begin for that time: there is none that rings soon enough.
    fn begins(&mut self, at: Timestamp) -> bool {
        let begins = self.times.iter().all(|due| *due > at);
        self.times.extend(begins.then_some(at));
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_timer_begins_only_where_none_rings_soon_enough() {
        let mut due = Due::default();
        assert!(due.begins(at(500)) && !due.begins(at(500)) && !due.begins(at(900)));
        assert!(due.begins(at(100)), "an earlier one, beside it");
        due.forget_rung(at(100), 1);
        assert!(!due.begins(at(500)), "the first one stays");
        due.forget_rung(at(501), 0);
        assert!(due.begins(at(900)));
    }

    #[test]
    fn a_timer_that_rings_too_early_is_followed_by_another() {
        let mut due = Due::default();
        assert!(due.begins(at(500)));
        due.forget_rung(at(499), 0);
        assert!(!due.begins(at(500)), "something else has happened");
        due.forget_rung(at(499), 1);
        assert!(due.begins(at(500)) && due.begins(at(400)));
        due.forget_rung(at(399), 2);
        assert!(due.begins(at(500)), "both have rung");
    }

    #[test]
    fn a_late_ring_belongs_to_the_timer_whose_time_has_passed() {
        let mut due = Due::default();
        assert!(due.begins(at(500)));
        due.forget_rung(at(501), 0);
        assert!(due.begins(at(900)));
        due.forget_rung(at(502), 1);
        assert!(!due.begins(at(900)), "the later one is still to ring");
    }
}
