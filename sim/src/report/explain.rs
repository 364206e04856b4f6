//! Answers "why did it scale at that moment?" from the decisions around it.

use super::faults::FaultWindow;
use super::units::{days_from_civil, duration_ms, number, plural, span_ms, utc, utc_clock};
use super::why::{outcome, why_timed};
use crate::results::{TimedDecision, Timeline, TimelineRow};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wci_core::Timestamp;
use wci_core::decision::GroupName;

/// What the decisions around one moment say.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The moment asked for, Unix epoch milliseconds.
    pub t: i64,
    /// What each group decided at or before that moment.
    pub groups: BTreeMap<GroupName, Around>,
}

/// One group's decisions around a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Around {
    /// The last decision at or before the moment.
    pub latest: Option<TimedDecision>,
    /// The last one that acted, if the latest did not.
    pub latest_acted: Option<TimedDecision>,
    /// The first that acted after the moment.
    pub next_acted: Option<TimedDecision>,
}

impl Explanation {
    /// Looks through decisions in time order, of one group or of all.
    #[must_use]
    pub fn at(decisions: impl IntoIterator<Item = TimedDecision>, t: i64, group: Option<&str>) -> Self {
        let mut groups = BTreeMap::<GroupName, Around>::new();
        for timed in decisions {
            if group.is_none_or(|wanted| wanted == timed.decision.group.as_ref()) {
                groups.entry(timed.decision.group.clone()).or_default().take(timed, t);
            }
        }
        Self { t, groups }
    }

    /// The answer as text; with a timeline it also says what was true around the moment.
    #[must_use]
    pub fn render(&self, start: Timestamp, timeline: Option<&Timeline>, faults: &[FaultWindow]) -> String {
        let mut out = format!("At {}\n", moment(self.t, start));
        let t_s = (self.t - start.as_millis()) as f64 / 1000.0;
        for fault in faults.iter().filter(|fault| fault.holds_at(t_s)) {
            let _ = writeln!(out, "Under way: {}, {}", fault.name, fault.span());
        }
        if self.groups.is_empty() {
            out.push_str("\nNo decision was made: nothing scaled.\n");
        }
        for (name, around) in &self.groups {
            let _ = writeln!(out, "\n{name}");
            around.render(&mut out, self.t);
            let rows =
                timeline.and_then(|timeline| Some((timeline.groups.get(name.as_ref())?, timeline.window_s)));
            if let Some(text) = rows.and_then(|(rows, window_s)| around_text(rows, window_s, t_s)) {
                let _ = writeln!(out, "  {text}.");
            }
        }
        out
    }
}

impl Around {
    fn take(&mut self, timed: TimedDecision, t: i64) {
        let acted = timed.decision.action_id.is_some();
        if timed.t > t {
            if acted && self.next_acted.is_none() {
                self.next_acted = Some(timed);
            }
            return;
        }
        if acted {
            self.latest_acted = None;
        } else if let Some(before) = self.latest.take().filter(|d| d.decision.action_id.is_some()) {
            self.latest_acted = Some(before);
        }
        self.latest = Some(timed);
    }

    fn render(&self, out: &mut String, t: i64) {
        let lines = [
            ("", self.latest.as_ref()),
            ("The last action before that: ", self.latest_acted.as_ref()),
            ("The next action: ", self.next_acted.as_ref()),
        ];
        if self.latest.is_none() {
            out.push_str("  No decision yet.\n");
        }
        for (lead, timed) in lines.into_iter().filter_map(|(lead, timed)| Some((lead, timed?))) {
            let _ =
                writeln!(out, "  {lead}{}, {}: {}", utc_clock(timed.t), distance(timed.t - t), did(timed));
            let _ = writeln!(out, "    {}", why_timed(timed));
        }
    }
}

fn did(timed: &TimedDecision) -> String {
    let algorithm = &timed.decision.algorithm;
    match timed.decision.action_id {
        Some(id) if timed.failure.is_some() => {
            format!(
                "{algorithm} called the provider for {}, and the call failed (action {})",
                outcome(&timed.decision),
                id.0
            )
        }
        Some(id) => format!("{algorithm} acted, {} (action {})", outcome(&timed.decision), id.0),
        None => format!("{algorithm} did nothing"),
    }
}

fn distance(ms: i64) -> String {
    match ms {
        0 => "at that moment".into(),
        _ if ms < 0 => format!("{} earlier", span_ms(-ms)),
        _ => format!("{} later", span_ms(ms)),
    }
}

/// A moment as date and as time since the start.
#[must_use]
pub fn moment(t: i64, start: Timestamp) -> String {
    format!("{} ({} after the start)", utc(t), span_ms(t.saturating_sub(start.as_millis())))
}

/// What the window says in which the moment lies: averages, not the state at the moment.
fn around_text(rows: &[TimelineRow], window_s: f64, t_s: f64) -> Option<String> {
    let row = rows.get(rows.partition_point(|row| row.t_s <= t_s).checked_sub(1)?)?;
    let ms = |s: f64| span_ms((s * 1000.0).round() as i64);
    let mut text = format!(
        "On average from {} to {} after the start: {} waiting, {} ready and {} starting, {} of {} slots busy, {}/s \
         arriving, {}/s taken",
        ms(row.t_s),
        ms(row.t_s + window_s),
        number(row.backlog),
        plural_of(row.workers_ready, "worker", "workers"),
        number(row.workers_starting),
        number(row.busy_slots),
        number(row.slots),
        number(row.arrival_rate),
        number(row.dispatch_rate),
    );
    if let Some(wait) = row.schedule_to_start_p95_ms {
        let _ = match wait {
            0.0 => write!(text, ", 95 % of the tasks taken had not waited"),
            _ => write!(text, ", 95 % of the tasks taken had waited less than {}", duration_ms(wait)),
        };
    }
    Some(text)
}

/// Whether the moment lies in the run, which ended at `end`.
///
/// # Errors
/// Says from when to when the run lasted.
pub fn check_moment(t: i64, start: Timestamp, end: Timestamp) -> Result<(), String> {
    if (start.as_millis()..=end.as_millis()).contains(&t) {
        return Ok(());
    }
    let lies = if t < start.as_millis() { "before its start" } else { "after its end" };
    let (from, to) = (utc(start.as_millis()), utc(end.as_millis()));
    let lasted = span_ms(end.as_millis() - start.as_millis());
    Err(format!(
        "found {}, {lies}, expected a moment of the run: from {from} to {to} (0s to {lasted})",
        utc(t)
    ))
}

fn plural_of(n: f64, one: &str, many: &str) -> String {
    if n == n.trunc() && n >= 0.0 { plural(n as u64, one, many) } else { format!("{} {many}", number(n)) }
}

/// Reads a moment: a time since the start (`1h2m3.5s`, `90s`, `2h`), a time of day on or after the start
/// (`10:31:05`, `10:31`), or a UTC date and time (`2026-01-05T10:31:05Z`). The answer is Unix epoch milliseconds.
///
/// # Errors
/// Says what would have been right.
pub fn parse_moment(text: &str, start: Timestamp) -> Result<i64, String> {
    let text = text.trim();
    let after_start = || offset_ms(text).and_then(|offset| start.as_millis().checked_add(offset));
    let today = || clock_ms(text).map(|clock| next_at(clock, start));
    let dated = || {
        let (date, clock) = text.split_once(['T', ' '])?;
        Some(date_ms(date)? + clock_ms(clock)?)
    };
    let read = after_start().or_else(today).or_else(dated);
    read.ok_or_else(|| {
        format!("found the moment {text:?}, expected one like 31m5s, 10:31:05 or 2026-01-05T10:31:05Z")
    })
}

/// The first moment at this time of day that is not before the start.
fn next_at(clock: i64, start: Timestamp) -> i64 {
    const DAY: i64 = 86_400_000;
    let in_day = start.as_millis().rem_euclid(DAY);
    start.as_millis() - in_day + clock + if clock < in_day { DAY } else { 0 }
}

fn date_ms(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then(|| days_from_civil(year, month, day) * 86_400_000)
}

fn clock_ms(text: &str) -> Option<i64> {
    let text = text.trim_end_matches("UTC").trim_end().trim_end_matches(['Z', 'z']);
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let valid = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0.0..60.0).contains(&seconds);
    valid.then(|| (hours * 60 + minutes) * 60_000 + (seconds * 1000.0).round() as i64)
}

/// A row of numbers with units, `1h2m3.5s`; a bare number is seconds.
fn offset_ms(text: &str) -> Option<i64> {
    const UNITS: [(&str, f64); 5] = [("ms", 1.0), ("d", 8.64e7), ("h", 3.6e6), ("m", 6e4), ("s", 1e3)];
    let mut rest = text.trim_start_matches('+').trim();
    if let Ok(seconds) = rest.parse::<f64>() {
        return in_range(seconds * 1000.0);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let (unit, factor) = UNITS.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        total += value * factor;
        rest = rest[unit.len()..].trim_start_matches("in").trim_start();
    }
    (!text.is_empty()).then(|| in_range(total)).flatten()
}

/// 10,000 years are enough, and far from what an `i64` of milliseconds holds.
fn in_range(ms: f64) -> Option<i64> {
    (ms.abs() <= 3.2e14).then(|| ms.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{START, decision, failed, report, run};
    use wci_core::decision::Rule;

    fn timed(t: i64, rule: Rule, acted: bool) -> TimedDecision {
        TimedDecision::new(t, decision("activities", rule, None, acted))
    }

    #[test]
    fn finds_the_latest_at_or_before_and_the_actions_on_both_sides() {
        let all = [
            timed(1000, Rule::NoSyncMatch, true),
            timed(2000, Rule::NoChange, false),
            timed(3000, Rule::NoChange, false),
            timed(3001, Rule::NoChange, false),
            timed(4000, Rule::BacklogEmpty, true),
            timed(5000, Rule::NoSyncMatch, true),
        ];
        let around = &Explanation::at(all, 3000, None).groups["activities"];
        let t = |timed: &Option<TimedDecision>| timed.as_ref().map(|d| d.t);
        assert_eq!(
            (t(&around.latest), t(&around.latest_acted), t(&around.next_acted)),
            (Some(3000), Some(1000), Some(4000))
        );
    }

    #[test]
    fn names_no_earlier_action_when_the_latest_acted_itself() {
        let all = [timed(1000, Rule::NoSyncMatch, true), timed(2000, Rule::NoSyncMatch, true)];
        let around = &Explanation::at(all, 2500, None).groups["activities"];
        assert_eq!(around.latest.as_ref().map(|d| d.t), Some(2000));
        assert_eq!(around.latest_acted, None);
    }

    #[test]
    fn answers_with_reason_and_surroundings() {
        let result = run();
        let t = START.as_millis() + 9 * 3_600_000 + 65_000;
        let answer = Explanation::at(result.decisions.listed.clone(), t, Some("activities")).render(
            START,
            Some(&result.timeline),
            &report(&result).faults,
        );
        assert!(answer.starts_with("At 2026-01-05 09:01:05 UTC (9 h 1 min 5 s after the start)"), "{answer}");
        for part in [
            "\nactivities\n",
            "no-sync",
            "On average from 9 h 1 min 0 s to 9 h 2 min 0 s after the start: ",
            "waiting",
            "The next action: ",
            "Under way: provider-outage of activities, from 9 h to 10 h",
        ] {
            assert!(answer.contains(part), "{part} in\n{answer}");
        }
        assert!(!answer.contains("\nworkflows\n"));
    }

    #[test]
    fn a_call_that_failed_is_no_worker_started() {
        let call = failed(1000, decision("a", Rule::NoSyncMatch, None, true));
        let answer = Explanation::at([call], 1000, None).render(Timestamp::EPOCH, None, &[]);
        assert!(answer.contains("and the call failed (action 7)"), "{answer}");
        assert!(answer.contains("But the call failed: the provider was not available."), "{answer}");
    }

    #[test]
    fn refuses_moments_outside_the_run() {
        let end = Timestamp::from_millis(START.as_millis() + 60_000);
        let check = |offset: i64| check_moment(START.as_millis() + offset, START, end);
        assert_eq!((check(0), check(60_000)), (Ok(()), Ok(())));
        assert!(check(60_001).is_err_and(|error| error.contains("after its end")));
        assert!(check(-1).is_err_and(|error| error.contains("before its start") && error.contains("(0s to 1 min 0 s)")));
    }

    #[test]
    fn says_so_when_nothing_was_decided() {
        let answer = Explanation::at([], 0, None).render(Timestamp::EPOCH, None, &[]);
        assert!(answer.contains("nothing scaled"));
    }

    #[test]
    fn reads_moments_the_ways_people_write_them() {
        let start = Timestamp::from_millis(START.as_millis() + 10 * 3_600_000);
        let after = |text: &str| parse_moment(text, start).map(|t| t - start.as_millis());
        assert_eq!(after("31m5s"), Ok(1_865_000));
        assert_eq!(after("31 min 5.25 s"), Ok(1_865_250));
        assert_eq!(after("1h2m3.5s"), Ok(3_723_500));
        assert_eq!(after("250ms"), Ok(250));
        assert_eq!(after("90"), Ok(90_000));
        assert_eq!(after("10:31:05"), Ok(1_865_000));
        assert_eq!(after("09:59"), Ok(86_340_000), "the next day");
        assert_eq!(after("2026-01-05T10:31:05Z"), Ok(1_865_000));
        assert_eq!(after("2026-01-05 10:31:05 UTC"), Ok(1_865_000));
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in ["", "soon", "25:00", "10:61", "5x", "2026-13-01T00:00:00Z", "1e300", "NaN", "inf", "ü5s"]
        {
            assert!(parse_moment(text, START).is_err(), "{text}");
        }
    }
}
