//! Lost tasks: back after their timeout and a backoff.

use super::tasks::{Extra, Running};
use super::{Tag, World};
use crate::event_queue::EventKind;
use crate::model::Nanos;
use crate::task_queue::Waiting;

/// A task whose worker died.
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    service: Nanos,
    workload: usize,
    pub(super) extra: Extra,
    /// Whether this place is in use.
    pub(super) is_open: bool,
}

impl World {
    /// All tasks of a worker are lost now.
    pub(super) fn kill_tasks(&mut self, worker: usize) {
        if self.workers[worker].running == 0 {
            return;
        }
        let is_mine = |running: &Running| running.worker == worker && !running.is_dead;
        let mine: Vec<usize> = self.running.places().filter(|(_, r)| is_mine(r)).map(|(i, _)| i).collect();
        for index in mine {
            self.lose(index);
        }
    }

    pub(super) fn lost_timeout(&mut self, index: usize) {
        let lost = self.lost[index];
        let attempts = lost.extra.attempt;
        if self.retry.maximum_attempts.is_some_and(|most| attempts >= most) {
            self.close_lost(index);
            let group = self.lanes[lost.extra.lane].group;
            let ledger = &mut self.groups[group].ledger;
            ledger.change_retrying(-1);
            ledger.counters.failed += 1;
            if let Some(execution) = lost.extra.execution {
                self.executions.free(execution);
            }
            return;
        }
        let exponent = f64::from(attempts.saturating_sub(1).min(1024));
        let factor = libm::pow(self.retry.backoff_coefficient, exponent);
        let backoff = (self.retry.initial_interval as f64 * factor).min(self.retry.maximum_interval as f64);
        self.queue.push(self.now.saturating_add(backoff as Nanos), EventKind::BackoffEnd, index);
    }

    pub(super) fn backoff_end(&mut self, index: usize) {
        let Lost { service, workload, extra, .. } = self.lost[index];
        self.close_lost(index);
        let group = self.lanes[extra.lane].group;
        self.groups[group].ledger.change_retrying(-1);
        let is_measured = self.is_measured(extra.first_added);
        let place = self.extras.insert(Extra { attempt: extra.attempt + 1, ..extra });
        let task = Waiting { added: self.now, service, tag: Tag::with_extra(workload, place) };
        self.add(extra.lane, task, is_measured);
    }

    fn lose(&mut self, index: usize) {
        let running = &mut self.running[index];
        running.is_dead = true;
        let running = *running;
        let worker = &mut self.workers[running.worker];
        worker.running -= 1;
        worker.lanes[self.lanes[running.lane].position].free += 1;
        let ledger = &mut self.groups[self.lanes[running.lane].group].ledger;
        ledger.change_tasks(self.now, 0, -1);
        ledger.change_retrying(1);
        ledger.lost_slot_time += u128::from(self.now - running.matched_at);
        let tag = running.task.tag;
        let workload = tag.workload();
        let extra = match tag.extra() {
            Some(place) => {
                self.extras.free(place);
                self.extras[place]
            }
            None => Extra {
                number: tag.bits() & super::NUMBER_MASK,
                attempt: 1,
                first_added: running.task.added,
                lane: running.lane,
                execution: None,
            },
        };
        let timeout = self.workloads[workload].timeout;
        let back_at = running.matched_at.saturating_add(timeout).max(self.now);
        let index = self.lost.insert(Lost { service: running.task.service, workload, extra, is_open: true });
        self.queue.push(back_at, EventKind::LostTimeout, index);
    }

    fn close_lost(&mut self, index: usize) {
        self.lost[index].is_open = false;
        self.lost.free(index);
    }
}
