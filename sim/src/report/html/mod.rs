//! The report as one HTML page: everything inside, nothing fetched, readable on screen, phone and paper.

mod decisions;
mod escape;
mod sections;

pub use escape::escape;

use super::Report;
use super::chart::{Chart, ChartError, Size, course, dark_css, inline_svg, of_group};
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
/// Closed details would be missing on paper.
const SCRIPT: &str =
    "addEventListener('beforeprint',()=>document.querySelectorAll('details').forEach(d=>{d.open=true}))";
/// More groups than this have no chart of their own in the page; their numbers are there.
const MOST_GROUP_CHARTS: usize = 8;

/// The whole page.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn page(report: &Report<'_>) -> Result<String, ChartError> {
    let mut body = String::with_capacity(1 << 20);
    sections::head(report, &mut body);
    body.push_str("<main>\n");
    sections::key_figures(report, &mut body);
    sections::expectations(report, &mut body);
    charts(report, &mut body)?;
    sections::all_figures(report, &mut body);
    decisions::reasons(report, &mut body);
    decisions::listed(report, &mut body);
    sections::model(report, &mut body);
    sections::again(report, &mut body);
    body.push_str("</main>\n");
    sections::foot(report, &mut body);
    Ok(shell(report.title, &body))
}

/// A page around its body: style and script inside, nothing fetched.
#[must_use]
pub fn shell(title: &str, body: &str) -> String {
    let title = escape(title);
    let mut out = String::with_capacity(body.len() + (1 << 14));
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    // The browser itself holds the page to what it promises: it loads nothing from anywhere.
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n",
    );
    let _ =
        write!(out, "<title>{title}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n", dark_charts());
    out.push_str(body);
    let _ = write!(out, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

/// Dark charts on a dark screen, light ones on paper.
fn dark_charts() -> String {
    format!("@media screen and (prefers-color-scheme: dark) {{ {} }}\n", dark_css("figure svg"))
}

fn charts(report: &Report<'_>, out: &mut String) -> Result<(), ChartError> {
    out.push_str("<section id=\"course\">\n<h2>How it went</h2>\n");
    for chart in course(report) {
        figure(&chart, out)?;
    }
    let groups = &report.result.timeline.groups;
    if groups.len() > 1 {
        out.push_str("<details>\n<summary>Each group by itself</summary>\n");
        for name in groups.keys().take(MOST_GROUP_CHARTS) {
            figure(&of_group(report, name), out)?;
        }
        if groups.len() > MOST_GROUP_CHARTS {
            let _ =
                writeln!(out, "<p>Drawn are the first {MOST_GROUP_CHARTS} of {} groups.</p>", groups.len());
        }
        out.push_str("</details>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

/// A chart drawn for wide and for narrow screens; the style shows one of them.
///
/// # Errors
/// When it cannot be drawn.
pub fn figure(chart: &Chart, out: &mut String) -> Result<(), ChartError> {
    let wide = inline_svg(chart, Size::wide(chart), "wide")?;
    let narrow = inline_svg(chart, Size::narrow(chart), "narrow")?;
    let caption = escape(&chart.caption);
    let _ = writeln!(out, "<figure>\n{wide}{narrow}<figcaption>{caption}</figcaption>\n</figure>");
    Ok(())
}

#[cfg(test)]
mod tests;
