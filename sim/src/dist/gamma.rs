//! Gamma draws by the method of Marsaglia and Tsang (2000): one normal and one uniform, accepted in 95 of 100 cases.

use super::ziggurat::Ziggurat;
use crate::rng::Stream;

/// A gamma distribution ready to draw from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gamma {
    pub(super) shape: f64,
    pub(super) scale: f64,
    /// The method's d and c for the shape, or for shape + 1 where the shape is below 1.
    d: f64,
    c: f64,
    factor: f64,
    log_factor: f64,
}

impl Gamma {
    pub(super) fn new(shape: f64, scale: f64) -> Self {
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        let factor = d * scale;
        Self { shape, scale, d, c: 1.0 / (9.0 * d).sqrt(), factor, log_factor: libm::log(factor) }
    }

    #[inline]
    pub(super) fn draw(&self, ziggurat: &Ziggurat, stream: &mut Stream) -> f64 {
        let cube = self.cube(ziggurat, stream);
        if self.shape >= 1.0 {
            return self.factor * cube;
        }
        // Gamma(a) = Gamma(a + 1) * U^(1/a), and -log U is exponential.
        cube * libm::exp(self.log_factor - ziggurat.exponential(stream) / self.shape)
    }

    #[inline]
    fn cube(&self, ziggurat: &Ziggurat, stream: &mut Stream) -> f64 {
        loop {
            let normal = ziggurat.normal(stream);
            let root = 1.0 + self.c * normal;
            if root <= 0.0 {
                continue;
            }
            let cube = root * root * root;
            let (uniform, square) = (stream.uniform(), normal * normal);
            // The first test spares nearly all logarithms; 0.0331 is the paper's constant.
            if uniform < 1.0 - 0.0331 * square * square
                || libm::log(uniform) < 0.5 * square + self.d * (1.0 - cube + libm::log(cube))
            {
                return cube;
            }
        }
    }
}
