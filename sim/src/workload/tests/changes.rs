//! What a change in mid-run keeps: what has happened, and the luck of what has not.

use super::*;

/// Runs to the end, changing something when `taken` arrivals of the `blocks`-th block have happened.
fn run_changed(
    arrivals: &Arrivals,
    blocks: usize,
    taken: usize,
    change: impl FnOnce(&mut SyntheticSource, u64, usize),
) -> Block {
    let service = Dist::exponential(1e6).unwrap();
    let mut source = SyntheticSource::new(1, "orders", arrivals, service, HOUR);
    let (mut all, mut block) = (Block::default(), Block::default());
    let mut change = Some(change);
    for i in 0.. {
        assert!(i < 1000, "it never ends");
        source.fill(&mut block);
        let mut kept = block.at.len();
        if i == blocks
            && let Some(change) = change.take()
        {
            kept = taken.min(kept);
            let now = all.at.iter().chain(&block.at[..kept]).last().map_or(0, |at| *at);
            change(&mut source, now, kept);
        } else if block.at.is_empty() {
            break;
        }
        all.at.extend(&block.at[..kept]);
        all.service.extend(&block.service[..kept]);
    }
    all
}

#[test]
fn a_change_to_the_same_rate_changes_nothing() {
    for (name, arrivals) in processes() {
        let whole = run_with(1, &arrivals, HOUR);
        for (blocks, taken) in [(0, 0), (0, 700), (1, 3), (1, 1024)] {
            let changed = run_changed(&arrivals, blocks, taken, |source, now, taken| {
                source.set_rate_factor(now, 1.0, taken).unwrap();
            });
            assert_eq!(whole.at, changed.at, "{name} at {blocks}/{taken}");
            assert_eq!(whole.service, changed.service, "{name}");
        }
    }
}

#[test]
fn a_changed_rate_bends_the_same_points_from_now_on() {
    let arrivals = Arrivals::poisson(8.0).unwrap();
    let whole = run_with(1, &arrivals, HOUR);
    let changed = run_changed(&arrivals, 2, 100, |source, now, taken| {
        source.set_rate_factor(now, 0.5, taken).unwrap();
    });
    let now = whole.at[2 * BLOCK + 99];
    for (i, (before, after)) in whole.at.iter().zip(&changed.at).enumerate() {
        let expected = if i < 2 * BLOCK + 100 { *before } else { now + 2 * (before - now) };
        assert!(expected.abs_diff(*after) <= 1, "arrival {i}: {after}, not {expected}");
    }
    assert_eq!(whole.service[..changed.service.len()], changed.service);
    assert!(changed.at.last().unwrap() > &(HOUR - 10 * SECOND));
}

#[test]
fn a_changed_rate_counts_from_now_on_for_every_process() {
    for (name, arrivals) in processes() {
        let whole = run(&arrivals, HOUR);
        let changed = run_changed(&arrivals, 1, 100, |source, now, taken| {
            source.set_rate_factor(now, 3.0, taken).unwrap();
        });
        let (before, after) = ((whole.len() - BLOCK - 100) as f64, (changed.at.len() - BLOCK - 100) as f64);
        let spread = if name == "gamma" { 8.0 } else { 4.0 };
        assert!(
            (after - 3.0 * before).abs() <= 3.0 * spread * before.sqrt(),
            "{name}: {before} became {after}"
        );
        assert!(changed.at.windows(2).all(|pair| pair[0] <= pair[1]), "{name}");
    }
}

#[test]
fn a_higher_rate_brings_more_after_the_last_arrival_too() {
    for (name, arrivals) in processes() {
        let horizon = HOUR / 10;
        let service = Dist::constant(1.0).unwrap();
        let mut source = SyntheticSource::new(1, "orders", &arrivals, service, horizon);
        let mut block = Block::default();
        let mut last = 0;
        loop {
            source.fill(&mut block);
            if block.at.len() < BLOCK {
                break;
            }
            last = block.at[BLOCK - 1];
        }
        // In mid-block, where the old rate's last arrivals had been drawn already.
        let now = last.max(horizon / 2);
        let taken = block.at.iter().filter(|at| **at < now).count();
        let at_old_rate = block.at.len() - taken;
        source.set_rate_factor(now, 50.0, taken).unwrap();
        let mut later = 0;
        loop {
            source.fill(&mut block);
            if block.at.is_empty() {
                break;
            }
            later += block.at.len();
        }
        assert!(at_old_rate == 0 || later > 5 * at_old_rate, "{name}: {later} after {at_old_rate}");
    }
}

#[test]
fn a_stopped_rate_comes_back() {
    for (name, arrivals) in processes() {
        let service = Dist::constant(1.0).unwrap();
        let mut source = SyntheticSource::new(1, "orders", &arrivals, service, HOUR);
        let mut block = Block::default();
        source.fill(&mut block);
        source.set_rate_factor(0, 0.0, 0).unwrap();
        source.fill(&mut block);
        assert!(block.at.is_empty(), "{name}");
        let now = HOUR / 10;
        source.set_rate_factor(now, 1.0, 0).unwrap();
        let mut later = Vec::new();
        loop {
            source.fill(&mut block);
            if block.at.is_empty() {
                break;
            }
            later.extend_from_slice(&block.at);
        }
        assert!(later.iter().all(|at| *at >= now), "{name}");
        let expected = count(&run(&arrivals, HOUR), now, HOUR);
        // On-off states and gamma gaps vary much.
        assert!(later.len().abs_diff(expected) <= expected / 4 + 1, "{name}: {} {expected}", later.len());
    }
}

#[test]
fn half_a_rate_of_groups_carries_what_rounding_leaves() {
    let arrivals = Arrivals::instants((0..1000).collect());
    let changed = run_changed(&arrivals, 0, 0, |source, now, taken| {
        source.set_rate_factor(now, 0.1, taken).unwrap();
    });
    assert_eq!(changed.at, (0..100).map(|i| 10 * i + 9).collect::<Vec<u64>>());
}

#[test]
fn another_service_keeps_arrivals_and_luck() {
    let arrivals = Arrivals::poisson(8.0).unwrap();
    let whole = run_with(1, &arrivals, HOUR);
    let changed = run_changed(&arrivals, 1, 10, |source, _, taken| {
        source.set_service(Dist::exponential(2e6).unwrap(), taken);
    });
    assert_eq!(whole.at, changed.at);
    for (i, (before, after)) in whole.service.iter().zip(&changed.service).enumerate() {
        let factor = if i < BLOCK + 10 { 1 } else { 2 };
        assert!((factor * before).abs_diff(*after) <= 1, "task {i}");
    }
}

#[test]
fn a_refused_factor_changes_nothing() {
    let arrivals = Arrivals::poisson(8.0).unwrap();
    let whole = run_with(1, &arrivals, HOUR);
    let service = Dist::exponential(1e6).unwrap();
    let mut source = SyntheticSource::new(1, "orders", &arrivals, service, HOUR);
    let mut block = Block::default();
    source.fill(&mut block);
    for factor in [f64::NAN, -1.0, f64::INFINITY, 1e-12] {
        source.set_rate_factor(1, factor, 5).unwrap_err();
    }
    source.fill(&mut block);
    assert_eq!(block.at, whole.at[BLOCK..2 * BLOCK]);
}
