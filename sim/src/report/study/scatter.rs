//! Points in a plane as SVG: what one figure costs in another.

use crate::report::chart::{Axis, Ink, Scale, Tick};
use crate::report::html::escape;
use crate::scenario::expect::Quantity;
use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 64.0;

/// A cloud of points.
#[derive(Clone, Debug, Default)]
pub struct Scatter {
    /// What it shows.
    pub title: String,
    /// The horizontal figure and its kind.
    pub x: (String, Option<Quantity>),
    /// The vertical figure and its kind.
    pub y: (String, Option<Quantity>),
    /// The points, later ones above.
    pub points: Vec<Dot>,
    /// A limit on the vertical figure.
    pub limit: Option<f64>,
}

/// One point.
#[derive(Clone, Debug)]
pub struct Dot {
    /// Horizontally.
    pub x: f64,
    /// Vertically.
    pub y: f64,
    /// What kind of point it is.
    pub kind: Kind,
    /// Its name.
    pub label: String,
}

/// What kind of point it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tried.
    Tried,
    /// No other point is better in both figures.
    Front,
    /// The chosen one, with its name.
    Best,
    /// What it is compared with, with its name.
    Rival,
    /// What is there already, with its name.
    Written,
    /// One replication of many.
    Run,
}

impl Kind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Tried, "tried"),
        (Self::Front, "front: none is better in both"),
        (Self::Best, "found"),
        (Self::Rival, "compared"),
        (Self::Written, "as written"),
        (Self::Run, "a replication"),
    ];

    const fn look(self) -> (Ink, f64) {
        match self {
            Self::Tried => (Ink::Grey, 4.0),
            Self::Front => (Ink::Blue, 5.0),
            Self::Best => (Ink::Green, 8.0),
            Self::Rival => (Ink::Vermillion, 6.0),
            Self::Written => (Ink::Purple, 7.0),
            Self::Run => (Ink::Blue, 5.0),
        }
    }
}

impl Scatter {
    /// The picture as a file of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        let x = axis(self.points.iter().map(|dot| dot.x), self.x.1);
        let y = axis(self.points.iter().map(|dot| dot.y).chain(self.limit), self.y.1);
        let title = escape(&self.title);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} \
             {HEIGHT}\" role=\"img\" aria-label=\"{title}\" font-family=\"sans-serif\" font-size=\"15\">\n\
             <title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{}\"/>\n",
            Ink::Paper.hex()
        );
        text(&mut out, (LEFT, 24.0), &self.title, "start", Ink::Text);
        grid(&mut out, &x, &y);
        text(&mut out, (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 14.0), &self.x.0, "middle", Ink::Text);
        text(&mut out, (16.0, TOP - 16.0), &self.y.0, "start", Ink::Text);
        if let Some(limit) = self.limit {
            let at = place_y(&y, limit);
            let _ = writeln!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"{}\" stroke-dasharray=\"6 5\"/>",
                WIDTH - RIGHT,
                Ink::Vermillion.hex()
            );
            // At the very top it would stand in the legend.
            let beside = if at < TOP + 20.0 { at + 18.0 } else { at - 6.0 };
            text(&mut out, (WIDTH - RIGHT - 4.0, beside), "limit", "end", Ink::Vermillion);
        }
        let places: Vec<_> =
            self.points.iter().map(|dot| (dot, (place_x(&x, dot.x), place_y(&y, dot.y)))).collect();
        places.iter().for_each(|(dot, at)| draw(&mut out, dot, *at));
        let mut taken = Vec::new();
        places.iter().for_each(|(dot, at)| name(&mut out, dot, *at, &mut taken));
        self.legend(&mut out);
        out.push_str("</svg>\n");
        out
    }

    fn legend(&self, out: &mut String) {
        let mut x = WIDTH - RIGHT;
        for (kind, name) in
            Kind::ALL.iter().rev().filter(|(kind, _)| self.points.iter().any(|dot| dot.kind == *kind))
        {
            // Widths are guessed: what is guessed too wide is left free before the next entry.
            x -= name.len() as f64 * 7.4;
            text(out, (x, 48.0), name, "start", Ink::Soft);
            let (ink, size) = kind.look();
            let _ = writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"43\" r=\"{size}\" fill=\"{}\"/>",
                x - 14.0,
                ink.hex()
            );
            x -= 40.0;
        }
    }
}

fn axis(values: impl Iterator<Item = f64>, quantity: Option<Quantity>) -> Axis {
    let scale = match quantity {
        Some(Quantity::Usd) => Scale::Dollars,
        Some(Quantity::Millis) => Scale::LogMillis,
        Some(Quantity::Share) => Scale::Percent,
        _ => Scale::Linear,
    };
    let values: Vec<f64> = values.collect();
    Axis::around(values.into_iter(), scale)
}

fn place_x(axis: &Axis, value: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * axis.height(value)
}

fn place_y(axis: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * axis.height(value)
}

fn grid(out: &mut String, x: &Axis, y: &Axis) {
    let (bottom, right, ink) = (HEIGHT - BOTTOM, WIDTH - RIGHT, Ink::Grid.hex());
    for Tick { at, label } in &y.ticks {
        let y = place_y(y, *at);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{ink}\"/>"
        );
        text(out, (LEFT - 8.0, y + 5.0), label, "end", Ink::Soft);
    }
    for Tick { at, label } in &x.ticks {
        let x = place_x(x, *at);
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"{ink}\"/>"
        );
        text(out, (x, bottom + 20.0), label, "middle", Ink::Soft);
    }
}

fn draw(out: &mut String, dot: &Dot, (x, y): (f64, f64)) {
    let (ink, size) = dot.kind.look();
    let _ = writeln!(
        out,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{size}\" fill=\"{}\"><title>{}</title></circle>",
        ink.hex(),
        escape(&dot.label)
    );
}

/// The name beside a point, on the first line around it that no other name has taken.
fn name(out: &mut String, dot: &Dot, (x, y): (f64, f64), taken: &mut Vec<(f64, f64, f64)>) {
    if matches!(dot.kind, Kind::Tried | Kind::Front | Kind::Run) {
        return;
    }
    let width = dot.label.chars().count() as f64 * 7.8;
    // To the right of the point, but for a name that only has room on its left.
    let is_left = x + 12.0 + width > WIDTH - RIGHT && x - 12.0 - width > LEFT;
    let (at, anchor) = if is_left { (x - 12.0, "end") } else { (x + 12.0, "start") };
    let from = if is_left { at - width } else { at };
    let is_free = |y: f64, taken: &[(f64, f64, f64)]| {
        let is_clear = |(low, high, line): &(f64, f64, f64)| {
            (line - y).abs() >= 15.0 || from > *high || from + width < *low
        };
        y > TOP - 10.0 && y < HEIGHT - BOTTOM + 4.0 && taken.iter().all(is_clear)
    };
    let lines = (0..12).flat_map(|i| [-f64::from(i), f64::from(i)]).map(|i| y + 5.0 + 16.0 * i);
    let line = lines.into_iter().find(|line| is_free(*line, taken)).unwrap_or(y);
    taken.push((from, from + width, line));
    if (line - y - 5.0).abs() > 12.0 {
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\" stroke=\"{}\"/>",
            line - 5.0,
            Ink::Grey.hex()
        );
    }
    text(out, (at, line), &dot.label, anchor, Ink::Text);
}

fn text(out: &mut String, (x, y): (f64, f64), text: &str, anchor: &str, ink: Ink) {
    let (ink, text) = (ink.hex(), escape(text));
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{ink}\">{text}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_on_the_scale_beside_it() {
        let is_left = |x: f64, letters: usize| {
            let label = "n".repeat(letters);
            let end = Dot { x: 1.0, y: 1.0, kind: Kind::Tried, label: String::new() };
            let dot = Dot { x, y: 1.0, kind: Kind::Rival, label: label.clone() };
            let svg = Scatter { points: vec![end, dot], ..Scatter::default() }.svg();
            let line = svg.lines().find(|line| line.ends_with(&format!(">{label}</text>"))).unwrap();
            line.contains("text-anchor=\"end\"")
        };
        assert!(!is_left(0.1, 10), "there is room on the right");
        assert!(is_left(0.9, 20), "there is room on the left only");
        assert!(!is_left(0.4, 80), "there is none on either side");
    }

    #[test]
    fn the_word_at_a_limit_stays_out_of_the_legend() {
        let word_at = |limit: f64| {
            let dot = Dot { x: 1.0, y: 5.0, kind: Kind::Tried, label: String::new() };
            let y = ("wait".to_owned(), Some(Quantity::Millis));
            let svg = Scatter { points: vec![dot], limit: Some(limit), y, ..Scatter::default() }.svg();
            let (before, _) = svg.split_once(">limit<").unwrap();
            let (_, at) = before.rsplit_once(" y=\"").unwrap();
            at.split('"').next().unwrap().parse::<f64>().unwrap()
        };
        assert!(word_at(100.0) > TOP, "at the very top: {}", word_at(100.0));
        assert!(word_at(30.0) > TOP, "below it: {}", word_at(30.0));
    }
}
