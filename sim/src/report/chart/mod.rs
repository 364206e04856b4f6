//! Charts as data, and the five that show a run; `draw` puts them on paper, `render` makes SVG and PNG of it.

mod bands;
mod canvas;
mod draw;
mod figures;
mod palette;
mod render;
mod thin;
mod ticks;

pub use figures::{course, of_group};
pub use palette::{Ink, dark_css};
pub(crate) use ticks::{Axis, Tick};

pub use render::{ChartError, Size, inline_svg, png, svg};

/// A chart over simulated time: panels above each other that share the time axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Short name for files and anchors.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What to look for in it.
    pub caption: String,
    /// Starts of the windows, seconds since the simulation's start.
    pub starts: Vec<f64>,
    /// Width of a window (s).
    pub window_s: f64,
    /// Top to bottom.
    pub panels: Vec<Panel>,
    /// Actions along the time axis, in time order.
    pub marks: Vec<Mark>,
    /// Times in which something goes wrong, shaded and named.
    pub bands: Vec<Band>,
    /// What the legend calls them.
    pub bands_are: &'static str,
    /// Whether the time axis is in seconds however long it is, as the texts beside the chart are.
    pub in_seconds: bool,
    /// Where arrivals stop, if it is inside the chart (s).
    pub horizon_s: Option<f64>,
}

/// One vertical axis with its series.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Title of the vertical axis, with its unit.
    pub axis: String,
    /// How values become heights.
    pub scale: Scale,
    /// The axis reaches at least so high: charts side by side share what is the largest in any of them.
    pub reach: f64,
    /// Drawn in this order, later ones above.
    pub series: Vec<Series>,
}

/// How values become heights and labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// From zero, plain numbers.
    Linear,
    /// From zero, whole numbers.
    Count,
    /// From zero, US dollars.
    Dollars,
    /// From zero, shares as percentages.
    Percent,
    /// Logarithmic, milliseconds labelled with the unit that suits them.
    LogMillis,
}

/// One line or area.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// Its shape.
    pub shape: Shape,
    /// One value a window; `None` is a gap. Stacked areas are given as sums, the highest first.
    pub values: Vec<Option<f64>>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line.
    Line,
    /// A thin line.
    Hairline,
    /// Filled down to the axis.
    Area,
}

/// An action on the time axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Seconds since the simulation's start.
    pub t_s: f64,
    /// What it was.
    pub glyph: Glyph,
}

/// What an action was, each with a form and a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// More workers.
    Up,
    /// A size, whatever it was before.
    Set,
    /// Fewer workers.
    Down,
    /// The provider refused or lost the call.
    Failed,
    /// A scan that reconciled.
    Reconciled,
    /// A scan that put a change off.
    PutOff,
    /// A scan that had nothing to do.
    Scan,
}

/// A time in which something goes wrong; without length it happens in one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Its begin (s).
    pub from_s: f64,
    /// Its end (s).
    pub to_s: f64,
    /// What goes wrong.
    pub name: String,
}

impl Chart {
    /// The right end of the time axis.
    fn end_s(&self) -> f64 {
        self.starts.last().map_or(0.0, |start| start + self.window_s)
    }
}
