//! Exponential and normal draws by the ziggurat method (Marsaglia and Tsang 2000), 256 layers, 53 bits a draw.
//!
//! The density is cut into 256 layers of equal area. One 64-bit word chooses the layer (8 bits) and a point in it
//! (53 bits); in 99 of 100 draws an integer comparison says that the point lies under the density.

use crate::rng::Stream;
use std::sync::LazyLock;

const LAYERS: usize = 256;
/// Where the lowest layer's rectangle ends and the tail begins, for 256 layers.
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;
const TWO_53: f64 = (1_u64 << 53) as f64;
const TWO_52: f64 = (1_u64 << 52) as f64;

/// The tables of both densities: fetch once, draw often.
pub(super) struct Ziggurat {
    exponential: Table,
    normal: Table,
}

struct Table {
    layers: [Layer; LAYERS],
    /// The density at the right end of each layer's lower edge, from the tail's begin up to the top.
    density: [f64; LAYERS + 1],
}

#[derive(Clone, Copy, Default)]
struct Layer {
    /// Points below lie under the density, whatever their height.
    accept: u64,
    /// From integer to point.
    scale: f64,
}

static TABLES: LazyLock<Ziggurat> = LazyLock::new(Ziggurat::new);

impl Ziggurat {
    /// The tables, computed at first use.
    #[inline]
    pub(super) fn tables() -> &'static Self {
        &TABLES
    }

    fn new() -> Self {
        let r = EXPONENTIAL_TAIL;
        let exponential =
            Table::new(r, (r + 1.0) * libm::exp(-r), TWO_53, exponential_density, |y| -libm::log(y));
        let r = NORMAL_TAIL;
        // The tail's area: the integral of exp(-x^2 / 2) from r on.
        let tail = (std::f64::consts::PI / 2.0).sqrt() * libm::erfc(r * std::f64::consts::FRAC_1_SQRT_2);
        let area = r * normal_density(r) + tail;
        let normal = Table::new(r, area, TWO_52, normal_density, |y| (-2.0 * libm::log(y)).sqrt());
        Self { exponential, normal }
    }

    /// Exponential with mean 1.
    #[inline]
    pub(super) fn exponential(&self, stream: &mut Stream) -> f64 {
        let bits = stream.next_u64();
        let layer = self.exponential.layers[layer_of(bits)];
        let point = bits >> 11;
        // Through i64, which fits: processors convert signed integers in one instruction.
        let x = point as i64 as f64 * layer.scale;
        if point < layer.accept { x } else { self.exponential_at_edge(layer_of(bits), x, stream) }
    }

    /// Normal with mean 0 and standard deviation 1.
    #[inline]
    pub(super) fn normal(&self, stream: &mut Stream) -> f64 {
        let bits = stream.next_u64();
        let layer = self.normal.layers[layer_of(bits)];
        let point = bits as i64 >> 11;
        let x = point as f64 * layer.scale;
        if point.unsigned_abs() < layer.accept { x } else { self.normal_at_edge(layer_of(bits), x, stream) }
    }

    #[cold]
    fn exponential_at_edge(&self, layer: usize, x: f64, stream: &mut Stream) -> f64 {
        if layer == 0 {
            // Beyond any point an exponential begins anew.
            return EXPONENTIAL_TAIL + self.exponential(stream);
        }
        if self.exponential.height(layer, stream) < exponential_density(x) {
            x
        } else {
            self.exponential(stream)
        }
    }

    #[cold]
    fn normal_at_edge(&self, layer: usize, x: f64, stream: &mut Stream) -> f64 {
        if layer == 0 {
            return self.normal_tail(stream).copysign(x);
        }
        if self.normal.height(layer, stream) < normal_density(x) { x } else { self.normal(stream) }
    }

    /// Marsaglia's method for the normal's tail, from two exponentials.
    fn normal_tail(&self, stream: &mut Stream) -> f64 {
        loop {
            let beyond = self.exponential(stream) / NORMAL_TAIL;
            if 2.0 * self.exponential(stream) > beyond * beyond {
                return NORMAL_TAIL + beyond;
            }
        }
    }
}

impl Table {
    /// Layers of equal `area` for a falling density with inverse `inverse`, whose tail begins at `tail`.
    fn new(tail: f64, area: f64, points: f64, density: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Self {
        let mut table = Self { layers: [Layer::default(); LAYERS], density: [1.0; LAYERS + 1] };
        // The lowest layer is as wide as a rectangle of its area would be; what lies beyond `tail` is the tail.
        let mut width = area / density(tail);
        let mut next = tail;
        for (i, layer) in table.layers.iter_mut().enumerate() {
            *layer = Layer { accept: (next / width * points) as u64, scale: width / points };
            table.density[i] = density(width);
            width = next;
            next = if i + 2 < LAYERS { inverse(density(width) + area / width) } else { 0.0 };
        }
        table
    }

    /// A uniform height in a layer.
    fn height(&self, layer: usize, stream: &mut Stream) -> f64 {
        let (low, high) = (self.density[layer], self.density[layer + 1]);
        low + stream.uniform() * (high - low)
    }
}

fn layer_of(bits: u64) -> usize {
    (bits & 0xff) as usize
}

fn exponential_density(x: f64) -> f64 {
    libm::exp(-x)
}

/// Not scaled: 1 at 0.
fn normal_density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_close_at_the_top() {
        for table in [&Ziggurat::tables().exponential, &Ziggurat::tables().normal] {
            assert_eq!(table.layers[LAYERS - 1].accept, 0, "the top layer has no rectangle");
            assert_eq!(table.density[LAYERS], 1.0);
            assert!(table.density.windows(2).skip(1).all(|w| w[0] < w[1]));
        }
        let top = |table: &Table, points: f64| {
            table.layers[LAYERS - 1].scale * points * (1.0 - table.density[LAYERS - 1])
        };
        let exponential = (EXPONENTIAL_TAIL + 1.0) * exponential_density(EXPONENTIAL_TAIL);
        assert!((top(&Ziggurat::tables().exponential, TWO_53) / exponential - 1.0).abs() < 1e-6);
        assert!((top(&Ziggurat::tables().normal, TWO_52) / 0.004_928_673_233_99 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn tails_are_reached_as_often_as_they_should() {
        let mut stream = Stream::named(1, "tails");
        let n = 2_000_000;
        let draws = |mut draw: Box<dyn FnMut() -> f64>, beyond: f64| {
            (0..n).filter(|_| draw().abs() > beyond).count() as f64
        };
        let mut other = stream.clone();
        let exponential = draws(Box::new(move || Ziggurat::tables().exponential(&mut stream)), 8.0);
        let normal = draws(Box::new(move || Ziggurat::tables().normal(&mut other)), 3.7);
        let expected = [f64::from(n) * libm::exp(-8.0), f64::from(n) * libm::erfc(3.7 / 2.0_f64.sqrt())];
        assert!((exponential - expected[0]).abs() < 4.0 * expected[0].sqrt(), "{exponential} {expected:?}");
        assert!((normal - expected[1]).abs() < 4.0 * expected[1].sqrt(), "{normal} {expected:?}");
    }
}
