//! The result as text for a terminal, 80 columns wide.

use super::Report;
use super::figures::{Row, rows};
use super::units::{bytes, count, duration_s, number, plural};
use super::verdict::{Verdict, suggestions, verdict};
use super::why;
use crate::results::Figures;
use std::fmt::Write as _;

/// No line is longer, unless a single word is.
pub const WIDTH: usize = 80;
const LABEL: usize = 26;

/// How the table is printed.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// What to do next, beside what the numbers suggest: commands with what they do.
    pub next: Vec<String>,
}

/// Colours belong to a terminal whose owner did not ask for none (the variable `NO_COLOR`, when not empty).
#[must_use]
pub fn wants_color(is_terminal: bool, no_color: Option<&str>) -> bool {
    is_terminal && no_color.is_none_or(str::is_empty)
}

/// The whole table.
#[must_use]
pub fn render(report: &Report<'_>, style: &Style) -> String {
    let mut out = Sheet { text: String::new(), color: style.color };
    head(report, &mut out);
    figures(report, &mut out);
    reasons(report, &mut out);
    faults(report, &mut out);
    expectations(report, &mut out);
    list("Notes", &report.result.notes, &mut out);
    let mut next = suggestions(report);
    next.extend(style.next.iter().cloned());
    list("Next", &next, &mut out);
    speed(report, &mut out);
    out.text
}

#[derive(Clone, Copy)]
enum Tone {
    Strong,
    Soft,
    Good,
    Bad,
}

struct Sheet {
    text: String,
    color: bool,
}

impl Sheet {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn toned(&mut self, text: &str, tone: Tone) {
        let toned = self.paint(text.trim_end(), tone);
        self.line(&toned);
    }

    fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Strong => "1",
            Tone::Soft => "2",
            Tone::Good => "32",
            Tone::Bad => "1;31",
        };
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn section(&mut self, title: &str) {
        self.text.push('\n');
        self.toned(title, Tone::Strong);
    }

    fn paragraph(&mut self, text: &str, first: &str, indent: usize, tone: Option<Tone>) {
        let lead = format!("{first}{}", " ".repeat(indent - chars(first).min(indent)));
        for (i, line) in wrapped(text, WIDTH - indent).into_iter().enumerate() {
            let lead = if i == 0 { lead.clone() } else { " ".repeat(indent) };
            let line = format!("{lead}{line}");
            match tone {
                Some(tone) => self.toned(&line, tone),
                None => self.line(&line),
            }
        }
    }
}

fn head(report: &Report<'_>, out: &mut Sheet) {
    let summary = &report.result.summary;
    out.paragraph(&printable(report.title), "", 0, Some(Tone::Strong));
    let routing = serde_json::to_value(summary.routing).ok();
    let routing = routing.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
    let line = format!("seed {}, routing {routing}, digest {}", summary.seed, printable(&summary.digest));
    out.paragraph(&line, "", 0, Some(Tone::Soft));
    out.line("");
    let Verdict { is_bad, headline, detail } = verdict(report);
    out.paragraph(&headline, "", 0, Some(if is_bad { Tone::Bad } else { Tone::Good }));
    out.paragraph(&detail, "", 0, None);
}

/// One column for all groups together, then one for each if there are several, as many as fit beside each other.
fn figures(report: &Report<'_>, out: &mut Sheet) {
    let summary = &report.result.summary;
    let mut columns = vec![Column::new("all", &summary.total)];
    if summary.groups.len() > 1 {
        columns.extend(summary.groups.iter().map(|(name, figures)| Column::new(name, figures)));
    }
    let mut rest = &columns[..];
    while !rest.is_empty() {
        let mut used = LABEL;
        let fits = rest.iter().take_while(|column| {
            used += column.width;
            used <= WIDTH
        });
        let n = fits.count().max(1);
        block(&rest[..n], columns.len() > 1, out);
        rest = &rest[n..];
    }
}

struct Column {
    name: String,
    cells: Vec<Row>,
    width: usize,
}

impl Column {
    fn new(name: &str, figures: &Figures) -> Self {
        let name = shortened(&printable(name), 20);
        let cells = rows(figures);
        let widest = cells.iter().filter_map(|row| row.value.as_deref()).map(chars).max().unwrap_or(0);
        let width = widest.max(chars(&name)) + 2;
        Self { name, cells, width }
    }
}

fn block(columns: &[Column], with_names: bool, out: &mut Sheet) {
    if with_names {
        let mut line = " ".repeat(LABEL);
        for column in columns {
            let _ = write!(line, "{:>1$}", column.name, column.width);
        }
        out.line("");
        out.toned(&line, Tone::Soft);
    }
    let mut section = "";
    for (i, row) in columns[0].cells.iter().enumerate() {
        if columns.iter().all(|column| column.cells[i].value.is_none()) {
            continue;
        }
        if row.section != section {
            section = row.section;
            out.section(section);
        }
        let mut line = format!("  {:<1$}", row.label, LABEL - 2);
        for column in columns {
            let value = column.cells[i].value.as_deref().unwrap_or("-");
            let _ = write!(line, "{value:>0$}", column.width);
        }
        out.line(&line);
    }
}

/// The three most frequent reasons for an action.
fn reasons(report: &Report<'_>, out: &mut Sheet) {
    let acted = why::acted(&report.result.decisions.counts);
    if acted.is_empty() {
        return;
    }
    out.section("Why it scaled");
    for kind in acted.iter().take(3) {
        let text = format!("{}: {}", printable(kind.group), kind.text());
        out.paragraph(&text, &format!("  {:>9} x ", count(kind.count)), 14, None);
    }
    if acted.len() > 3 {
        out.line(&format!(
            "{:14}and {}",
            "",
            plural(acted.len() as u64 - 3, "other reason", "other reasons")
        ));
    }
}

/// What went wrong on the timeline; the report has all of them.
fn faults(report: &Report<'_>, out: &mut Sheet) {
    const MOST: usize = 5;
    let lines = report.faults.iter().take(MOST).map(|fault| format!("{}, {}", fault.name, fault.span()));
    let more = report.faults.len().saturating_sub(MOST);
    let more = (more > 0).then(|| format!("and {}", plural(more as u64, "other", "others")));
    list("Faults", &lines.chain(more).collect::<Vec<_>>(), out);
}

fn expectations(report: &Report<'_>, out: &mut Sheet) {
    if report.expectations.is_empty() {
        return;
    }
    out.section("Expectations");
    for expectation in &report.expectations {
        let (word, tone) = if expectation.passed { ("ok", None) } else { ("FAILED", Some(Tone::Bad)) };
        let text = format!("{} {}: {}", expectation.path, expectation.condition, expectation.actual);
        out.paragraph(&printable(&text), &format!("  {word}"), 10, tone);
    }
}

fn list(title: &str, lines: &[String], out: &mut Sheet) {
    if lines.is_empty() {
        return;
    }
    out.section(title);
    for line in lines {
        out.paragraph(&printable(line), "  -", 4, None);
    }
}

fn speed(report: &Report<'_>, out: &mut Sheet) {
    let performance = &report.result.performance;
    if performance.wall_seconds <= 0.0 {
        return;
    }
    let memory = match performance.peak_rss_bytes {
        0 => String::new(),
        n => format!(", at most {} of memory", bytes(n)),
    };
    let line = format!(
        "{} in {}, {} tasks a second{memory}",
        plural(performance.events, "event", "events"),
        duration_s(performance.wall_seconds),
        number(performance.tasks_per_second.round()),
    );
    out.line("");
    out.paragraph(&line, "", 0, Some(Tone::Soft));
}

/// A file's text must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

fn shortened(text: &str, room: usize) -> String {
    if chars(text) <= room {
        return text.into();
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

/// Lines of whole words; a word that is longer than a line is cut.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > room {
            lines.push(String::new());
            used = 0;
        }
        while word.len() > room {
            let rest = word.split_off(room);
            lines.push(word.into_iter().collect());
            lines.push(String::new());
            word = rest;
        }
        let Some(line) = lines.last_mut() else { continue };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += word.len();
        line.extend(word);
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{empty_run, report, run};

    fn assert_fits(text: &str) {
        for line in text.lines() {
            assert!(chars(line) <= WIDTH, "{} columns: {line}", chars(line));
        }
    }

    #[test]
    fn fits_eighty_columns_and_has_no_colour_unless_asked() {
        let result = run();
        let text = render(&report(&result), &Style::default());
        assert_fits(&text);
        assert!(!text.contains('\u{1b}'));
        assert!(
            render(&report(&result), &Style { color: true, ..Style::default() }).contains("\u{1b}[1;31m")
        );
    }

    #[test]
    fn says_what_a_person_wants_to_know() {
        let result = run();
        let style = Style { next: vec!["wci run x --out y".into()], ..Style::default() };
        let text = render(&report(&result), &style);
        for part in [
            "Burst on <Lambda> & co",
            "seed 42, routing longest-idle, digest 9f3c01ab77e2d405",
            ">= 1.36 s",
            "never",
            "activities",
            "FAILED  schedule_to_start.p95 < 1s: 1.36 s",
            "$5.24",
            "provider-outage of activities, from 9 h to 10 h",
            "Service times of the trace",
            "wci run x --out y",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn many_groups_with_long_names_still_fit() {
        let mut result = run();
        for i in 0..12 {
            let name = format!("a group whose name is much too long for a column {i}\u{1b}[2J");
            result.summary.groups.insert(name, result.summary.total.clone());
        }
        let text = render(&report(&result), &Style::default());
        assert_fits(&text);
        assert!(!text.contains('\u{1b}'), "a name must not steer the terminal");
    }

    #[test]
    fn an_empty_run_has_a_table() {
        let result = empty_run();
        assert_fits(&render(&report(&result), &Style::default()));
    }

    #[test]
    fn cuts_words_that_are_longer_than_a_line() {
        assert_eq!(wrapped("ab abcdefgh c", 3), ["ab", "abc", "def", "gh", "c"]);
        assert_eq!(wrapped("", 3), [""; 0]);
    }

    #[test]
    fn colour_needs_a_terminal_and_no_refusal() {
        assert!(wants_color(true, None) && wants_color(true, Some("")));
        assert!(!wants_color(true, Some("1")) && !wants_color(false, None));
    }
}
