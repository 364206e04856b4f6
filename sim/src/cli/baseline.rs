//! Hand-written loops for the same work: what a simulator without a controller, statistics, cost or percentiles
//! needs. Benchmarks run them in the same process, so that figures can be compared as ratios.

use crate::rng::Stream;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// M/M/c with every event in one `BinaryHeap`; returns the mean wait in seconds.
#[must_use]
pub fn mmc_all_events_in_heap(seed: u64, tasks: u64, servers: u32, load: f64) -> f64 {
    let mut arrivals = Stream::named(seed, "arrivals");
    let mut services = Stream::named(seed, "services");
    let gap = 1.0 / (f64::from(servers) * load);
    let draw = |stream: &mut Stream, mean: f64| (-libm::log(1.0 - stream.uniform()) * mean * 1e9) as u64;
    let mut heap = BinaryHeap::new();
    let mut waiting = VecDeque::new();
    let (mut free, mut arrived, mut wait_sum) = (servers, 0, 0_u128);
    heap.push(Reverse((draw(&mut arrivals, gap), true)));
    while let Some(Reverse((now, is_arrival))) = heap.pop() {
        if is_arrival {
            arrived += 1;
            if arrived < tasks {
                heap.push(Reverse((now + draw(&mut arrivals, gap), true)));
            }
            if free > 0 {
                free -= 1;
                heap.push(Reverse((now + draw(&mut services, 1.0), false)));
            } else {
                waiting.push_back(now);
            }
        } else if let Some(added) = waiting.pop_front() {
            wait_sum += u128::from(now - added);
            heap.push(Reverse((now + draw(&mut services, 1.0), false)));
        } else {
            free += 1;
        }
    }
    wait_sum as f64 / 1e9 / tasks as f64
}

/// Scale per request with a fixed expiry, newest idle instance first; returns the share of cold starts.
#[must_use]
pub fn scale_per_request(
    seed: u64,
    requests: u64,
    rate: f64,
    warm_s: f64,
    cold_s: f64,
    expiry_s: f64,
) -> f64 {
    let mut arrivals = Stream::named(seed, "arrivals");
    let mut services = Stream::named(seed, "services");
    let draw = |stream: &mut Stream, mean: f64| -libm::log(1.0 - stream.uniform()) * mean;
    // Idle instances, the oldest in front: (number, idle since).
    let mut idle: Vec<(u64, f64)> = Vec::new();
    let mut busy: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
    let (mut now, mut started, mut cold) = (0.0, 0, 0);
    for _ in 0..requests {
        now += draw(&mut arrivals, 1.0 / rate);
        while let Some(&Reverse((ends, number))) = busy.peek() {
            let ends = ends as f64 / 1e9;
            if ends > now {
                break;
            }
            busy.pop();
            let at = idle.partition_point(|(other, _)| *other < number);
            idle.insert(at, (number, ends));
        }
        idle.retain(|(_, since)| since + expiry_s > now);
        let (number, mean) = if let Some((number, _)) = idle.pop() {
            (number, warm_s)
        } else {
            started += 1;
            cold += 1;
            (started, cold_s)
        };
        let ends = now + draw(&mut services, mean);
        busy.push(Reverse(((ends * 1e9) as u64, number)));
    }
    cold as f64 / requests as f64
}
