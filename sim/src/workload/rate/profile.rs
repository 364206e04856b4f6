//! Rates that run in straight pieces: steps, ramps, a rate for each interval.

/// Straight pieces one after the other from time 0 on.
#[derive(Clone, Debug)]
pub(in crate::workload) struct Profile {
    pieces: Vec<Piece>,
    repeat: bool,
    /// Length and expected arrivals of all pieces.
    length: f64,
    expected: f64,
}

/// What follows the pieces.
pub(super) enum After {
    /// This rate without end.
    Hold(f64),
    /// The pieces again.
    Repeat,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    start: f64,
    width: f64,
    /// Expected arrivals before the piece and by its end.
    before: f64,
    by_end: f64,
    /// Rate at its start, and how it grows.
    rate: f64,
    slope: f64,
}

impl Profile {
    /// From (width, rate at the start, rate at the end) of each piece.
    pub(super) fn new(pieces: impl Iterator<Item = (u64, f64, f64)>, after: After) -> Self {
        let mut profile = Self { pieces: Vec::new(), repeat: false, length: 0.0, expected: 0.0 };
        for (width, from, to) in pieces.filter(|piece| piece.0 > 0) {
            let width = width as f64;
            profile.push(width, from, (to - from) / width, width * (from + to) / 2.0);
        }
        match after {
            // Without arrivals the second time is as empty as the first.
            After::Repeat => profile.repeat = profile.expected > 0.0,
            After::Hold(rate) => {
                let endless = if rate > 0.0 { f64::INFINITY } else { 0.0 };
                profile.push(f64::INFINITY, rate, 0.0, endless);
            }
        }
        profile
    }

    fn push(&mut self, width: f64, rate: f64, slope: f64, arrivals: f64) {
        let (start, before) = (self.length, self.expected);
        self.length += width;
        self.expected += arrivals;
        self.pieces.push(Piece { start, width, before, by_end: self.expected, rate, slope });
    }

    /// When `expected` arrivals are expected. `hint` is the piece of the last answer, where the search begins.
    #[inline]
    pub(super) fn time(&self, expected: f64, hint: &mut usize) -> f64 {
        let rounds = if self.repeat { (expected / self.expected).floor() } else { 0.0 };
        let (start, expected) = if rounds > 0.0 {
            // Rounding may leave a little less than nothing.
            (rounds * self.length, (expected - rounds * self.expected).max(0.0))
        } else {
            (0.0, expected)
        };
        if self.pieces.get(*hint).is_none_or(|piece| piece.before > expected) {
            *hint = 0;
        }
        // A piece without arrivals is passed over: the next arrival comes when the rate is back.
        while self.pieces.get(*hint).is_some_and(|piece| piece.by_end <= expected) {
            *hint += 1;
        }
        match self.pieces.get(*hint) {
            Some(piece) => start + piece.time(expected),
            None if self.repeat => start + self.length,
            None => f64::INFINITY,
        }
    }

    pub(super) fn expected(&self, now: f64) -> f64 {
        let (rounds, now) = self.rounds(now);
        let piece = self.piece(now);
        let passed = (now - piece.start).min(piece.width);
        // A last piece without end makes the sum infinite, and never comes round.
        let whole = if rounds > 0.0 { rounds * self.expected } else { 0.0 };
        whole + piece.before + passed * (piece.rate + piece.slope * passed / 2.0)
    }

    pub(super) fn rate(&self, now: f64) -> f64 {
        let (_, now) = self.rounds(now);
        let piece = self.piece(now);
        if now < piece.start + piece.width { piece.rate + piece.slope * (now - piece.start) } else { 0.0 }
    }

    /// Whole rounds before `now`, and the time since the last.
    fn rounds(&self, now: f64) -> (f64, f64) {
        if !self.repeat {
            return (0.0, now);
        }
        let rounds = (now / self.length).floor();
        (rounds, (now - rounds * self.length).max(0.0))
    }

    /// The piece at a time: there is at least one, and the first starts at 0.
    fn piece(&self, now: f64) -> Piece {
        let after = self.pieces.partition_point(|piece| piece.start <= now);
        self.pieces[after.saturating_sub(1)]
    }
}

impl Piece {
    /// Solves `rate * t + slope * t^2 / 2 = expected - before` in the form that does not cancel.
    #[inline]
    fn time(&self, expected: f64) -> f64 {
        let missing = expected - self.before;
        if missing <= 0.0 {
            return self.start;
        }
        if self.slope == 0.0 {
            return self.start + (missing / self.rate).min(self.width);
        }
        let root = (self.rate * self.rate + 2.0 * self.slope * missing).max(0.0).sqrt();
        self.start + (2.0 * missing / (self.rate + root)).min(self.width)
    }
}
