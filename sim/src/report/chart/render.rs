//! A chart as SVG for files and pages, and as PNG, from the same drawing.

use super::canvas::{Canvas, DrawError, Medium};
use super::{Chart, draw};
use crate::report::html::escape;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::sync::OnceLock;
use thiserror::Error;

/// Backends count in whole pixels: drawn at twice the size, lines lie on half pixels and a PNG's edges are smooth.
const SCALE: u32 = 2;
const PIXELS: Medium = Medium { scale: SCALE as f64, drop: 0.23, joins: false };
const VECTORS: Medium = Medium { scale: SCALE as f64, drop: 0.08, joins: true };

/// Why a chart could not be drawn.
#[derive(Debug, Error)]
pub enum ChartError {
    /// The bundled font was refused.
    #[error("the bundled font cannot be read")]
    Font,
    /// The drawing library failed.
    #[error("drawing failed: {0}")]
    Draw(String),
    /// The picture could not be encoded.
    #[error("encoding the PNG failed: {0}")]
    Png(#[from] png::EncodingError),
}

/// The size of a picture in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Size {
    /// For a screen or a page.
    #[must_use]
    pub fn wide(chart: &Chart) -> Self {
        Self { width: 1200, height: 420 + 180 * more_panels(chart) }
    }

    /// For a phone.
    #[must_use]
    pub fn narrow(chart: &Chart) -> Self {
        Self { width: 400, height: 400 + 170 * more_panels(chart) }
    }
}

fn more_panels(chart: &Chart) -> u32 {
    u32::try_from(chart.panels.len().saturating_sub(1)).unwrap_or(0)
}

/// The chart as an SVG file.
///
/// # Errors
/// When the drawing library fails.
pub fn svg(chart: &Chart, size: Size) -> Result<String, ChartError> {
    render_svg(chart, size, r#" xmlns="http://www.w3.org/2000/svg""#)
}

/// The chart as an `<svg>` element inside an HTML page, with a class.
///
/// # Errors
/// When the drawing library fails.
pub fn inline_svg(chart: &Chart, size: Size, class: &str) -> Result<String, ChartError> {
    render_svg(chart, size, &format!(r#" class="{}""#, escape(class)))
}

/// The chart as a PNG file.
///
/// # Errors
/// When the drawing library or the encoder fails.
pub fn png(chart: &Chart, size: Size) -> Result<Vec<u8>, ChartError> {
    let (width, height) = (size.width * SCALE, size.height * SCALE);
    let mut pixels = vec![0; (width * height * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        paint(chart, &area, PIXELS)?;
    }
    encode(&halved(&pixels, size), size)
}

fn render_svg(chart: &Chart, size: Size, attributes: &str) -> Result<String, ChartError> {
    let mut drawn = String::new();
    let (width, height) = (size.width * SCALE, size.height * SCALE);
    {
        let area = SVGBackend::with_string(&mut drawn, (width, height)).into_drawing_area();
        paint(chart, &area, VECTORS)?;
    }
    // The backend's own first line knows neither the real size nor a name for those who cannot see.
    let body = drawn.split_once('\n').map_or("", |(_, body)| body);
    let (w, h, title) = (size.width, size.height, escape(&chart.title));
    let caption = escape(&chart.caption);
    Ok(format!(
        "<svg{attributes} width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{title}\">\n<title>{title}</title>\n<desc>{caption}</desc>\n{body}"
    ))
}

fn paint<B: DrawingBackend>(
    chart: &Chart,
    area: &DrawingArea<B, Shift>,
    medium: Medium,
) -> Result<(), ChartError> {
    if !font_is_registered() {
        return Err(ChartError::Font);
    }
    let failed = |error: DrawError<B>| ChartError::Draw(error.to_string());
    draw::draw(chart, &Canvas::new(area, medium)).map_err(failed)?;
    area.present().map_err(failed)
}

fn font_is_registered() -> bool {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    const FONT: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans-subset.ttf");
    *REGISTERED.get_or_init(|| register_font("sans-serif", FontStyle::Normal, FONT).is_ok())
}

/// Each pixel is the mean of the 2 x 2 that were drawn for it.
fn halved(pixels: &[u8], size: Size) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let row = width * 2 * 3;
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let at = y * 2 * row + x * 2 * 3 + channel;
                let sum: u16 =
                    [at, at + 3, at + row, at + row + 3].iter().map(|i| u16::from(pixels[*i])).sum();
                out.push((sum / 4) as u8);
            }
        }
    }
    out
}

fn encode(pixels: &[u8], size: Size) -> Result<Vec<u8>, ChartError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size.width, size.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}

#[cfg(test)]
mod tests;
