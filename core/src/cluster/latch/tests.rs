//! Every edge of the latch.

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const T0: i64 = 1_700_000_000_000;

fn up(names: &[&str]) -> BTreeSet<NodeId> {
    names.iter().map(|name| NodeId::from(*name)).collect()
}

/// Scans one after the other, each storing what it leaves.
struct Scans {
    config: LatchConfig,
    state: LatchState,
}

impl Scans {
    fn new(min: Option<i64>, max: Option<i64>) -> Self {
        let config = LatchConfig {
            min_interval: min.map(Millis::new),
            max_interval: max.map(Millis::new),
            skip_initial: false,
        };
        Self { config, state: LatchState::default() }
    }

    fn scan(&mut self, at: i64, nodes: &[&str]) -> LatchReason {
        let verdict = self.config.decide(&self.state, Timestamp::from_millis(T0 + at), &up(nodes));
        self.state = verdict.next;
        verdict.reason
    }
}

#[test]
fn the_first_scan_reconciles_unless_told_not_to() {
    let mut scans = Scans::new(Some(HOUR), Some(2 * HOUR));
    assert_eq!(scans.scan(0, &["D"]), LatchReason::Initial);
    assert_eq!(scans.state.pending, Some(false));
    let mut skips = Scans::new(Some(HOUR), None);
    skips.config.skip_initial = true;
    assert_eq!(skips.scan(0, &["D"]), LatchReason::InitialSkipped);
    assert_eq!(
        (skips.state.pending, skips.state.last_reconciliation),
        (None, Some(Timestamp::from_millis(T0)))
    );
    assert_eq!(skips.state.up, Some(up(&["D"])));
    assert_eq!(skips.scan(MINUTE, &["D"]), LatchReason::NothingChanged);
}

#[test]
fn without_intervals_each_change_reconciles_and_nothing_else_does() {
    let mut scans = Scans::new(None, None);
    scans.scan(0, &["D"]);
    assert_eq!(scans.scan(0, &["D", "N"]), LatchReason::NodesChanged);
    assert_eq!(scans.scan(1_000 * HOUR, &["N", "D"]), LatchReason::NothingChanged);
    assert_eq!(scans.scan(1_000 * HOUR, &["N"]), LatchReason::NodesChanged);
}

#[test]
fn intervals_are_reached_only_after_they_have_passed() {
    let mut scans = Scans::new(Some(HOUR), Some(3 * HOUR));
    scans.scan(0, &["D"]);
    assert_eq!(scans.scan(HOUR, &["D", "N"]), LatchReason::TooEarly);
    assert_eq!(scans.scan(HOUR + 1, &["D", "N"]), LatchReason::PutOffBefore);
    assert_eq!(scans.scan(4 * HOUR + 1, &["D", "N"]), LatchReason::NothingChanged);
    assert_eq!(scans.scan(4 * HOUR + 2, &["D", "N"]), LatchReason::MaxReached);
}

#[test]
fn what_was_put_off_stays_put_off_when_the_cluster_changes_back() {
    let mut scans = Scans::new(Some(HOUR), None);
    scans.scan(0, &["D"]);
    assert_eq!(scans.scan(MINUTE, &["D", "N"]), LatchReason::TooEarly);
    assert_eq!(scans.state.up_since, Some(Timestamp::from_millis(T0 + MINUTE)));
    assert_eq!(scans.scan(2 * MINUTE, &["D"]), LatchReason::TooEarly);
    assert_eq!(scans.scan(3 * MINUTE, &["D"]), LatchReason::NothingChanged);
    assert_eq!(scans.state.pending, Some(true));
    assert_eq!(scans.scan(HOUR + MINUTE, &["D"]), LatchReason::PutOffBefore);
    assert_eq!(scans.state.pending, Some(false));
}

#[test]
fn a_maximum_below_the_minimum_wins() {
    let mut scans = Scans::new(Some(2 * HOUR), Some(HOUR));
    scans.scan(0, &["D"]);
    assert_eq!(scans.scan(HOUR, &["D"]), LatchReason::NothingChanged);
    assert_eq!(scans.scan(HOUR + 1, &["D"]), LatchReason::MaxReached);
}

#[test]
fn a_clock_that_goes_backwards_leaves_the_intervals_unreached() {
    let mut scans = Scans::new(Some(MINUTE), Some(HOUR));
    scans.scan(0, &["D"]);
    assert_eq!(scans.scan(-HOUR, &["D", "N"]), LatchReason::TooEarly);
    assert_eq!(scans.scan(-HOUR, &["D", "N"]), LatchReason::NothingChanged);
}

#[test]
fn a_scan_that_stored_nothing_is_decided_the_same_again() {
    let mut scans = Scans::new(None, None);
    scans.scan(0, &["D"]);
    let crashed = scans.config.decide(&scans.state, Timestamp::from_millis(T0 + MINUTE), &up(&["N"]));
    assert_eq!(scans.scan(2 * MINUTE, &["N"]), crashed.reason);
}

#[test]
fn the_state_survives_as_json() {
    let mut scans = Scans::new(Some(HOUR), None);
    scans.scan(0, &["D"]);
    scans.scan(MINUTE, &["D", "N"]);
    let text = serde_json::to_string(&scans.state).unwrap();
    assert_eq!(serde_json::from_str::<LatchState>(&text).unwrap(), scans.state);
    assert_eq!(serde_json::from_str::<LatchState>("{}").unwrap(), LatchState::default());
}
