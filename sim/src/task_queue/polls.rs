//! Waiting polls in the order in which a routing takes them.

use crate::model::Routing;
use std::collections::{BTreeMap, VecDeque};

/// One waiting poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollRef {
    /// Index of the worker.
    pub worker: u32,
    /// The partition it waits at.
    pub partition: u32,
}

/// The waiting polls of a lane.
#[derive(Debug)]
pub struct PollSet {
    order: Order,
    len: usize,
}

#[derive(Debug)]
enum Order {
    /// Oldest poll in front; `newest_first` takes from the back.
    ByTime { polls: VecDeque<PollRef>, newest_first: bool },
    /// By the worker's number.
    ByWorker { polls: BTreeMap<u64, Vec<PollRef>>, newest_first: bool, spare: Vec<Vec<PollRef>> },
    /// Any.
    Random(Vec<PollRef>),
}

impl PollSet {
    /// No polls yet.
    pub fn new(routing: Routing) -> Self {
        let by_worker =
            |newest_first| Order::ByWorker { polls: BTreeMap::new(), newest_first, spare: Vec::new() };
        let order = match routing {
            Routing::LongestIdle => Order::ByTime { polls: VecDeque::new(), newest_first: false },
            Routing::LastUsed => Order::ByTime { polls: VecDeque::new(), newest_first: true },
            Routing::Newest => by_worker(true),
            Routing::Oldest => by_worker(false),
            Routing::Random => Order::Random(Vec::new()),
        };
        Self { order, len: 0 }
    }

    /// Whether none waits.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many wait.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// A poll of the worker with this number waits.
    #[inline]
    pub fn add(&mut self, poll: PollRef, worker_number: u64) {
        self.len += 1;
        match &mut self.order {
            Order::ByTime { polls, .. } => polls.push_back(poll),
            Order::ByWorker { polls, spare, .. } => {
                polls.entry(worker_number).or_insert_with(|| spare.pop().unwrap_or_default()).push(poll);
            }
            Order::Random(polls) => polls.push(poll),
        }
    }

    /// Takes the next poll; `random` maps n to a number below n.
    #[inline]
    pub fn take(&mut self, random: impl FnOnce(u64) -> u64) -> Option<PollRef> {
        let taken = match &mut self.order {
            Order::ByTime { polls, newest_first: false } => polls.pop_front(),
            Order::ByTime { polls, newest_first: true } => polls.pop_back(),
            Order::ByWorker { polls, newest_first, spare } => {
                let mut entry = if *newest_first { polls.last_entry() } else { polls.first_entry() }?;
                let poll = entry.get_mut().pop();
                if entry.get().is_empty() {
                    spare.push(entry.remove());
                }
                poll
            }
            Order::Random(polls) if polls.is_empty() => None,
            Order::Random(polls) => {
                let at = random(polls.len() as u64) as usize;
                Some(polls.swap_remove(at))
            }
        };
        self.len -= usize::from(taken.is_some());
        taken
    }

    /// Removes all polls of a worker and says at which partitions they waited.
    pub fn withdraw(&mut self, worker: u32, worker_number: u64) -> Vec<u32> {
        let mut partitions = Vec::new();
        let mut keep = |poll: &PollRef| {
            let keeps = poll.worker != worker;
            if !keeps {
                partitions.push(poll.partition);
            }
            keeps
        };
        match &mut self.order {
            Order::ByTime { polls, .. } => polls.retain(&mut keep),
            Order::Random(polls) => polls.retain(&mut keep),
            Order::ByWorker { polls, .. } => {
                let removed = polls.remove(&worker_number).unwrap_or_default();
                partitions.extend(removed.iter().map(|poll| poll.partition));
            }
        }
        self.len -= partitions.len();
        partitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order_of(routing: Routing) -> Vec<u32> {
        let mut set = PollSet::new(routing);
        for (worker, number) in [(0, 7), (1, 3), (2, 9)] {
            set.add(PollRef { worker, partition: 0 }, number);
        }
        std::iter::from_fn(|| set.take(|n| n - 1)).map(|poll| poll.worker).collect()
    }

    #[test]
    fn each_routing_takes_polls_in_its_order() {
        assert_eq!(order_of(Routing::LongestIdle), [0, 1, 2]);
        assert_eq!(order_of(Routing::LastUsed), [2, 1, 0]);
        assert_eq!(order_of(Routing::Newest), [2, 0, 1]);
        assert_eq!(order_of(Routing::Oldest), [1, 0, 2]);
        assert_eq!(order_of(Routing::Random), [2, 1, 0]);
    }

    #[test]
    fn withdrawn_polls_are_gone() {
        for routing in [Routing::LongestIdle, Routing::Newest, Routing::Random] {
            let mut set = PollSet::new(routing);
            for worker in [0, 1, 0] {
                set.add(PollRef { worker, partition: worker + 1 }, u64::from(worker));
            }
            assert_eq!(set.withdraw(0, 0), [1, 1]);
            assert_eq!(set.len(), 1);
            assert_eq!(set.take(|_| 0).map(|poll| poll.worker), Some(1));
            assert!(set.is_empty());
        }
    }
}
