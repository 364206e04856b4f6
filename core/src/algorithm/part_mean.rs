//! The mean over a part of time that has begun, for rules that average over fixed parts of time.

use super::state::{Slot, count, finite, time};
use crate::config::ConfigMap;

/// The mean of what was seen since the present part of time began.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartMean {
    part: Slot<i64>,
    mean: Slot<f64>,
    looks: Slot<u32>,
}

impl PartMean {
    const PART: &'static str = "part_number";
    const MEAN: &'static str = "part_mean";
    const LOOKS: &'static str = "part_look_count";

    pub(super) fn read(state: &ConfigMap) -> Self {
        Self {
            part: Slot::strict(state, Self::PART, time),
            mean: Slot::strict(state, Self::MEAN, finite),
            looks: Slot::strict(state, Self::LOOKS, count),
        }
    }

    pub(super) fn write(&self, state: &mut ConfigMap) {
        self.part.write(Self::PART, state);
        self.mean.write(Self::MEAN, state);
        self.looks.write(Self::LOOKS, state);
    }

    /// The number of the part that has begun.
    pub(super) const fn part(&self) -> Option<i64> {
        self.part.get()
    }

    /// Takes a value in that was seen in this part; another part than the last one ends that, and its number and
    /// mean come back.
    pub(super) fn add(&mut self, part: i64, value: f64) -> Option<(i64, f64)> {
        let is_new = self.part.get() != Some(part);
        let ended = self.part.get().zip(self.mean.get()).filter(|_| is_new);
        let looks = if is_new { 0 } else { self.looks.get().unwrap_or(0) };
        let mean = if looks == 0 { value } else { self.mean.get().unwrap_or(value) };
        let looks = looks.saturating_add(1).min(i32::MAX.cast_unsigned());
        self.part.set(part);
        self.looks.set(looks);
        self.mean.set(mean + (value - mean) / f64::from(looks));
        ended
    }
}

#[cfg(test)]
mod tests {
    //! Where a part ends.

    use super::*;

    #[test]
    fn a_part_ends_with_the_first_value_of_another_one() {
        let mut mean = PartMean::read(&ConfigMap::new());
        assert_eq!([mean.add(7, 1.0), mean.add(7, 2.0), mean.add(7, 6.0)], [None; 3]);
        assert_eq!(
            (mean.add(9, 5.0), mean.add(9, 7.0), mean.add(8, 0.0)),
            (Some((7, 3.0)), None, Some((9, 6.0)))
        );
    }
}
