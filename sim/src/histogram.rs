//! Waiting times in logarithmic buckets: one increment a value, flat memory, quantiles within 0.8 %.

use serde::{Deserialize, Serialize};

/// Buckets an octave is cut into: a value is known to 1/128 of itself.
const MANTISSA_BITS: u32 = 7;
const PER_OCTAVE: usize = 1 << MANTISSA_BITS;
/// Buckets that cover every `u64`.
const BUCKETS: usize = (64 - MANTISSA_BITS as usize + 1) * PER_OCTAVE;
/// A sketch joins this many neighbours: 8 buckets an octave.
const SKETCH_SHIFT: u32 = 4;
/// Buckets of a sketch.
pub const SKETCH_BUCKETS: usize = BUCKETS >> SKETCH_SHIFT;

/// The bucket of a value in nanoseconds.
#[inline]
#[must_use]
pub const fn bucket_of(value: u64) -> usize {
    if value < PER_OCTAVE as u64 {
        return value as usize;
    }
    let octave = 63 - value.leading_zeros() - MANTISSA_BITS;
    ((octave as usize) << MANTISSA_BITS) + (value >> octave) as usize
}

/// The sketch's bucket of a bucket.
#[inline]
#[must_use]
pub const fn sketch_of(bucket: usize) -> usize {
    bucket >> SKETCH_SHIFT
}

/// The smallest value of a bucket.
#[must_use]
pub const fn lower_edge(bucket: usize) -> u64 {
    if bucket < 2 * PER_OCTAVE {
        return bucket as u64;
    }
    let octave = (bucket >> MANTISSA_BITS) - 1;
    if octave > 63 - MANTISSA_BITS as usize {
        return u64::MAX;
    }
    ((bucket & (PER_OCTAVE - 1)) as u64 + PER_OCTAVE as u64) << octave
}

/// Counts of values in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Histogram {
    /// Counts a value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.record_in(bucket_of(value), value);
    }

    /// Counts a value whose bucket is known.
    #[inline]
    pub fn record_in(&mut self, bucket: usize, value: u64) {
        self.counts[bucket] += 1;
        self.count += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds another one's counts.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Adds the counts of one that was kept.
    pub fn add(&mut self, sparse: &Sparse) {
        for (bucket, n) in &sparse.buckets {
            // A bucket that does not exist was never written by us.
            if let Some(count) = self.counts.get_mut(*bucket as usize) {
                *count += n;
                self.count += n;
            }
        }
        self.sum += u128::from(sparse.sum[0]) << 64 | u128::from(sparse.sum[1]);
        self.min = self.min.min(sparse.min);
        self.max = self.max.max(sparse.max);
    }

    /// How many values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    #[must_use]
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// The largest; 0 when there is none.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// The value that a share `p` (0 to 1) of the values does not exceed, interpolated inside its bucket but never
    /// outside of what was recorded.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let rank = (p * self.count as f64).ceil().max(1.0) as u64;
        let (min, max) = (self.min as f64, self.max as f64);
        (self.count > 0).then(|| self.value_at(rank.min(self.count)).clamp(min, max))
    }

    /// How many values lie in buckets wholly below `value`'s bucket.
    #[must_use]
    pub fn count_below(&self, value: u64) -> u64 {
        self.counts[..bucket_of(value)].iter().sum()
    }

    /// The non-empty buckets.
    pub fn non_empty(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, n)| (i, *n))
    }

    fn value_at(&self, rank: u64) -> f64 {
        if rank == self.count {
            return self.max as f64;
        }
        let mut below = 0;
        for (bucket, n) in self.non_empty() {
            if below + n >= rank {
                let low = lower_edge(bucket) as f64;
                let high = lower_edge(bucket + 1).min(self.max.saturating_add(1)) as f64;
                let inside = ((rank - below) as f64 - 0.5) / n as f64;
                // Values below 128 ns have a bucket each: nothing to interpolate.
                return if high - low <= 1.0 { low } else { low + (high - low) * inside };
            }
            below += n;
        }
        self.max as f64
    }
}

/// A histogram that is kept or written to a file: most buckets are empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sparse {
    buckets: Vec<(u32, u64)>,
    /// High and low half, because few formats know wider integers.
    sum: [u64; 2],
    min: u64,
    max: u64,
}

impl Default for Sparse {
    fn default() -> Self {
        Self::from(&Histogram::default())
    }
}

impl From<&Histogram> for Sparse {
    fn from(full: &Histogram) -> Self {
        Self {
            buckets: full.non_empty().map(|(bucket, n)| (bucket as u32, n)).collect(),
            sum: [(full.sum >> 64) as u64, full.sum as u64],
            min: full.min,
            max: full.max,
        }
    }
}

/// Quantile of a sketch given as counts by bucket; the geometric middle of the bucket it falls in.
#[must_use]
pub fn sketch_quantile(counts: &[(u16, u32)], p: f64) -> Option<f64> {
    let total: u64 = counts.iter().map(|(_, n)| u64::from(*n)).sum();
    let rank = ((p * total as f64).ceil() as u64).clamp(1, total.max(1));
    let mut below = 0;
    for &(bucket, n) in counts {
        below += u64::from(n);
        if below >= rank {
            let low = lower_edge(usize::from(bucket) << SKETCH_SHIFT) as f64;
            let high = lower_edge((usize::from(bucket) + 1) << SKETCH_SHIFT) as f64;
            return Some(if bucket == 0 { 0.0 } else { (low * high).sqrt() });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_cover_every_value_without_gaps() {
        for bucket in 0..BUCKETS - 1 {
            let low = lower_edge(bucket);
            assert_eq!(bucket_of(low), bucket, "lower edge of {bucket}");
            assert_eq!(bucket_of(lower_edge(bucket + 1).saturating_sub(1)), bucket, "upper edge of {bucket}");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_within_one_percent() {
        let mut histogram = Histogram::default();
        for i in 1..=100_000_u64 {
            histogram.record(i * 1_000_003);
        }
        for p in [0.5, 0.9, 0.95, 0.99, 0.999] {
            let exact = p * 100_000.0 * 1_000_003.0;
            let found = histogram.quantile(p).expect("there are values");
            assert!((found / exact - 1.0).abs() < 0.008, "{p}: {found} instead of {exact}");
        }
        assert_eq!(histogram.quantile(1.0), Some(100_000.0 * 1_000_003.0));
    }

    #[test]
    fn a_quantile_lies_between_the_smallest_and_the_largest() {
        let mut histogram = Histogram::default();
        for value in [1_000_000, 1_000_000, 1_000_000, 1_001_000] {
            histogram.record(value);
        }
        for p in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let found = histogram.quantile(p).expect("there are values");
            assert!((1_000_000.0..=1_001_000.0).contains(&found), "{p}: {found}");
        }
    }

    #[test]
    fn survives_being_kept_and_read() {
        let mut histogram = Histogram::default();
        [0, 1, 127, 128, 5_000_000, u64::MAX, u64::MAX].into_iter().for_each(|value| histogram.record(value));
        for histogram in [histogram, Histogram::default()] {
            let text = serde_json::to_string(&Sparse::from(&histogram)).expect("serialises");
            let mut read = Histogram::default();
            read.add(&serde_json::from_str(&text).expect("parses"));
            assert_eq!(read, histogram);
        }
    }

    #[test]
    fn nothing_recorded_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(sketch_quantile(&[], 0.5), None);
    }
}
