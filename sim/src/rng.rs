//! Named random streams and keys, all derived from the scenario's seed.
//!
//! What is drawn at arrival comes from a [`Stream`] of its workload; everything later is keyed by what it belongs
//! to ([`key`], [`keyed`]), so that changing the algorithm changes nobody's luck (common random numbers).

use rand::Rng as _;
use rand::SeedableRng as _;
use rand_pcg::Pcg64Mcg;

/// One stream of random numbers; the same on every platform.
#[derive(Clone, Debug)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream of this name under this seed.
    #[must_use]
    pub fn named(seed: u64, name: &str) -> Self {
        let label = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self::from_key(key(seed, [label, 0]))
    }

    /// The stream that belongs to a key.
    #[must_use]
    pub fn from_key(key: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(key))
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), 53 bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        unit(self.next_u64())
    }

    /// Uniform in 0..n without bias worth the name (multiply and shift); 0 when n is 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        below(self.next_u64(), n)
    }
}

/// Maps 64 bits to [0, 1).
#[inline]
#[must_use]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// Maps 64 bits to 0..n.
#[inline]
#[must_use]
pub fn below(bits: u64, n: u64) -> u64 {
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

/// The SplitMix64 finaliser over a seed and two words: random bits that belong to this key alone.
#[inline]
#[must_use]
pub const fn key(seed: u64, words: [u64; 2]) -> u64 {
    mix(mix(mix(seed).wrapping_add(words[0])).wrapping_add(words[1]))
}

/// A short stream for draws that belong to a key.
#[must_use]
pub fn keyed(seed: u64, words: [u64; 2]) -> Stream {
    Stream::from_key(key(seed, words))
}

#[inline]
const fn mix(word: u64) -> u64 {
    let mut z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
