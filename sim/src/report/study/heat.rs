//! A figure over two keys as a map of coloured fields with their numbers.

use super::amount::amount;
use crate::report::chart::Ink;
use crate::report::html::escape;
use crate::scenario::expect::Quantity;
use std::fmt::Write as _;

const LEFT: f64 = 150.0;
const TOP: f64 = 64.0;
const CELL: (f64, f64) = (96.0, 40.0);
/// From light to dark, both readable with one of two inks.
const ENDS: [[f64; 3]; 2] = [[236.0, 244.0, 251.0], [8.0, 69.0, 122.0]];

/// A map.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// What it shows.
    pub title: String,
    /// What the figure is.
    pub quantity: Quantity,
    /// The key from left to right with its values.
    pub across: (String, Vec<String>),
    /// The key from top to bottom with its values.
    pub down: (String, Vec<String>),
    /// Rows of fields; `None`: nothing is known there.
    pub fields: Vec<Vec<Option<f64>>>,
}

impl HeatMap {
    /// The picture as a file of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        let width = LEFT + CELL.0 * self.across.1.len() as f64 + 24.0;
        let height = TOP + CELL.1 * self.down.1.len() as f64 + 72.0;
        let title = escape(&self.title);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
             {height}\" role=\"img\" aria-label=\"{title}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
            Ink::Paper.hex()
        );
        let ink = Ink::Text.hex();
        let _ = writeln!(out, "<text x=\"16\" y=\"24\" font-size=\"15\" fill=\"{ink}\">{title}</text>");
        let _ = writeln!(
            out,
            "<text x=\"16\" y=\"{}\" fill=\"{ink}\">{}</text>",
            TOP - 12.0,
            escape(&self.down.0)
        );
        let bottom = TOP + CELL.1 * self.down.1.len() as f64;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{ink}\">{}</text>",
            f64::midpoint(LEFT, width),
            bottom + 48.0,
            escape(&self.across.0)
        );
        self.labels(bottom, &mut out);
        for (row, fields) in self.fields.iter().enumerate() {
            for (column, field) in fields.iter().enumerate() {
                self.field((column as f64, row as f64), *field, &mut out);
            }
        }
        out.push_str("</svg>\n");
        out
    }

    fn labels(&self, bottom: f64, out: &mut String) {
        let ink = Ink::Soft.hex();
        for (i, label) in self.down.1.iter().enumerate() {
            let y = TOP + CELL.1 * (i as f64 + 0.5) + 4.0;
            let x = LEFT - 8.0;
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" fill=\"{ink}\">{}</text>",
                escape(label)
            );
        }
        for (i, label) in self.across.1.iter().enumerate() {
            let x = LEFT + CELL.0 * (i as f64 + 0.5);
            let y = bottom + 20.0;
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"{ink}\">{}</text>",
                escape(label)
            );
        }
    }

    fn field(&self, (column, row): (f64, f64), field: Option<f64>, out: &mut String) {
        let (x, y) = (LEFT + CELL.0 * column, TOP + CELL.1 * row);
        let share = field.map(|field| self.share(field));
        let channel = |i: usize, share: f64| (ENDS[0][i] + (ENDS[1][i] - ENDS[0][i]) * share).round() as u8;
        let fill = share.map_or_else(
            || Ink::Grid.hex(),
            |share| format!("#{:02x}{:02x}{:02x}", channel(0, share), channel(1, share), channel(2, share)),
        );
        let ink = if share.is_some_and(|share| share > 0.5) { "#fffffe" } else { "#1b1f25" };
        let text = field.map_or_else(|| "-".into(), |field| amount(self.quantity, field));
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"/><text x=\"{}\" y=\"{}\" \
             text-anchor=\"middle\" fill=\"{ink}\">{}</text>",
            CELL.0 - 1.0,
            CELL.1 - 1.0,
            x + CELL.0 / 2.0,
            y + CELL.1 / 2.0 + 4.0,
            escape(&text)
        );
    }

    /// Where between the smallest and the largest field.
    fn share(&self, field: f64) -> f64 {
        let known = || self.fields.iter().flatten().flatten().copied();
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
        if high > low { (field - low) / (high - low) } else { 0.0 }
    }
}
