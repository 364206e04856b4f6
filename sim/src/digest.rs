//! A 64-bit digest fed with integers in code, never with text.

/// Everything that happened in one number.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0x7763_6920_7369_6d31)
    }
}

impl Digest {
    /// Feeds a number.
    #[inline]
    pub const fn feed(&mut self, word: u64) {
        // The mixing step of SplitMix64 over state and word: order matters, and every bit reaches every other.
        let mut z = self.0.rotate_left(23) ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = z ^ (z >> 31);
    }

    /// Feeds a wide number.
    pub const fn feed_wide(&mut self, word: u128) {
        self.feed(word as u64);
        self.feed((word >> 64) as u64);
    }

    /// The digest as 16 hexadecimal digits.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:016x}", self.0)
    }
}
