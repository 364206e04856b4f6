//! Faults behind the data: a shade as long as each lasts, and its name.

use super::Band;
use super::canvas::{Anchor, Canvas, DrawError};
use super::draw::{Frame, LABEL};
use super::palette::Ink;
use plotters::prelude::DrawingBackend;

/// Names that would lie on each other are set below each other, up to so many lines; more are left out.
const NAME_LINES: usize = 3;
const EM: f64 = LABEL - 1.0;
/// Even a fault of one moment is to be seen.
const LEAST_WIDTH: f64 = 2.0;

/// Shades one panel.
pub(super) fn shades<B: DrawingBackend>(
    bands: &[Band],
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    for band in shown(bands, frame) {
        let from = frame.x(band.from_s);
        let to = frame.x(band.to_s).max(from + LEAST_WIDTH);
        let corners = [(from, frame.top), (to, frame.top), (to, frame.bottom), (from, frame.bottom)];
        canvas.polygon(&corners, Ink::Band)?;
    }
    Ok(())
}

/// Names the shades, at the top of a panel.
pub(super) fn names<B: DrawingBackend>(
    bands: &[Band],
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    let mut free_from = [f64::NEG_INFINITY; NAME_LINES];
    for band in shown(bands, frame) {
        let name = canvas.fitted(&band.name, EM, frame.right - frame.left - 8.0)?;
        let width = canvas.width(&name, EM)?;
        let x = (frame.x(band.from_s) + 4.0).min(frame.right - width);
        if let Some(line) = free_from.iter().position(|free| *free <= x) {
            free_from[line] = x + width + 8.0;
            let y = frame.top + EM * (0.8 + 1.2 * line as f64);
            canvas.text(&name, (x, y), Anchor::Left, EM, Ink::Text)?;
        }
    }
    Ok(())
}

fn shown(bands: &[Band], frame: Frame) -> impl Iterator<Item = &Band> {
    bands.iter().filter(move |band| band.from_s <= frame.end_s)
}
