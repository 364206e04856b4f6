//! The course of a run as CSV: one line for each window of all groups together, then of each group.

use crate::results::{Timeline, TimelineRow};

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
/// # Errors
/// Never in practice: it writes to memory.
pub fn to_csv(timeline: &Timeline) -> csv::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["group", "window_s"].into_iter().chain(COLUMNS.map(|(name, _)| name)))?;
    let groups = timeline.groups.iter().map(|(name, rows)| (name.as_str(), rows));
    for (group, rows) in [(ALL_GROUPS, &timeline.total)].into_iter().chain(groups) {
        for row in rows {
            writer.write_field(group)?;
            writer.write_field(timeline.window_s.to_string())?;
            writer.write_record(COLUMNS.map(|(_, value)| value(row)))?;
        }
    }
    writer.into_inner().map_err(|error| error.into_error().into())
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
        let bytes = to_csv(&timeline).expect("writes");
        let mut total = Vec::new();
        let mut others = 0;
        let mut reader = csv::Reader::from_reader(&bytes[..]);
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
        let text = String::from_utf8(to_csv(&empty_run().timeline).expect("writes")).expect("UTF-8");
        assert!(text.starts_with("group,window_s,t_s,backlog,"));
        assert_eq!(text.lines().count(), 1);
    }
}
