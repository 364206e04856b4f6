//! Lines, shapes and text in CSS pixels, on any of the drawing library's backends.

use super::palette::Ink;
use super::thin::Point;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What a backend can fail with.
pub(super) type DrawError<B> = DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>;

/// Where a text lies to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

/// What differs from one backend to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Medium {
    /// Device pixels of a CSS pixel.
    pub scale: f64,
    /// How far text must be lowered for its digits to lie in the middle, in ems.
    pub drop: f64,
    /// Whether lines are joined well; where not, each piece is drawn by itself.
    pub joins: bool,
}

/// Paper of a size in CSS pixels.
pub(super) struct Canvas<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    medium: Medium,
}

impl<'a, B: DrawingBackend> Canvas<'a, B> {
    pub(super) const fn new(area: &'a DrawingArea<B, Shift>, medium: Medium) -> Self {
        Self { area, medium }
    }

    pub(super) fn size(&self) -> (f64, f64) {
        let (width, height) = self.area.dim_in_pixel();
        (f64::from(width) / self.medium.scale, f64::from(height) / self.medium.scale)
    }

    pub(super) fn fill(&self, ink: Ink) -> Result<(), DrawError<B>> {
        self.area.fill(&rgb(ink))
    }

    pub(super) fn line(&self, points: &[Point], width: f64, ink: Ink) -> Result<(), DrawError<B>> {
        let style = rgb(ink).stroke_width(((width * self.medium.scale).round() as u32).max(1));
        let points = self.device(points);
        if self.medium.joins {
            return self.area.draw(&PathElement::new(points, style));
        }
        // The bitmap backend draws long spikes where a thick line turns sharply.
        points.windows(2).try_for_each(|piece| self.area.draw(&PathElement::new(piece, style)))
    }

    pub(super) fn dashed(&self, from: Point, to: Point, ink: Ink) -> Result<(), DrawError<B>> {
        const DASH: f64 = 5.0;
        let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
        let dashes = (length / (2.0 * DASH)) as u32;
        let along = |px: f64| {
            let share = (px / length).min(1.0);
            (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
        };
        for i in 0..=dashes {
            let begin = f64::from(i) * 2.0 * DASH;
            self.line(&[along(begin), along(begin + DASH)], 1.0, ink)?;
        }
        Ok(())
    }

    pub(super) fn polygon(&self, points: &[Point], ink: Ink) -> Result<(), DrawError<B>> {
        self.area.draw(&Polygon::new(self.device(points), rgb(ink).filled()))
    }

    /// Text whose middle line lies at `at`.
    pub(super) fn text(
        &self,
        text: &str,
        at: Point,
        anchor: Anchor,
        em: f64,
        ink: Ink,
    ) -> Result<(), DrawError<B>> {
        let h = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let style = self.style(em, ink).pos(Pos::new(h, VPos::Center));
        let at = (at.0, at.1 + self.medium.drop * em);
        // The backend escapes markup, but XML forbids control characters altogether.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.area.draw(&Text::new(text, self.point(at), style))
    }

    /// How wide a text will be; in SVG the reader's font decides, which is rarely wider than ours.
    pub(super) fn width(&self, text: &str, em: f64) -> Result<f64, DrawError<B>> {
        let (width, _) = self.area.estimate_text_size(text, &self.style(em, Ink::Text))?;
        Ok(f64::from(width) / self.medium.scale)
    }

    /// The text, cut with an ellipsis if it is wider than the room.
    pub(super) fn fitted(&self, text: &str, em: f64, room: f64) -> Result<String, DrawError<B>> {
        let mut kept = text.to_owned();
        let mut shown = kept.clone();
        while self.width(&shown, em)? > room && kept.pop().is_some() {
            shown = format!("{}…", kept.trim_end());
        }
        Ok(shown)
    }

    fn style(&self, em: f64, ink: Ink) -> TextStyle<'static> {
        // The drawing library divides the size it is given by 1.24 to get the em.
        ("sans-serif", em * 1.24 * self.medium.scale).into_font().color(&rgb(ink))
    }

    fn device(&self, points: &[Point]) -> Vec<(i32, i32)> {
        points.iter().map(|point| self.point(*point)).collect()
    }

    fn point(&self, (x, y): Point) -> (i32, i32) {
        ((x * self.medium.scale).round() as i32, (y * self.medium.scale).round() as i32)
    }
}

const fn rgb(ink: Ink) -> RGBColor {
    let [r, g, b] = ink.light();
    RGBColor(r, g, b)
}
