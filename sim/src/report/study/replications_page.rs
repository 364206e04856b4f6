//! One case under many seeds as one page.

use super::again::again;
use super::amount::{amount, with_interval};
use super::replications::{ROWS, header};
use super::scatter::{Dot, Kind, Scatter};
use super::tune::quantity;
use crate::report::Expectation;
use crate::report::html::{escape, shell};
use crate::report::units::plural;
use crate::research::{Finished, Replications};
use crate::scenario::expect::{Figure, Quantity};
use std::fmt::Write as _;

const COST: &str = "cost_usd.total";
const WAIT: &str = "schedule_to_start.p95";
/// What the table of single replications shows.
const EACH: [(&str, &str); 6] = [
    (COST, "Cost"),
    ("schedule_to_start.mean", "Mean wait"),
    (WAIT, "95 % wait less"),
    ("schedule_to_start.p99", "99 % wait less"),
    ("workers.mean", "Workers"),
    ("tasks.arrived", "Tasks"),
];
/// The page lists so many replications; the CSV has all.
const SHOWN: usize = 100;

/// The whole page; `command` gives it again.
#[must_use]
pub fn replications_page(
    title: &str,
    result: &Replications,
    expectations: &[Expectation],
    command: &str,
) -> String {
    let mut body =
        format!("<header>\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n", escape(title), escape(&header(result)));
    if let Some(condition) = result.condition() {
        let _ = writeln!(body, "<p class=\"soft\">{}</p>", escape(condition));
    }
    verdict(result, expectations, &mut body);
    body.push_str("</header>\n<main>\n");
    figures(result, &mut body);
    let _ = writeln!(
        body,
        "<section><h2>Replication by replication</h2>\n<figure>{}<figcaption>How far chance alone moves cost and waiting: \
         each point is one replication.</figcaption></figure>",
        cloud(result).svg()
    );
    each(result, &mut body);
    body.push_str(
        "<p class=\"soft\"><code>wci run --seed</code> with one of the seeds gives that replication alone.</p></section>\n",
    );
    body.push_str(&again(command));
    shell(title, &body)
}

fn verdict(result: &Replications, expectations: &[Expectation], body: &mut String) {
    if result.overloaded() > 0 {
        let _ = writeln!(
            body,
            "<div class=\"verdict bad\"><strong>Overloaded in {} of {}</strong>More tasks came than its workers could \
             do: waits are lower bounds.</div>",
            result.overloaded(),
            plural(result.runs.len() as u64, "replication", "replications")
        );
    }
    for expectation in expectations {
        let Expectation { path, condition, actual, passed, .. } = expectation;
        let (class, word) = if *passed { ("ok", "ok") } else { ("failed", "failed") };
        let said = escape(&format!("{path} is {actual}, expected {condition}"));
        let _ = writeln!(body, "<p><span class=\"{class}\">{word}</span>: {said}</p>");
    }
}

fn figures(result: &Replications, body: &mut String) {
    body.push_str(
        "<section><h2>Figures</h2>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\">\n<thead><tr><td></td>\
         <th scope=\"col\" class=\"number\">Mean ± 95 % interval</th><th scope=\"col\" class=\"number\">Pooled</th><th \
         scope=\"col\" class=\"number\">Smallest</th><th scope=\"col\" class=\"number\">Largest</th></tr></thead>\n<tbody>\n",
    );
    for key in ROWS {
        let (kind, estimate) = (quantity(key), result.estimate(key));
        if key.starts_with("tasks.") && estimate.mean == Some(0.0) {
            continue;
        }
        let mut numbers = result.numbers(key);
        numbers.sort_by(f64::total_cmp);
        let shown = |x: Option<f64>| x.map_or_else(String::new, |x| finite(kind, x));
        let _ = writeln!(
            body,
            "<tr><th scope=\"row\"><code>{key}</code></th><td class=\"number\">{}</td><td class=\"number\">{}</td><td \
             class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escape(&with_interval(kind, &estimate, result.is_censored(key))),
            shown(estimate.pooled),
            shown(numbers.first().copied()),
            shown(numbers.last().copied())
        );
    }
    body.push_str(
        "</tbody></table></div>\n<p class=\"soft\">A percentile is the mean of the replications' percentiles; pooled is \
         that of all their tasks together. Shares are ratios of sums. Smallest and largest are single replications'.</p>\n\
         </section>\n",
    );
}

fn finite(kind: Quantity, x: f64) -> String {
    if x.is_finite() { amount(kind, x) } else { "∞".into() }
}

fn cloud(result: &Replications) -> Scatter {
    let pairs = result.numbers(COST).into_iter().zip(result.numbers(WAIT)).zip(&result.runs);
    let dot = |((x, y), run): ((f64, f64), &Finished)| {
        let label = format!("seed {}", run.summary.seed);
        (x.is_finite() && y.is_finite()).then_some(Dot { x, y, kind: Kind::Run, label })
    };
    Scatter {
        title: "Cost against waiting".into(),
        x: ("cost (USD)".into(), Some(Quantity::Usd)),
        y: ("wait that 95 % stay below".into(), Some(Quantity::Millis)),
        points: pairs.filter_map(dot).collect(),
        limit: None,
    }
}

fn each(result: &Replications, body: &mut String) {
    body.push_str(
        "<details><summary>Each replication</summary>\n<div class=\"scroll tall\" tabindex=\"0\"><table \
         class=\"figures\">\n<thead><tr><th scope=\"col\" class=\"number\">Seed</th>",
    );
    for (_, heading) in EACH {
        let _ = write!(body, "<th scope=\"col\" class=\"number\">{heading}</th>");
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    let columns: Vec<(Quantity, Vec<Figure>)> =
        EACH.iter().map(|(key, _)| (quantity(key), result.figures(key))).collect();
    for (i, run) in result.runs.iter().enumerate().take(SHOWN) {
        let _ = write!(body, "<tr><td class=\"number\">{}</td>", run.summary.seed);
        for (kind, figures) in &columns {
            let text = match &figures[i] {
                Figure::AtLeast(x) => format!(">= {}", amount(*kind, *x)),
                Figure::Nothing => "-".into(),
                figure => finite(*kind, figure.number()),
            };
            let _ = write!(body, "<td class=\"number\">{}</td>", escape(&text));
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody></table></div>\n");
    if result.runs.len() > SHOWN {
        let more = plural((result.runs.len() - SHOWN) as u64, "replication", "replications");
        let _ = writeln!(body, "<p>and {more} more in replications.csv</p>");
    }
    body.push_str("</details>\n");
}
