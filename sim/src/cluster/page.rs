//! A run as one HTML page: the figures, the chart, and for each scan why it reconciled or not.

use super::log::{LogEntry, LogLine, Reconciled, Scanned};
use super::outcome::ClusterResult;
use super::text::seconds;
use crate::report::chart::ChartError;
use crate::report::html::{escape, figure, shell};
use crate::scenario::Outcome;
use std::fmt::Write;
use wci_core::cluster::reconcile::Status;

/// More scans than this make a page that nobody reads; `log.jsonl` has them all.
const MOST_SCANS: usize = 2_000;
impl ClusterResult {
    /// The whole page; `expectations` are how those of the scenario came out.
    ///
    /// # Errors
    /// When the chart cannot be drawn.
    pub fn page(&self, expectations: &[Outcome]) -> Result<String, ChartError> {
        let mut body = String::with_capacity(1 << 17);
        self.head(expectations, &mut body);
        body.push_str("<main>\n");
        self.tiles(&mut body);
        body.push_str("<section id=\"course\">\n<h2>How it went</h2>\n");
        figure(&self.chart(), &mut body)?;
        body.push_str("</section>\n");
        self.scans(&mut body);
        self.happened(&mut body);
        body.push_str("</main>\n");
        Ok(shell(&self.scenario, &body))
    }

    // Writing to a String cannot fail.
    fn head(&self, expectations: &[Outcome], out: &mut String) {
        let failed = expectations.iter().filter(|outcome| !outcome.holds).count();
        let class = if self.ended && failed == 0 { "verdict" } else { "verdict bad" };
        let headline = match (self.makespan_s, self.ended) {
            (Some(at), true) => format!("All work is done after {}, and every task has ended.", seconds(at)),
            (Some(at), false) => {
                format!("All work is done after {}, but workers are left that wait.", seconds(at))
            }
            (None, _) => "The work was not done.".to_owned(),
        };
        let lines: String =
            expectations.iter().map(|outcome| format!("<br>{}", escape(&outcome.line))).collect();
        let _ = writeln!(
            out,
            "<header>\n<h1>{}</h1>\n<p class=\"soft\">Simulated for {}</p>\n\
             <div class=\"{class}\"><strong>{headline}</strong>{} of work were begun and lost.{lines}</div>\n\
             <nav aria-label=\"Sections\"><ul><li><a href=\"#course\">How it went</a></li>\
             <li><a href=\"#scans\">Why each scan did what it did</a></li>\
             <li><a href=\"#happened\">What happened</a></li></ul></nav>\n</header>",
            escape(&self.scenario),
            seconds(self.simulated_s),
            seconds(self.totals.wasted_work_s),
        );
    }

    fn tiles(&self, out: &mut String) {
        out.push_str("<dl class=\"tiles\">\n");
        for (name, value) in self.figures() {
            // What explains a number stands below it, small.
            let split = value.split_once(": ").or_else(|| value.split_once(", "));
            let (value, more) = split.unwrap_or((&value, ""));
            let more = if more.is_empty() {
                String::new()
            } else {
                format!("<small>{}</small>", escape(more.trim()))
            };
            let _ =
                writeln!(out, "<div class=\"tile\"><dt>{name}</dt><dd>{}{more}</dd></div>", escape(value));
        }
        out.push_str("</dl>\n");
    }

    /// One row for each scan.
    fn scans(&self, out: &mut String) {
        out.push_str("<section id=\"scans\">\n<h2>Why each scan did what it did</h2>\n");
        let Some(settings) = &self.scan else {
            let why = self.without_scan.unwrap_or_default();
            let _ =
                writeln!(out, "<p>Nothing keeps the workers in step with the nodes: {why}.</p>\n</section>");
            return;
        };
        let limit = |value: Option<f64>, none: &str| value.map_or(none.to_owned(), seconds);
        let _ = writeln!(
            out,
            "<p>A scan each {}. Shortest time between reconciliations: {}; longest: {}. A scan reconciles when the \
             nodes that are UP have changed and the shortest time has passed; before that, it puts the change off.</p>",
            seconds(settings.interval_s),
            limit(settings.min_interval_s, "none"),
            limit(settings.max_interval_s, "without end"),
        );
        out.push_str(
            "<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Scans\"><table class=\"stacked\">\n\
             <thead><tr>",
        );
        for name in ["Time", "Verdict", "Why", "Clock", "Nodes UP", "Put off", "What it did"] {
            let _ = write!(out, "<th scope=\"col\">{name}</th>");
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        let scans = self.log.iter().filter_map(|entry| match &entry.line {
            LogLine::Scan(scan) => Some((entry.t_ms, scan)),
            _ => None,
        });
        let count = scans.clone().count();
        scans.take(MOST_SCANS).for_each(|(t_ms, scan)| self.scan_row(t_ms, scan, out));
        out.push_str("</tbody>\n</table></div>\n");
        if count > MOST_SCANS {
            let _ = writeln!(
                out,
                "<p>The first {MOST_SCANS} of {count}; <code>log.jsonl</code> has them all.</p>"
            );
        }
        out.push_str("</section>\n");
    }

    /// On a phone each cell is a line of its own.
    fn scan_row(&self, t_ms: i64, scan: &Scanned, out: &mut String) {
        let class = match scan.verdict() {
            "reconciled" | "some tasks" => "up",
            "put off" | "still put off" => "down",
            _ => "none",
        };
        let up = scan.up.iter().map(|node| &**node).collect::<Vec<_>>().join(", ");
        let pending = match scan.pending {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        let difference = match scan.difference() {
            none if none.is_empty() => none,
            some => format!(" <strong>({})</strong>", escape(&some)),
        };
        let _ = write!(
            out,
            "<tr><td class=\"time\">{}</td><td><span class=\"badge {class}\">{}</span></td><td>{}</td>\
             <td data-label=\"Clock\">{}</td><td data-label=\"Nodes UP\">{}{difference}</td>\
             <td data-label=\"Put off\">{pending}</td><td>",
            seconds(t_ms as f64 / 1000.0),
            scan.verdict(),
            escape(scan.why),
            escape(&scan.clock(self.scan.as_ref())),
            escape(&up),
        );
        scan.tasks.iter().for_each(|task| task_line(task, out));
        out.push_str("</td></tr>\n");
    }

    fn happened(&self, out: &mut String) {
        out.push_str(
            "<section id=\"happened\">\n<h2>What happened</h2>\n<div class=\"scroll tall\" tabindex=\"0\"><table>\n\
             <thead><tr><th scope=\"col\">Time</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n",
        );
        let is_told = |entry: &&LogEntry| !matches!(entry.line, LogLine::Scan(_));
        for entry in self.log.iter().filter(is_told).take(MOST_SCANS) {
            let (at, what) = (seconds(entry.t_ms as f64 / 1000.0), entry.line.text(None));
            let _ = writeln!(out, "<tr><td class=\"time\">{at}</td><td>{}</td></tr>", escape(&what));
        }
        out.push_str("</tbody>\n</table></div>\n</section>\n");
    }
}

fn task_line(task: &Reconciled, out: &mut String) {
    let has_failed = matches!(task.outcome.status, Status::Warning | Status::FatalError);
    let class = if has_failed { " class=\"failed\"" } else { "" };
    let _ = writeln!(out, "<div{class}>{}: {}</div>", escape(&task.task), escape(&task.what()));
}
