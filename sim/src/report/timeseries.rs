//! The course of a run as CSV: one line for each window of all groups together, then of each group.

use crate::results::{Timeline, TimelineRow};
use std::borrow::Cow;

/// The name in the `group` column for all groups together; no group of a spec is called so.
pub const ALL_GROUPS: &str = "(all)";

type Column = (&'static str, fn(&TimelineRow) -> String);

/// Rust prints the shortest digits that read back as the same number, so every value round-trips.
const COLUMNS: [Column; 16] = [
    ("t_s", |row| row.t_s.to_string()),
    ("backlog", |row| row.backlog.to_string()),
    ("backlog_max", |row| row.backlog_max.to_string()),
    ("arrival_rate", |row| row.arrival_rate.to_string()),
    ("dispatch_rate", |row| row.dispatch_rate.to_string()),
    ("completion_rate", |row| row.completion_rate.to_string()),
    ("sync_match_ratio", |row| optional(row.sync_match_ratio)),
    ("workers_starting", |row| row.workers_starting.to_string()),
    ("workers_ready", |row| row.workers_ready.to_string()),
    ("workers_draining", |row| row.workers_draining.to_string()),
    ("busy_slots", |row| row.busy_slots.to_string()),
    ("slots", |row| row.slots.to_string()),
    ("cost_usd", |row| row.cost_usd.to_string()),
    ("schedule_to_start_p50_ms", |row| optional(row.schedule_to_start_p50_ms)),
    ("schedule_to_start_p95_ms", |row| optional(row.schedule_to_start_p95_ms)),
    ("schedule_to_start_p99_ms", |row| optional(row.schedule_to_start_p99_ms)),
];

/// A gap is an empty field, not a zero.
fn optional(value: Option<f64>) -> String {
    value.map(|x| x.to_string()).unwrap_or_default()
}

/// The timeline as CSV with a header line.
///
/// All fields but the group's name are numbers. The library's writer would be a fortieth of what a browser downloads.
#[must_use]
pub fn to_csv(timeline: &Timeline) -> String {
    let mut csv = String::from("group,window_s");
    for (name, _) in COLUMNS {
        csv += ",";
        csv += name;
    }
    csv += "\n";
    let groups = timeline.groups.iter().map(|(name, rows)| (name.as_str(), rows));
    for (group, rows) in [(ALL_GROUPS, &timeline.total)].into_iter().chain(groups) {
        let first = format!("{},{}", quoted(group), timeline.window_s);
        for row in rows {
            csv += &first;
            for (_, value) in COLUMNS {
                csv += ",";
                csv += &value(row);
            }
            csv += "\n";
        }
    }
    csv
}

/// A text that may hold what parts fields and lines.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{empty_run, run};

    #[test]
    fn has_a_column_for_every_field_of_a_row() {
        let row = serde_json::to_value(TimelineRow::default()).expect("serialises");
        let mut fields: Vec<&str> = row.as_object().expect("an object").keys().map(String::as_str).collect();
        fields.sort_unstable();
        let mut columns = COLUMNS.map(|(name, _)| name);
        columns.sort_unstable();
        assert_eq!(fields, columns);
    }

    #[test]
    fn reads_back_as_the_same_rows() {
        let timeline = run().timeline;
        let text = to_csv(&timeline);
        let mut total = Vec::new();
        let mut others = 0;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().expect("a header line").clone();
        for record in reader.records() {
            let record = record.expect("parses");
            let row: TimelineRow = record.deserialize(Some(&headers)).expect("parses");
            if &record[0] == ALL_GROUPS {
                total.push(row)
            } else {
                others += 1
            }
            assert_eq!(record[1].parse(), Ok(timeline.window_s));
        }
        assert_eq!(total, timeline.total);
        assert_eq!(others, timeline.groups.values().map(Vec::len).sum::<usize>());
    }

    #[test]
    fn an_empty_run_has_the_header_alone() {
        let text = to_csv(&empty_run().timeline);
        assert!(text.starts_with("group,window_s,t_s,backlog,"));
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn names_that_part_fields_read_back() {
        let name = "a \"b\", c";
        let rows = vec![TimelineRow::default()];
        let timeline = Timeline { groups: [(name.to_owned(), rows)].into(), ..Timeline::default() };
        let text = to_csv(&timeline);
        let record = csv::Reader::from_reader(text.as_bytes()).records().next();
        assert_eq!(record.and_then(Result::ok).map(|record| record[0].to_owned()), Some(name.to_owned()));
    }
}
