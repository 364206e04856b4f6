//! A histogram with buckets in proportion to their values: 64 KiB for any number of values.

/// Buckets a doubling has: the middle of a bucket is within 0.4 % of all its values.
const BITS: u32 = 7;

/// Counts values by their leading bits.
#[derive(Clone, Debug)]
pub(super) struct LogHistogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Default for LogHistogram {
    fn default() -> Self {
        Self { counts: vec![0; (64 - BITS as usize + 1) << BITS], total: 0, max: 0 }
    }
}

impl LogHistogram {
    pub(super) fn add(&mut self, value: u64) {
        self.counts[bucket(value)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    pub(super) fn max(&self) -> u64 {
        self.max
    }

    /// The value below which a share `q` lies; 0 if there are none.
    pub(super) fn quantile(&self, q: f64) -> u64 {
        let rank = ((q * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.map_or(0, |bucket| middle(bucket).min(self.max))
    }
}

/// Values below 2^BITS have their own buckets; above, the exponent and BITS bits after the first.
fn bucket(value: u64) -> usize {
    let exponent = value.checked_ilog2().unwrap_or(0).saturating_sub(BITS);
    ((exponent as usize) << BITS) + (value >> exponent) as usize
}

fn middle(bucket: usize) -> u64 {
    let exponent = (bucket >> BITS).saturating_sub(1);
    let lower = ((bucket - (exponent << BITS)) as u64) << exponent;
    lower + ((1_u64 << exponent) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_are_close_to_every_value() {
        let mut value = 1_u64;
        while value < u64::MAX / 3 {
            let close = middle(bucket(value)).abs_diff(value) as f64 / value as f64;
            assert!(close <= 0.004, "{value}: {close}");
            value += value / 5 + 1;
        }
        assert_eq!(middle(bucket(0)), 0);
        assert!(bucket(u64::MAX) < LogHistogram::default().counts.len());
    }

    #[test]
    fn quantiles_count_from_below() {
        let mut histogram = LogHistogram::default();
        (1..=100).for_each(|v| histogram.add(v));
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|q| histogram.quantile(q)), [1, 50, 99, 100]);
        assert_eq!(LogHistogram::default().quantile(0.5), 0);
    }
}
