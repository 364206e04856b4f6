//! A sweep as text, CSV, maps and a page.

use super::again::again;
use super::amount::with_interval;
use super::compare;
use super::heat::HeatMap;
use crate::report::html::{escape, shell};
use crate::report::units::{percent, plural};
use crate::research::sweep::{Influence, Measured, Sweep, group_of};
use crate::research::{Estimate, Replications};
use crate::scenario::expect::{Quantity, known_keys};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Points that a terminal shows; the CSV has all.
const SHOWN: usize = 40;

impl Measured for Replications {
    fn known() -> Vec<(String, Quantity)> {
        known_keys(&[])
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        self.numbers(key)
    }

    fn estimate(&self, key: &str) -> Estimate {
        self.estimate(key)
    }

    fn is_censored(&self, key: &str) -> bool {
        self.is_censored(key)
    }

    fn overloaded(&self) -> usize {
        self.overloaded()
    }

    fn count(&self) -> usize {
        self.runs.len()
    }

    fn header(results: &[Self]) -> String {
        compare::header(results)
    }

    fn to_json(&self) -> Value {
        self.to_json()
    }
}

/// What kind of figure a key is; group keys count as their figure.
fn quantity<R: Measured>(key: &str) -> Quantity {
    let is_it = |name: &str| key == name || key.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    R::known().iter().find(|(name, _)| is_it(name)).map_or(Quantity::Count, |(_, quantity)| *quantity)
}

/// The points and which keys matter, for a terminal.
#[must_use]
pub fn table<R: Measured>(title: &str, sweep: &Sweep<R>, figures: &[String]) -> String {
    let mut out = format!("{title}\n");
    if !sweep.results.is_empty() {
        let _ = writeln!(out, "{}\n", R::header(&sweep.results));
    }
    aligned(&rows(sweep, figures), &mut out);
    if sweep.points.len() > SHOWN {
        let more = plural((sweep.points.len() - SHOWN) as u64, "point", "points");
        let _ = writeln!(out, "and {more} more: --out DIR writes all of them");
    }
    for figure in figures {
        let _ = writeln!(out, "\nWhat matters to {figure} (share of its variance, rank correlation):");
        for influence in sweep.influences(figure) {
            let (share, noise) = (share(influence.share), noise(&influence));
            let _ = writeln!(out, "  {share:>8}  {:+.2}  {}{noise}", influence.correlation, influence.key);
        }
    }
    for left_out in &sweep.left_out {
        let why = left_out.why.lines().next().unwrap_or_default();
        let _ = writeln!(out, "left out: {}: {why}", left_out.name);
    }
    out
}

/// Said behind a key whose values the replications cannot tell apart.
const fn noise(influence: &Influence) -> &'static str {
    if influence.is_within_noise { "  (within the replications' noise)" } else { "" }
}

/// A share of a variance; the smallest ones are all the same.
fn share(share: f64) -> String {
    if share > 0.0 && share < 0.001 { "< 0.1 %".into() } else { percent(share) }
}

/// The headings and a row for each point that is shown; last a note.
fn rows<R: Measured>(sweep: &Sweep<R>, figures: &[String]) -> Vec<Vec<String>> {
    let headings = sweep.keys.iter().map(|key| last(key)).chain(figures.iter().map(String::as_str));
    let mut rows = vec![headings.map(str::to_owned).collect::<Vec<_>>()];
    for (point, result) in sweep.points.iter().zip(&sweep.results).take(SHOWN) {
        let mean =
            |key: &String| with_interval(quantity::<R>(key), &result.estimate(key), result.is_censored(key));
        let note = if result.overloaded() > 0 { "overloaded" } else { "" };
        let cells = point.iter().map(shown).chain(figures.iter().map(mean));
        rows.push(cells.chain([note.to_owned()]).collect());
    }
    rows
}

/// Two blanks at least stand between columns, whatever is in them.
fn aligned(rows: &[Vec<String>], out: &mut String) {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..).map_while(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn shown(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A line for each point with every figure's mean and interval.
///
/// # Errors
/// Never in practice: it writes to memory.
pub fn csv<R: Measured>(sweep: &Sweep<R>) -> csv::Result<Vec<u8>> {
    let is_figure = |(key, quantity): &(String, Quantity)| {
        !matches!(quantity, Quantity::Text | Quantity::Flag) && key != "seed"
    };
    let keys: Vec<String> = R::known().into_iter().filter(is_figure).map(|(key, _)| key).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let figures = keys.iter().flat_map(|key| [key.clone(), format!("{key}.ci95")]);
    let fixed = ["replications", "overloaded", "censored"].map(str::to_owned);
    writer.write_record(sweep.keys.iter().cloned().chain(figures).chain(fixed))?;
    for (point, result) in sweep.points.iter().zip(&sweep.results) {
        for value in point {
            writer.write_field(shown(value))?;
        }
        for key in &keys {
            let estimate = result.estimate(key);
            for number in [estimate.mean, estimate.ci95] {
                writer.write_field(number.map(|x| x.to_string()).unwrap_or_default())?;
            }
        }
        let censored: Vec<&str> =
            keys.iter().filter(|key| result.is_censored(key)).map(String::as_str).collect();
        writer.write_record([
            result.count().to_string(),
            result.overloaded().to_string(),
            censored.join(" "),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The same for programs.
#[must_use]
pub fn to_json<R: Measured>(sweep: &Sweep<R>, figures: &[String]) -> Value {
    let point = |(values, result): (&Vec<toml::Value>, &R)| {
        let settings: serde_json::Map<String, Value> = sweep
            .keys
            .iter()
            .zip(values)
            .map(|(key, value)| (key.clone(), serde_json::to_value(value).unwrap_or_default()))
            .collect();
        json!({ "settings": settings, "figures": result.to_json() })
    };
    let points: Vec<Value> = sweep.points.iter().zip(&sweep.results).map(point).collect();
    let influences: serde_json::Map<String, Value> = figures
        .iter()
        .map(|figure| (figure.clone(), serde_json::to_value(sweep.influences(figure)).unwrap_or_default()))
        .collect();
    json!({ "keys": sweep.keys, "points": points, "influences": influences, "left_out": sweep.left_out })
}

/// A map of a figure over each pair of keys; further keys are averaged over.
#[must_use]
pub fn heat_maps<R: Measured>(sweep: &Sweep<R>, figure: &str) -> Vec<HeatMap> {
    let pairs = (0..sweep.keys.len()).flat_map(|a| (a + 1..sweep.keys.len()).map(move |b| (a, b)));
    pairs.map(|(a, b)| heat_map(sweep, figure, a, b)).collect()
}

fn heat_map<R: Measured>(sweep: &Sweep<R>, figure: &str, across: usize, down: usize) -> HeatMap {
    let means = sweep.means(figure);
    let (x, y) = (group_of(&sweep.places(across)), group_of(&sweep.places(down)));
    let size = |groups: &[usize]| groups.iter().max().map_or(0, |last| last + 1);
    let field = |row: usize, column: usize| {
        let own = means
            .iter()
            .zip(x.iter().zip(&y))
            .filter(|(mean, (x, y))| **x == column && **y == row && mean.is_finite());
        let own: Vec<f64> = own.map(|(mean, _)| *mean).collect();
        (!own.is_empty()).then(|| own.iter().sum::<f64>() / own.len() as f64)
    };
    let fields = (0..size(&y)).map(|row| (0..size(&x)).map(|column| field(row, column)).collect()).collect();
    HeatMap {
        title: format!("{figure}, mean"),
        quantity: quantity::<R>(figure),
        across: (last(&sweep.keys[across]).to_owned(), labels(sweep, across, &x)),
        down: (last(&sweep.keys[down]).to_owned(), labels(sweep, down, &y)),
        fields,
    }
}

/// What a group of values is called: the value, or its ends.
fn labels<R: Measured>(sweep: &Sweep<R>, key: usize, groups: &[usize]) -> Vec<String> {
    let places = sweep.places(key);
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let label = |group: usize| {
        let mut own: Vec<usize> = (0..groups.len()).filter(|i| groups[*i] == group).collect();
        own.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
        let ends = own.first().zip(own.last()).map(|(a, b)| (&sweep.points[*a][key], &sweep.points[*b][key]));
        ends.map_or_else(String::new, |(low, high)| {
            if low == high { shown(low) } else { format!("{}..{}", shown(low), shown(high)) }
        })
    };
    (0..count).map(label).collect()
}

/// The same as one page; `command` gives it again.
#[must_use]
pub fn page<R: Measured>(title: &str, sweep: &Sweep<R>, figures: &[String], command: &str) -> String {
    let mut body = format!("<header>\n<h1>Swept: {}</h1>\n", escape(title));
    if !sweep.results.is_empty() {
        let _ = writeln!(body, "<p class=\"soft\">{}</p>", escape(&R::header(&sweep.results)));
    }
    body.push_str("</header>\n<main>\n");
    for figure in figures {
        let _ = writeln!(body, "<section><h2>What matters to <code>{}</code></h2>", escape(figure));
        body.push_str(
            "<div class=\"scroll\"><table><thead><tr><th>Key</th><th class=\"number\">Share of variance</th><th \
             class=\"number\">Rank correlation</th></tr></thead><tbody>\n",
        );
        for influence in sweep.influences(figure) {
            let _ = writeln!(
                body,
                "<tr><td><code>{}</code>{}</td><td class=\"number\">{}</td><td class=\"number\">{:+.2}</td></tr>",
                escape(&influence.key),
                noise(&influence),
                escape(&share(influence.share)),
                influence.correlation
            );
        }
        body.push_str("</tbody></table></div>\n");
        for map in heat_maps(sweep, figure) {
            let _ = writeln!(body, "<figure class=\"scroll\">{}</figure>", map.svg());
        }
        body.push_str("</section>\n");
    }
    let _ = writeln!(
        body,
        "<section><h2>Points</h2>\n<pre>{}</pre></section>",
        escape(&table(title, sweep, figures))
    );
    body.push_str(&again(command));
    shell(&format!("Swept: {title}"), &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blanks_stand_between_columns_whatever_is_in_them() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let wide = "{ kind = \"hybrid-histogram\", range = \"4h\" }";
        let mut out = String::new();
        aligned(&[row(["keep_alive", "cost", ""]), row([wide, "$0.499 ± $0.02", "overloaded"])], &mut out);
        assert!(out.ends_with(&format!("\n{wide}  $0.499 ± $0.02  overloaded\n")), "{out}");
        let at = |line: &str, word: &str| line.find(word).map(|at| line[..at].chars().count());
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(at(lines[0], "cost"), at(lines[1], "$0.499"), "{out}");
    }
}
