//! What `rate-based` is configured with.

use crate::algorithm::sizing::{Bounds, MIN_COUNT, max_count};
use crate::config::{ConfigError, ConfigMap, KeyDoc, Reader};
use crate::time::Millis;

const MAX_COUNT: KeyDoc = max_count(30);
const INITIAL_COUNT: KeyDoc = KeyDoc::count("initial_count", 0)
    .help("Size of the set before the first decision; between the two limits");
const METRICS_POLL_INTERVAL: KeyDoc = KeyDoc::millis("metrics_poll_interval_ms", 60_000)
    .at_least(30_000.0)
    .help("Time between polls; at least each of the cooldowns");
const EWMA_ALPHA: KeyDoc = KeyDoc::number("ewma_alpha", 0.45)
    .above(0.0)
    .at_most(1.0)
    .help("Weight of the newest sample in the averages of arrivals, dispatches and capacity");
const INITIAL_CAPACITY: KeyDoc = KeyDoc::number("initial_per_consumer_capacity", 2.0)
    .above(0.0)
    .unit("tasks/s")
    .help("Tasks per second of one worker, until that is measured");
const TARGET_DRAIN_RATE: KeyDoc = KeyDoc::number("target_backlog_drain_rate", 2.0)
    .unit("tasks/s")
    .help("Added to the arrival rate while a backlog waits; 0: size from the arrival rate alone");
const MATERIAL_BACKLOG: KeyDoc = KeyDoc::integer("material_backlog_threshold", 50)
    .at_least(1.0)
    .unit("tasks")
    .help("A poll measures the capacity of one worker only with at least this backlog, as only then all are busy");
const UTILIZATION_TARGET: KeyDoc = KeyDoc::number("utilization_target", 0.80)
    .above(0.0)
    .at_most(1.0)
    .help("Share of the time that a worker shall be busy");
const HALFIN_WHITT_BETA: KeyDoc = KeyDoc::number("halfin_whitt_beta", 0.5)
    .help("Safety staffing: this many times the square root of the offered load");
const MAX_SCALE_UP_STEP: KeyDoc =
    KeyDoc::count("max_scale_up_step", 4).at_least(1.0).help("A poll adds at most this many workers");
const SCALE_UP_COOLDOWN: KeyDoc =
    KeyDoc::millis("scale_up_cooldown_ms", 2_000).help("Shortest time between two scale-ups");
const SCALE_DOWN_COOLDOWN: KeyDoc =
    KeyDoc::millis("scale_down_cooldown_ms", 60_000).help("Shortest time between two scale-downs");
const NO_SYNC_QUIET: KeyDoc = KeyDoc::millis("no_sync_quiet_ms", 90_000)
    .help("No scale-down this long after a task found no waiting worker");

pub(in crate::algorithm) const KEYS: &[KeyDoc] = &[
    MIN_COUNT,
    MAX_COUNT,
    INITIAL_COUNT,
    METRICS_POLL_INTERVAL,
    EWMA_ALPHA,
    INITIAL_CAPACITY,
    TARGET_DRAIN_RATE,
    MATERIAL_BACKLOG,
    UTILIZATION_TARGET,
    HALFIN_WHITT_BETA,
    MAX_SCALE_UP_STEP,
    SCALE_UP_COOLDOWN,
    SCALE_DOWN_COOLDOWN,
    NO_SYNC_QUIET,
];

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Config {
    pub(super) bounds: Bounds,
    pub(super) initial_count: u32,
    pub(super) poll_interval: Millis,
    pub(super) alpha: f64,
    pub(super) initial_capacity: f64,
    pub(super) drain_rate: f64,
    pub(super) material_backlog: i64,
    pub(super) utilization_target: f64,
    pub(super) beta: f64,
    pub(super) max_step: u32,
    pub(super) up_cooldown: Millis,
    pub(super) down_cooldown: Millis,
    pub(super) no_sync_quiet: Millis,
}

impl Config {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConfigError> {
        let config = Reader::new(config, KEYS)?;
        let read = Self {
            bounds: Bounds::read(&config, &MAX_COUNT)?,
            initial_count: config.count(&INITIAL_COUNT)?,
            poll_interval: Millis::new(config.integer(&METRICS_POLL_INTERVAL)?),
            alpha: config.number(&EWMA_ALPHA)?,
            initial_capacity: config.number(&INITIAL_CAPACITY)?,
            drain_rate: config.number(&TARGET_DRAIN_RATE)?,
            material_backlog: config.integer(&MATERIAL_BACKLOG)?,
            utilization_target: config.number(&UTILIZATION_TARGET)?,
            beta: config.number(&HALFIN_WHITT_BETA)?,
            max_step: config.count(&MAX_SCALE_UP_STEP)?,
            up_cooldown: Millis::new(config.integer(&SCALE_UP_COOLDOWN)?),
            down_cooldown: Millis::new(config.integer(&SCALE_DOWN_COOLDOWN)?),
            no_sync_quiet: Millis::new(config.integer(&NO_SYNC_QUIET)?),
        };
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Bounds { min, max } = self.bounds;
        if self.initial_count != self.bounds.clamp(self.initial_count) {
            let expected = format!("between min_count ({min}) and max_count ({max})");
            return Err(ConfigError::new(INITIAL_COUNT.key, self.initial_count.to_string(), expected));
        }
        for (cooldown, doc) in
            [(self.up_cooldown, SCALE_UP_COOLDOWN), (self.down_cooldown, SCALE_DOWN_COOLDOWN)]
        {
            if cooldown > Millis::ZERO && self.poll_interval < cooldown {
                let expected = format!("at least {} ({}), which would block polls", doc.key, cooldown.get());
                let found = self.poll_interval.get().to_string();
                return Err(ConfigError::new(METRICS_POLL_INTERVAL.key, found, expected));
            }
        }
        Ok(())
    }
}
