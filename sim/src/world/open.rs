//! What is not done yet, for the books' end.

use super::World;
use crate::model::Nanos;
use crate::task_queue::Waiting;

impl World {
    /// Sum of the ages of a group's waiting tasks: what the backlog's integral holds beyond matched tasks.
    #[must_use]
    pub fn sum_of_ages(&self, group: usize) -> u128 {
        self.waiting(group).map(|task| u128::from(self.now - task.added)).sum()
    }

    /// Age of a group's oldest waiting task.
    #[must_use]
    pub fn oldest_wait(&self, group: usize) -> Nanos {
        self.waiting(group).map(|task| self.now - task.added).max().unwrap_or(0)
    }

    /// A group's tasks that are not done: last add, first add, and whether it waits.
    pub fn unfinished(&self, group: usize) -> impl Iterator<Item = (Nanos, Nanos, bool)> + '_ {
        let waiting = self.waiting(group).map(|task| (task.added, self.first_added(task), true));
        let is_mine = move |lane: usize| self.lanes[lane].group == group;
        let running = self.running.places().filter(|(_, r)| r.worker != usize::MAX && !r.is_dead);
        let running = running.filter(move |(_, r)| is_mine(r.lane));
        let running = running.map(|(_, r)| (r.task.added, self.first_added(&r.task), false));
        let lost = self.lost.places().filter(|(_, lost)| lost.is_open);
        let lost = lost.filter(move |(_, lost)| is_mine(lost.extra.lane));
        let lost = lost.map(|(_, lost)| (lost.extra.first_added, lost.extra.first_added, false));
        waiting.chain(running).chain(lost)
    }

    fn first_added(&self, task: &Waiting) -> Nanos {
        task.tag.extra().map_or(task.added, |extra| self.extras[extra].first_added)
    }

    fn waiting(&self, group: usize) -> impl Iterator<Item = &Waiting> {
        let spooled = self.groups[group].lanes.iter().flat_map(|&lane| self.lanes[lane].waiting());
        let bound = self.workers_of(group).filter_map(|worker| worker.bound.as_ref().map(|(_, task)| task));
        spooled.chain(bound)
    }
}
