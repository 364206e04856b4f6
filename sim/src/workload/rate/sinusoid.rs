//! A day's rise and fall: a sinusoidal rate.

use std::f64::consts::TAU;

/// `mean * (1 + depth * sin(angle))`, the angle growing by a full turn a period.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sinusoid {
    mean: f64,
    depth: f64,
    period: f64,
    /// Angle at time 0 and its cosine.
    angle: f64,
    cosine: f64,
}

impl Sinusoid {
    pub(super) fn new(mean: f64, depth: f64, period: u64, phase: u64) -> Self {
        let angle = TAU * ((phase % period) as f64 / period as f64);
        Self { mean, depth: depth.min(1.0), period: period as f64, angle, cosine: libm::cos(angle) }
    }

    pub(super) fn rate(&self, now: f64) -> f64 {
        let (_, turn) = whole_and_rest(now / self.period);
        self.mean * (1.0 + self.depth * libm::sin(self.angle + TAU * turn))
    }

    /// The share of a period's arrivals expected by a share of the period, and how steeply it rises there.
    fn share(&self, turn: f64) -> (f64, f64) {
        let (sine, cosine) = libm::sincos(self.angle + TAU * turn);
        (turn + self.depth / TAU * (self.cosine - cosine), 1.0 + self.depth * sine)
    }

    /// Inverts [`Self::share`] by Newton's method from `guess`, kept between two bounds that halve where it fails.
    fn turn(&self, share: f64, guess: f64) -> Turn {
        let reach = self.depth / TAU * 2.0;
        let (mut low, mut high) = ((share - reach).max(0.0), (share + reach).min(1.0));
        let mut turn = guess.clamp(low, high);
        let mut slope = 1.0;
        // 53 halvings leave neighbouring numbers; Newton's steps need one or two.
        for _ in 0..64 {
            let (reached, rise) = self.share(turn);
            slope = rise;
            if reached < share {
                low = turn
            } else {
                high = turn
            }
            let step = (share - reached) / rise;
            let next = turn + step;
            if !(low..=high).contains(&next) {
                turn = low + (high - low) / 2.0;
                continue;
            }
            turn = next;
            // The error left is at most half the curvature times the step squared.
            if step * step * TAU < 1e-17 * rise {
                break;
            }
        }
        Turn { share, turn, slope }
    }
}

/// A sinusoidal rate that runs: remembers its last answer, near which the next one lies.
#[derive(Clone, Copy, Debug)]
pub(in crate::workload) struct Wave {
    sinusoid: Sinusoid,
    last: Turn,
}

/// A share of a period's arrivals, the share of the period by which they are expected, and the rise there.
#[derive(Clone, Copy, Debug)]
struct Turn {
    share: f64,
    turn: f64,
    slope: f64,
}

impl Wave {
    pub(super) fn new(sinusoid: Sinusoid) -> Self {
        let (_, slope) = sinusoid.share(0.0);
        Self { sinusoid, last: Turn { share: 0.0, turn: 0.0, slope } }
    }

    pub(super) fn time(&mut self, expected: f64) -> f64 {
        let (periods, share) = whole_and_rest(expected / (self.sinusoid.mean * self.sinusoid.period));
        let guess = self.last.turn + (share - self.last.share) / self.last.slope.max(1e-3);
        self.last = self.sinusoid.turn(share, guess);
        (periods + self.last.turn) * self.sinusoid.period
    }

    pub(super) fn expected(&self, now: f64) -> f64 {
        let (periods, turn) = whole_and_rest(now / self.sinusoid.period);
        let (share, _) = self.sinusoid.share(turn);
        (periods + share) * (self.sinusoid.mean * self.sinusoid.period)
    }
}

fn whole_and_rest(x: f64) -> (f64, f64) {
    let whole = x.floor();
    (whole, x - whole)
}
