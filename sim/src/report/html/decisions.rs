//! Why did it scale: how often each reason spoke, and the decisions one by one.

use super::escape;
use crate::report::Report;
use crate::report::units::{count, percent, plural, span_ms, utc};
use crate::report::why::{Direction, direction, kind, numbers, outcome, why_timed};
use crate::results::{DecisionCount, TimedDecision};
use std::fmt::Write as _;

/// How often each kind of decision fell, with an example.
pub(super) fn reasons(report: &Report<'_>, out: &mut String) {
    let log = &report.result.decisions;
    out.push_str("<section id=\"reasons\">\n<h2>Why did it scale?</h2>\n");
    if log.counts.is_empty() {
        out.push_str("<p>No decision was made.</p>\n</section>\n");
        return;
    }
    let _ = writeln!(
        out,
        "<p>{}, most frequent kind first. Kinds differ in group, rule, limit, and whether anything was done.</p>\n\
         <div class=\"scroll\"><table class=\"stacked\">\n<thead><tr><th scope=\"col\" class=\"number\">Times</th>\
         <th scope=\"col\">Group</th><th scope=\"col\">Done</th><th scope=\"col\">Why, and the first of them</th></tr>\
         </thead>\n<tbody>",
        plural(log.total, "decision", "decisions"),
    );
    for kind in &log.counts {
        reason(kind, log.total, report, out);
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

fn reason(counted: &DecisionCount, total: u64, report: &Report<'_>, out: &mut String) {
    let first = &counted.first;
    let share = percent(counted.count as f64 / total.max(1) as f64);
    let failed = match counted.failed {
        0 => String::new(),
        n => format!("<br><small class=\"failed\">{} failed</small>", count(n)),
    };
    let _ = write!(
        out,
        "<tr><td class=\"number\" data-label=\"Times\">{}<br><small class=\"soft\">{share}</small>{failed}</td>\
         <td data-label=\"Group\">{}</td><td data-label=\"Done\">{}</td><td><strong>{}</strong>",
        count(counted.count),
        escape(&first.decision.group),
        badge(first),
        escape(&kind(&first.decision)),
    );
    let text = why_timed(first);
    let _ = write!(
        out,
        "<p class=\"under\">First at {}: {}</p>",
        escape(&offset(first.t, report)),
        escape(&text)
    );
    let numbers = numbers(&first.decision);
    if !numbers.is_empty() {
        let _ = write!(out, "<p class=\"under\"><small>{}</small></p>", escape(&numbers));
    }
    out.push_str("</td></tr>\n");
}

/// The decisions one by one.
pub(super) fn listed(report: &Report<'_>, out: &mut String) {
    let log = &report.result.decisions;
    out.push_str("<section id=\"decisions\">\n<h2>Decisions</h2>\n");
    if log.listed.is_empty() {
        out.push_str("<p>No decision was made.</p>\n</section>\n");
        return;
    }
    let _ = writeln!(out, "<p>{}</p>", selection(log.total, log.listed.len() as u64));
    out.push_str(
        "<label class=\"filter\"><input type=\"checkbox\">Only those that did something</label>\n\
         <div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Decisions\"><table class=\"stacked\">\n\
         <thead><tr><th scope=\"col\">Time</th><th scope=\"col\">Group</th><th scope=\"col\">Done</th>\
         <th scope=\"col\">Why</th></tr></thead>\n<tbody>\n",
    );
    for timed in &log.listed {
        let class = if timed.decision.action_id.is_some() { "" } else { " class=\"quiet\"" };
        let _ = writeln!(
            out,
            "<tr{class}><td class=\"time\">{}<small>{}</small></td><td data-label=\"Group\">{}</td>\
             <td data-label=\"Done\">{}</td><td>{}</td></tr>",
            escape(&offset(timed.t, report)),
            utc(timed.t),
            escape(&timed.decision.group),
            badge(timed),
            escape(&why_timed(timed)),
        );
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

fn selection(total: u64, listed: u64) -> String {
    if listed == total {
        return format!("All {}.", plural(total, "decision", "decisions"));
    }
    format!(
        "{} of {}: the first, the last, and between them the most telling. All of them are in <code>decisions.jsonl</code>.",
        count(listed),
        plural(total, "decision", "decisions")
    )
}

fn badge(timed: &TimedDecision) -> String {
    let (class, sign) = match (timed.decision.action_id, direction(&timed.decision)) {
        (None, _) => ("none", ""),
        _ if timed.failure.is_some() => ("failed", "✕ failed: "),
        (_, Direction::Up) => ("up", "▲ "),
        (_, Direction::Down) => ("down", "▼ "),
        (_, Direction::Set) => ("set", "◆ "),
    };
    format!("<span class=\"badge {class}\">{sign}{}</span>", escape(&outcome(&timed.decision)))
}

fn offset(t: i64, report: &Report<'_>) -> String {
    span_ms(t.saturating_sub(report.start.as_millis()))
}
