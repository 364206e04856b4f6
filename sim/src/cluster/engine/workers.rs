//! Workers: where they start, what they are at, and how their buckets go back.

use super::{Doing, Engine, Event, Job, seconds};
use crate::cluster::log::LogLine;
use std::sync::Arc;
use wci_core::cluster::buckets::Answer;
use wci_core::cluster::reconcile::{CurrentWorker, WorkerState};
use wci_core::cluster::{NodeId, TaskId};

impl Engine {
    /// Workers that run on a node are ready for another start; their buckets go back.
    pub(super) fn release(&mut self, node: &NodeId) {
        for task in 0..self.jobs.len() {
            let runs_there = |worker: &&CurrentWorker| {
                worker.state == WorkerState::Running && worker.node.as_ref() == Some(node)
            };
            let ids: Vec<TaskId> =
                self.jobs[task].workers.iter().filter(runs_there).map(|worker| worker.id.clone()).collect();
            for id in ids {
                self.stop(task, &id);
                self.set(task, &id, WorkerState::Ready, None);
            }
        }
    }

    /// The work at hand on a node is lost, although nobody knows yet: the buckets stay with the workers.
    pub(super) fn lose_work(&mut self, node: &NodeId) {
        for job in &mut self.jobs {
            for worker in job.workers.iter().filter(|worker| worker.node.as_ref() == Some(node)) {
                if let Some(Doing { bucket: Some((_, since)), .. }) = job.at_work.remove(&worker.id) {
                    self.totals.wasted_work_s += seconds(self.now - since);
                }
            }
        }
    }

    /// Ends what a worker does now: its bucket goes back and its work counts for nothing.
    pub(super) fn stop(&mut self, task: usize, id: &TaskId) {
        let job = &mut self.jobs[task];
        if let Some(Doing { bucket: Some((_, since)), .. }) = job.at_work.remove(id) {
            self.totals.wasted_work_s += seconds(self.now - since);
        }
        self.totals.buckets_given_back += u64::from(job.buckets.give_back(id));
    }

    pub(super) fn set(&mut self, task: usize, id: &TaskId, state: WorkerState, node: Option<NodeId>) {
        if let Some(worker) = self.jobs[task].workers.iter_mut().find(|worker| worker.id == *id) {
            (worker.state, worker.node) = (state, node);
        }
    }

    /// Ready workers start on a node of their group; those of any group on the one with the fewest workers.
    pub(super) fn dispatch(&mut self) {
        let open: Vec<NodeId> =
            self.nodes.iter().filter(|(_, n)| n.is_up && n.is_working).map(|(n, _)| n.clone()).collect();
        for task in 0..self.jobs.len() {
            let is_ready = |worker: &&CurrentWorker| worker.state == WorkerState::Ready;
            let ready: Vec<(TaskId, Option<Arc<str>>)> = self.jobs[task]
                .workers
                .iter()
                .filter(is_ready)
                .map(|w| (w.id.clone(), w.group.clone()))
                .collect();
            for (id, group) in ready {
                let fits = |node: &&NodeId| group.as_ref().is_none_or(|group| group == *node);
                let busy = |node: &&NodeId| {
                    self.jobs
                        .iter()
                        .flat_map(|job| &job.workers)
                        .filter(|w| w.node.as_ref() == Some(*node))
                        .count()
                };
                if let Some(node) = open.iter().filter(fits).min_by_key(busy).cloned() {
                    self.set(task, &id, WorkerState::Running, Some(node));
                    self.ask(task, &id);
                }
            }
        }
    }

    pub(super) fn ask(&mut self, task: usize, id: &TaskId) {
        self.numbers += 1;
        let attempt = self.numbers;
        let Job { workers, buckets, at_work, sizes, .. } = &mut self.jobs[task];
        let find = |id: &TaskId| workers.iter().find(|worker| worker.id == *id);
        let is_scavenger = find(id).is_some_and(|worker| worker.is_scavenger);
        let is_gone = |id: &TaskId| find(id).is_none_or(|worker| worker.state == WorkerState::Closed);
        let worker = id.clone();
        match buckets.ask(id, is_scavenger, is_gone) {
            Answer::Bucket(number) => {
                at_work.insert(id.clone(), Doing { attempt, bucket: Some((number, self.now)) });
                let size = sizes.get(number as usize).copied().unwrap_or(1);
                self.at(self.now.saturating_add(size), Event::BucketDone { task, worker, attempt });
            }
            Answer::AskAgain => {
                at_work.insert(id.clone(), Doing { attempt, bucket: None });
                self.after(self.scenario.timers.scavenger_poll, Event::Ask { task, worker, attempt });
            }
            Answer::Close => {
                at_work.remove(id);
                self.set(task, id, WorkerState::Closed, None);
                self.end_if_closed(task);
            }
        }
    }

    pub(super) fn bucket_done(&mut self, task: usize, id: &TaskId, attempt: u64) {
        let job = &mut self.jobs[task];
        let Some(Doing { bucket: Some((number, since)), .. }) =
            job.at_work.get(id).copied().filter(|doing| doing.attempt == attempt)
        else {
            return;
        };
        job.at_work.remove(id);
        if !job.buckets.complete(id, number) {
            self.totals.wasted_work_s += seconds(self.now - since);
        } else if job.buckets.is_complete() && job.completed_at.is_none() {
            job.completed_at = Some(self.now);
            let task = job.definition.name.clone();
            self.note(LogLine::WorkComplete { task });
        }
        self.ask(task, id);
    }

    /// The coordinator goes on, and its task ends, when all its children are closed.
    pub(super) fn end_if_closed(&mut self, task: usize) {
        let job = &mut self.jobs[task];
        let all_closed = job.workers.iter().all(|worker| worker.state == WorkerState::Closed);
        if all_closed && job.buckets.is_complete() && !job.has_ended && !job.is_suspended {
            job.has_ended = true;
            let task = job.definition.name.clone();
            self.note(LogLine::Ended { task });
        }
    }
}
