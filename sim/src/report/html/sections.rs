//! The parts of the page around charts and decisions.

use super::escape;
use crate::report::Report;
use crate::report::figures::{Row, rows};
use crate::report::units::{bytes, count, dollars, duration_s, number, percent, plural, span_ms, utc};
use crate::report::verdict::{quantile, suggestions, verdict};
use std::fmt::Write as _;

/// Title, verdict and the way to the sections.
pub(super) fn head(report: &Report<'_>, out: &mut String) {
    let summary = &report.result.summary;
    let verdict = verdict(report);
    let class = if verdict.is_bad { "verdict bad" } else { "verdict" };
    let _ = writeln!(
        out,
        "<header>\n<h1>{}</h1>\n<p class=\"soft\">Simulated with scenario <code>{}</code>, seed {}</p>\n\
         <div class=\"{class}\"><strong>{}</strong>{}</div>",
        escape(report.title),
        escape(&summary.scenario),
        summary.seed,
        escape(&verdict.headline),
        escape(&verdict.detail),
    );
    out.push_str(
        "<nav aria-label=\"Sections\"><ul><li><a href=\"#course\">How it went</a></li>\
         <li><a href=\"#figures\">All figures</a></li><li><a href=\"#reasons\">Why did it scale?</a></li>\
         <li><a href=\"#decisions\">Decisions</a></li><li><a href=\"#model\">Model</a></li>\
         <li><a href=\"#again\">Run it again</a></li></ul></nav>\n</header>\n",
    );
}

/// What people look for first.
pub(super) fn key_figures(report: &Report<'_>, out: &mut String) {
    let total = &report.result.summary.total;
    let (waits, workers) = (&total.schedule_to_start, &total.workers);
    let optional = |share: Option<f64>| share.map_or_else(|| "-".into(), percent);
    let tiles = [
        ("Median wait", quantile(waits, waits.p50, "p50"), "from add to start".into()),
        ("95 % wait less than", quantile(waits, waits.p95, "p95"), "from add to start".into()),
        ("99 % wait less than", quantile(waits, waits.p99, "p99"), "from add to start".into()),
        ("Tasks completed", count(total.tasks.completed), format!("of {}", count(total.tasks.arrived))),
        ("Most waiting", count(total.backlog.max), format!("{} on average", number(total.backlog.mean))),
        ("Workers", number(workers.mean), format!("on average, {} at most", count(workers.max))),
        (
            "Workers started",
            count(workers.started),
            format!("{} never ran a task", count(workers.never_used)),
        ),
        ("Slot time with a task", optional(workers.utilization), "the rest was paid for and idle".into()),
        ("Cold starts", optional(workers.cold_start_ratio), "of the tasks".into()),
        ("Cost", dollars(total.cost_usd.total), per_million(total.cost_usd.total, total.tasks.completed)),
    ];
    out.push_str("<dl class=\"tiles\">\n");
    for (name, value, small) in tiles {
        let (value, small) = (escape(&value), escape(&small));
        let _ =
            writeln!(out, "<div class=\"tile\"><dt>{name}</dt><dd>{value}<small>{small}</small></dd></div>");
    }
    out.push_str("</dl>\n");
    list("What the numbers suggest", &suggestions(report), out);
    list("Notes", &report.result.notes, out);
}

fn per_million(usd: f64, tasks: u64) -> String {
    if tasks == 0 {
        "no task done".into()
    } else {
        format!("{} a million tasks", dollars(usd / tasks as f64 * 1e6))
    }
}

fn list(title: &str, lines: &[String], out: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h3>{title}</h3>\n<ul>");
    for line in lines {
        let _ = writeln!(out, "<li>{}</li>", escape(line));
    }
    out.push_str("</ul>\n");
}

/// What the scenario expected.
pub(super) fn expectations(report: &Report<'_>, out: &mut String) {
    if report.expectations.is_empty() {
        return;
    }
    out.push_str(
        "<section id=\"expectations\">\n<h2>Expectations</h2>\n<div class=\"scroll\"><table>\n<thead><tr>\
         <th scope=\"col\">Result</th><th scope=\"col\">Expected</th><th scope=\"col\">Came</th></tr></thead>\n<tbody>\n",
    );
    for expectation in &report.expectations {
        let (class, word) = if expectation.passed { ("ok", "holds") } else { ("failed", "failed") };
        let _ = writeln!(
            out,
            "<tr><td class=\"{class}\">{word}</td><td><code>{} {}</code></td><td>{}</td></tr>",
            escape(&expectation.path),
            escape(&expectation.condition),
            escape(&expectation.actual),
        );
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// Every figure, one column for all groups together and one for each if there are several.
pub(super) fn all_figures(report: &Report<'_>, out: &mut String) {
    let summary = &report.result.summary;
    let mut columns: Vec<(String, Vec<Row>)> = vec![("All".into(), rows(&summary.total))];
    if summary.groups.len() > 1 {
        columns.extend(summary.groups.iter().map(|(name, figures)| (escape(name), rows(figures))));
    }
    out.push_str(
        "<section id=\"figures\">\n<h2>All figures</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
         aria-label=\"All figures\"><table class=\"figures\">\n<thead><tr><td></td>",
    );
    for (name, _) in &columns {
        let _ = write!(out, "<th scope=\"col\" class=\"number\">{name}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    let mut section = "";
    for (i, row) in columns[0].1.iter().enumerate() {
        if columns.iter().all(|(_, rows)| rows[i].value.is_none()) {
            continue;
        }
        if row.section != section {
            section = row.section;
            let span = columns.len() + 1;
            let _ = writeln!(
                out,
                "<tr class=\"section\"><th colspan=\"{span}\" scope=\"rowgroup\">{section}</th></tr>"
            );
        }
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", row.label);
        for (_, rows) in &columns {
            let value = rows[i].value.as_deref().unwrap_or("-");
            let _ = write!(out, "<td class=\"number\">{}</td>", escape(value));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// What the result rests on.
pub(super) fn model(report: &Report<'_>, out: &mut String) {
    let summary = &report.result.summary;
    let routing = serde_json::to_value(summary.routing).ok();
    let routing = routing.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
    let end =
        report.result.timeline.total.last().map_or(0.0, |row| row.t_s + report.result.timeline.window_s);
    let fixed = [
        ("Start", utc(report.start.as_millis())),
        ("Arrivals stop after", span_ms((report.horizon_s * 1000.0).round() as i64)),
        ("Last window ends after", span_ms((end * 1000.0).round() as i64)),
        ("Seed", summary.seed.to_string()),
        ("Digest", summary.digest.clone()),
        ("Routing", format!("{routing}: which waiting poll takes a task")),
    ];
    out.push_str("<section id=\"model\">\n<h2>What this rests on</h2>\n<dl class=\"facts\">\n");
    let facts = report.facts.iter().map(|fact| (fact.name.as_str(), fact.value.as_str()));
    for (name, value) in fixed.iter().map(|(name, value)| (*name, value.as_str())).chain(facts) {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    out.push_str("</dl>\n</section>\n");
}

/// How to get the same result, and the scenario to get it from.
pub(super) fn again(report: &Report<'_>, out: &mut String) {
    let _ = writeln!(
        out,
        "<section id=\"again\">\n<h2>Run it again</h2>\n<pre><code>{}</code></pre>\n\
         <p>The same scenario and seed give the same digest, <code>{}</code>, on every machine.</p>\n\
         <details>\n<summary>The scenario</summary>\n<pre><code>{}</code></pre>\n</details>\n</section>",
        escape(report.command),
        escape(&report.result.summary.digest),
        escape(report.scenario_toml),
    );
}

/// How fast the run was.
pub(super) fn foot(report: &Report<'_>, out: &mut String) {
    let performance = &report.result.performance;
    out.push_str("<footer>");
    if performance.wall_seconds > 0.0 {
        let _ = write!(
            out,
            "{} in {}, {} tasks a second",
            plural(performance.events, "event", "events"),
            escape(&duration_s(performance.wall_seconds)),
            number(performance.tasks_per_second.round()),
        );
    }
    if performance.peak_rss_bytes > 0 {
        let _ = write!(out, ", at most {} of memory", bytes(performance.peak_rss_bytes));
    }
    let _ = writeln!(out, "<br>wci {}</footer>", env!("CARGO_PKG_VERSION"));
}
