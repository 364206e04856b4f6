//! Where in a space of several dimensions to look.

use crate::rng::Stream;

/// `n` places between 0 and 1 in each dimension such that each of `n` equal slices of every dimension holds one.
#[must_use]
pub fn latin_hypercube(n: usize, dimensions: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut stream = Stream::named(seed, "latin-hypercube");
    let mut places = vec![Vec::with_capacity(dimensions); n];
    for _ in 0..dimensions {
        let mut slices: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            slices.swap(i, stream.below(i as u64 + 1) as usize);
        }
        for (place, slice) in places.iter_mut().zip(slices) {
            place.push((slice as f64 + stream.uniform()) / n as f64);
        }
    }
    places
}

/// Every combination of indices below the lengths, the last one changing fastest.
#[must_use]
pub fn grid(lengths: &[usize]) -> Vec<Vec<usize>> {
    lengths.iter().fold(vec![Vec::new()], |points, length| {
        let with = |point: &Vec<usize>, i| point.iter().copied().chain([i]).collect();
        points.iter().flat_map(|point| (0..*length).map(move |i| with(point, i))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slice_of_every_dimension_holds_one_place() {
        let places = latin_hypercube(10, 3, 7);
        for dimension in 0..3 {
            let mut slices: Vec<usize> =
                places.iter().map(|place| (place[dimension] * 10.0) as usize).collect();
            slices.sort_unstable();
            assert_eq!(slices, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(places, latin_hypercube(10, 3, 8));
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        assert_eq!(grid(&[2, 3]).len(), 6);
        assert_eq!(grid(&[2, 2]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert_eq!(grid(&[]), [[0; 0]]);
    }
}
