//! Puts a chart on paper: title, legend, panels, action marks, time axis.

use super::bands;
use super::canvas::{Anchor, Canvas, DrawError};
use super::palette::Ink;
use super::thin::{Point, runs};
use super::ticks::{Axis, Tick, time};
use super::{Chart, Glyph, Mark, Panel, Series, Shape};
use plotters::prelude::DrawingBackend;

const MARGIN: f64 = 16.0;
const TITLE: f64 = 20.0;
pub(super) const LABEL: f64 = 15.0;
/// Height of a line of the legend.
const LEGEND_LINE: f64 = 24.0;
/// Above each panel, for the title of its axis.
const PANEL_HEAD: f64 = 40.0;
/// Below the panels: action marks, time labels, title of the time axis.
const LANE: f64 = 40.0;
const TIME_LABELS: f64 = 52.0;
/// Marks of one direction are at least this far apart.
const MARK_GAP: f64 = 9.0;

/// The rectangle that a panel's data may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub end_s: f64,
}

impl Frame {
    pub(super) fn x(&self, t_s: f64) -> f64 {
        self.left + (self.right - self.left) * (t_s / self.end_s).clamp(0.0, 1.0)
    }

    fn y(&self, share: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * share
    }
}

/// Draws the whole chart.
pub(super) fn draw<B: DrawingBackend>(chart: &Chart, canvas: &Canvas<'_, B>) -> Result<(), DrawError<B>> {
    let (width, height) = canvas.size();
    canvas.fill(Ink::Paper)?;
    let title = canvas.fitted(&chart.title, TITLE, width - 2.0 * MARGIN)?;
    canvas.text(&title, (MARGIN, MARGIN + TITLE / 2.0), Anchor::Left, TITLE, Ink::Text)?;
    let below_legend = legend(chart, canvas, MARGIN + TITLE + 10.0)?;
    if chart.starts.is_empty() || chart.end_s() <= 0.0 {
        return canvas.text("no data", (width / 2.0, height / 2.0), Anchor::Middle, TITLE, Ink::Soft);
    }
    let axes: Vec<Axis> = chart.panels.iter().map(axis).collect();
    let left = MARGIN + 8.0 + label_room(canvas, &axes)?;
    let bottom = height - LANE - TIME_LABELS;
    let each = (bottom - below_legend) / chart.panels.len().max(1) as f64;
    let mut frame = Frame { left, right: width - MARGIN - 8.0, top: 0.0, bottom: 0.0, end_s: chart.end_s() };
    for (i, (shown, axis)) in chart.panels.iter().zip(&axes).enumerate() {
        frame.top = below_legend + each * i as f64 + PANEL_HEAD;
        frame.bottom = below_legend + each * (i + 1) as f64;
        bands::shades(&chart.bands, canvas, frame)?;
        panel(chart, shown, axis, canvas, frame)?;
        if i == 0 {
            bands::names(&chart.bands, canvas, frame)?;
        }
    }
    horizon(chart, canvas, Frame { top: below_legend + PANEL_HEAD, ..frame })?;
    marks(&chart.marks, canvas, frame)?;
    time_axis(chart, canvas, frame)
}

fn axis(panel: &Panel) -> Axis {
    let values = panel.series.iter().flat_map(|series| series.values.iter().copied().flatten());
    Axis::around(values.chain((panel.reach > 0.0).then_some(panel.reach)), panel.scale)
}

fn label_room<B: DrawingBackend>(canvas: &Canvas<'_, B>, axes: &[Axis]) -> Result<f64, DrawError<B>> {
    let mut room = 0.0_f64;
    for tick in axes.iter().flat_map(|axis| &axis.ticks) {
        room = room.max(canvas.width(&tick.label, LABEL)?);
    }
    Ok(room)
}

fn panel<B: DrawingBackend>(
    chart: &Chart,
    panel: &Panel,
    axis: &Axis,
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    for Tick { at, label } in &axis.ticks {
        let y = frame.y(axis.height(*at));
        canvas.line(&[(frame.left, y), (frame.right, y)], 1.0, Ink::Grid)?;
        canvas.text(label, (frame.left - 8.0, y), Anchor::Right, LABEL, Ink::Soft)?;
    }
    for series in &panel.series {
        draw_series(chart, series, axis, canvas, frame)?;
    }
    canvas.line(&[(frame.left, frame.bottom), (frame.right, frame.bottom)], 1.0, Ink::Soft)?;
    canvas.text(&panel.axis, (MARGIN, frame.top - 19.0), Anchor::Left, LABEL, Ink::Text)
}

fn draw_series<B: DrawingBackend>(
    chart: &Chart,
    series: &Series,
    axis: &Axis,
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    let x = |t_s| frame.x(t_s);
    let y = |value| frame.y(axis.height(value));
    for mut points in runs(&chart.starts, chart.window_s, &series.values, x, y) {
        match series.shape {
            Shape::Line => canvas.line(&points, 2.0, series.ink)?,
            Shape::Hairline => canvas.line(&points, 1.0, series.ink)?,
            Shape::Area => {
                let (first, last) = (points[0].0, points[points.len() - 1].0);
                points.extend([(last, frame.bottom), (first, frame.bottom)]);
                canvas.polygon(&points, series.ink)?;
            }
        }
    }
    Ok(())
}

/// Where arrivals stop, as a dashed line.
fn horizon<B: DrawingBackend>(
    chart: &Chart,
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    let Some(t_s) = chart.horizon_s.filter(|t_s| *t_s > 0.0 && *t_s < frame.end_s) else { return Ok(()) };
    let x = frame.x(t_s);
    canvas.dashed((x, frame.top - 20.0), (x, frame.bottom), Ink::Soft)?;
    canvas.text("arrivals stop", (x - 6.0, frame.top - 14.0), Anchor::Right, LABEL - 1.0, Ink::Soft)
}

/// The lane of actions between the last panel and the time labels.
fn marks<B: DrawingBackend>(
    marks: &[Mark],
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    let mut free_from = [f64::NEG_INFINITY; Glyph::ALL.len()];
    for mark in marks.iter().filter(|mark| (0.0..=frame.end_s).contains(&mark.t_s)) {
        let x = frame.x(mark.t_s);
        let glyph = mark.glyph;
        let free = &mut free_from[glyph as usize];
        if x >= *free {
            *free = x + MARK_GAP;
            glyph.draw(canvas, (x, frame.bottom + glyph.depth()))?;
        }
    }
    Ok(())
}

impl Glyph {
    /// In the order of the legend.
    const ALL: [Self; 7] =
        [Self::Up, Self::Down, Self::Set, Self::Failed, Self::Reconciled, Self::PutOff, Self::Scan];

    const fn label(self) -> &'static str {
        match self {
            Self::Up => "scaled up",
            Self::Down => "scaled down",
            Self::Set => "size set",
            Self::Failed => "call failed",
            Self::Reconciled => "scan reconciled",
            Self::PutOff => "scan put a change off",
            Self::Scan => "scan, nothing to do",
        }
    }

    /// How far below the panels it lies.
    const fn depth(self) -> f64 {
        match self {
            Self::Up | Self::Reconciled => 9.0,
            Self::Set => 15.0,
            Self::Down | Self::PutOff => 21.0,
            Self::Failed | Self::Scan => 32.0,
        }
    }

    /// Told apart by shape and by colour.
    fn draw<B: DrawingBackend>(self, canvas: &Canvas<'_, B>, (x, y): Point) -> Result<(), DrawError<B>> {
        let (points, ink) = match self {
            Self::Up => (vec![(x - 5.0, y + 4.5), (x + 5.0, y + 4.5), (x, y - 4.5)], Ink::Green),
            Self::Down => (vec![(x - 5.0, y - 4.5), (x + 5.0, y - 4.5), (x, y + 4.5)], Ink::Purple),
            Self::Reconciled => (
                vec![(x - 4.0, y - 4.0), (x + 4.0, y - 4.0), (x + 4.0, y + 4.0), (x - 4.0, y + 4.0)],
                Ink::Green,
            ),
            Self::PutOff => (vec![(x - 5.0, y), (x, y - 5.0), (x + 5.0, y), (x, y + 5.0)], Ink::Purple),
            Self::Scan => return canvas.line(&[(x, y - 4.0), (x, y + 4.0)], 1.0, Ink::Soft),
            Self::Set => (vec![(x - 4.0, y), (x, y - 4.0), (x + 4.0, y), (x, y + 4.0)], Ink::Soft),
            Self::Failed => {
                canvas.line(&[(x - 4.0, y - 4.0), (x + 4.0, y + 4.0)], 2.0, Ink::Vermillion)?;
                return canvas.line(&[(x - 4.0, y + 4.0), (x + 4.0, y - 4.0)], 2.0, Ink::Vermillion);
            }
        };
        canvas.polygon(&points, ink)
    }
}

fn time_axis<B: DrawingBackend>(
    chart: &Chart,
    canvas: &Canvas<'_, B>,
    frame: Frame,
) -> Result<(), DrawError<B>> {
    let room_for = ((frame.right - frame.left) / 72.0) as usize;
    let (ticks, title) = time(frame.end_s, room_for, chart.in_seconds);
    let line = frame.bottom + LANE;
    canvas.line(&[(frame.left, line), (frame.right, line)], 1.0, Ink::Grid)?;
    for Tick { at, label } in &ticks {
        let x = frame.x(*at);
        canvas.line(&[(x, line), (x, line + 5.0)], 1.0, Ink::Soft)?;
        canvas.text(label, (x, line + 15.0), Anchor::Middle, LABEL, Ink::Soft)?;
    }
    canvas.text(&title, ((frame.left + frame.right) / 2.0, line + 36.0), Anchor::Middle, LABEL, Ink::Text)
}

/// Entries one after the other, as many lines as they need; answers where the last line ends.
fn legend<B: DrawingBackend>(chart: &Chart, canvas: &Canvas<'_, B>, top: f64) -> Result<f64, DrawError<B>> {
    const SWATCH: f64 = 22.0;
    let right = canvas.size().0 - MARGIN;
    let (mut x, mut y) = (MARGIN, top + LEGEND_LINE / 2.0);
    for entry in entries(chart) {
        let label = entry.label();
        let width = SWATCH + canvas.width(label, LABEL)? + 20.0;
        if x > MARGIN && x + width > right {
            (x, y) = (MARGIN, y + LEGEND_LINE);
        }
        entry.swatch(canvas, (x, y))?;
        let label = canvas.fitted(label, LABEL, right - x - SWATCH)?;
        canvas.text(&label, (x + SWATCH, y), Anchor::Left, LABEL, Ink::Text)?;
        x += width;
    }
    Ok(y + LEGEND_LINE / 2.0 - 6.0)
}

enum Entry<'a> {
    Series(&'a Series),
    Mark(Glyph),
    Band(&'a str),
}

fn entries(chart: &Chart) -> impl Iterator<Item = Entry<'_>> {
    let series = chart.panels.iter().flat_map(|panel| panel.series.iter().map(Entry::Series));
    let has = |glyph: &Glyph| chart.marks.iter().any(|mark| mark.glyph == *glyph);
    let band = (!chart.bands.is_empty()).then_some(Entry::Band(chart.bands_are));
    series.chain(Glyph::ALL.into_iter().filter(has).map(Entry::Mark)).chain(band)
}

impl Entry<'_> {
    fn label(&self) -> &str {
        match self {
            Self::Series(series) => &series.label,
            Self::Mark(glyph) => glyph.label(),
            Self::Band(name) => name,
        }
    }

    fn swatch<B: DrawingBackend>(&self, canvas: &Canvas<'_, B>, (x, y): Point) -> Result<(), DrawError<B>> {
        match self {
            Self::Mark(glyph) => glyph.draw(canvas, (x + 8.0, y)),
            Self::Band(_) => canvas.polygon(&swatch_area(x, y), Ink::Band),
            Self::Series(Series { shape: Shape::Area, ink, .. }) => canvas.polygon(&swatch_area(x, y), *ink),
            Self::Series(Series { shape: Shape::Line, ink, .. }) => {
                canvas.line(&[(x, y), (x + 16.0, y)], 3.0, *ink)
            }
            Self::Series(Series { shape: Shape::Hairline, ink, .. }) => {
                canvas.line(&[(x, y), (x + 16.0, y)], 1.0, *ink)
            }
        }
    }
}

fn swatch_area(x: f64, y: f64) -> [Point; 4] {
    [(x, y - 6.0), (x + 16.0, y - 6.0), (x + 16.0, y + 6.0), (x, y + 6.0)]
}
