//! The future: events by time, then by kind, then first in first out.
//!
//! One four-ary heap of 16-byte entries. Time fills the upper half of the key, so one 128-bit comparison orders
//! two events completely and no two are ever equal: the order of a run does not depend on the heap's shape.

/// What happens. The discriminants are the order in which events of one time are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A running task is done; index of the running task.
    Departure = 0,
    /// A worker crashes; index of the worker.
    Crash = 1,
    /// A worker's lifetime is over; index of the worker.
    Lifetime = 2,
    /// A worker may have been idle long enough; index of the worker.
    IdleExit = 3,
    /// A draining worker's time is over; index of the worker.
    DrainLimit = 4,
    /// A starting worker is ready; index of the worker.
    Ready = 5,
    /// The oldest poll in flight of a group reaches the server; index of the group.
    PollArrival = 6,
    /// Spooled tasks may be matchable; index of the lane.
    Spool = 7,
    /// A queued start may begin; index of the group.
    StartSlot = 8,
    /// A fault begins or a hand acts; index into the plan.
    Planned = 9,
    /// A lost task's timeout is over; index of the lost task.
    LostTimeout = 10,
    /// A lost task's backoff is over; index of the lost task.
    BackoffEnd = 11,
    /// A burst's last adds may be due to be signalled; index of the lane and partition.
    Flush = 12,
    /// A worker may be started ahead of the next request; index of the group.
    PreWarm = 13,
}

impl EventKind {
    const ALL: [Self; 14] = [
        Self::Departure,
        Self::Crash,
        Self::Lifetime,
        Self::IdleExit,
        Self::DrainLimit,
        Self::Ready,
        Self::PollArrival,
        Self::Spool,
        Self::StartSlot,
        Self::Planned,
        Self::LostTimeout,
        Self::BackoffEnd,
        Self::Flush,
        Self::PreWarm,
    ];
}

const INDEX_BITS: u32 = 24;
const SEQUENCE_BITS: u32 = 36;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;
const ARITY: usize = 4;

/// The largest index an event can carry: so many tasks may run at once.
pub const MAX_INDEX: usize = INDEX_MASK as usize;

/// Events to come.
#[derive(Debug, Default)]
pub struct EventQueue {
    heap: Vec<u128>,
    sequence: u64,
}

impl EventQueue {
    /// Time of the next event; `u64::MAX` when there is none.
    #[inline]
    pub fn next_time(&self) -> u64 {
        self.heap.first().map_or(u64::MAX, |entry| (entry >> 64) as u64)
    }

    /// Adds an event.
    #[inline]
    pub fn push(&mut self, time: u64, kind: EventKind, index: usize) {
        let entry = self.entry(time, kind, index);
        self.heap.push(entry);
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes the next event's kind and index without removing it; to be followed by `pop` or `replace`.
    #[inline]
    pub fn peek(&self) -> Option<(EventKind, usize)> {
        self.heap.first().map(|&entry| {
            let low = entry as u64;
            let kind = EventKind::ALL[(low >> (INDEX_BITS + SEQUENCE_BITS)) as usize];
            (kind, (low & INDEX_MASK) as usize)
        })
    }

    /// Removes the next event.
    #[inline]
    pub fn pop(&mut self) {
        if let Some(last) = self.heap.pop()
            && !self.heap.is_empty()
        {
            self.heap[0] = last;
            self.sift_down();
        }
    }

    /// Replaces the next event: cheaper than a pop and a push.
    #[inline]
    pub fn replace(&mut self, time: u64, kind: EventKind, index: usize) {
        let entry = self.entry(time, kind, index);
        if let Some(first) = self.heap.first_mut() {
            *first = entry;
            self.sift_down();
        }
    }

    #[inline]
    fn entry(&mut self, time: u64, kind: EventKind, index: usize) -> u128 {
        debug_assert!(index <= MAX_INDEX, "the model keeps indexes below the limit");
        let low = (u64::from(kind as u8) << (INDEX_BITS + SEQUENCE_BITS))
            | ((self.sequence & SEQUENCE_MASK) << INDEX_BITS)
            | (index as u64 & INDEX_MASK);
        self.sequence += 1;
        (u128::from(time) << 64) | u128::from(low)
    }

    #[inline]
    fn sift_up(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.heap[parent] <= entry {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = entry;
    }

    #[inline]
    fn sift_down(&mut self) {
        let heap = self.heap.as_mut_slice();
        let entry = heap[0];
        let mut at = 0;
        while let Some(least) = least_child(heap, at * ARITY + 1) {
            if heap[least] >= entry {
                break;
            }
            heap[at] = heap[least];
            at = least;
        }
        heap[at] = entry;
    }
}

/// The place of the least of up to four children; a whole family is compared as a tournament, which branches least.
#[inline]
fn least_child(heap: &[u128], first: usize) -> Option<usize> {
    if let Some(four) = heap.get(first..first + ARITY) {
        let left = usize::from(four[1] < four[0]);
        let right = 2 + usize::from(four[3] < four[2]);
        return Some(first + if four[right] < four[left] { right } else { left });
    }
    (first..heap.len()).min_by_key(|&child| heap[child])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn serves_by_time_then_kind_then_first_come() {
        let mut queue = EventQueue::default();
        queue.push(5, EventKind::Ready, 1);
        queue.push(5, EventKind::Departure, 2);
        queue.push(5, EventKind::Departure, 3);
        queue.push(1, EventKind::BackoffEnd, 4);
        let mut seen = Vec::new();
        while let Some((kind, index)) = queue.peek() {
            seen.push((queue.next_time(), kind, index));
            queue.pop();
        }
        let expected = [
            (1, EventKind::BackoffEnd, 4),
            (5, EventKind::Departure, 2),
            (5, EventKind::Departure, 3),
            (5, EventKind::Ready, 1),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn random_pushes_pops_and_replacements_come_out_sorted() {
        let mut stream = Stream::named(1, "heap");
        let mut queue = EventQueue::default();
        for i in 0..500 {
            queue.push(stream.below(1000), EventKind::Departure, i);
        }
        let mut last = 0;
        for i in 0..5000 {
            let now = queue.next_time();
            assert!(now >= last, "time went backwards");
            last = now;
            match i % 3 {
                0 => queue.replace(now + stream.below(1000), EventKind::Departure, i),
                1 => queue.pop(),
                _ => queue.push(now + stream.below(1000), EventKind::Departure, i),
            }
        }
    }
}
