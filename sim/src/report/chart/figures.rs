//! The charts that show a run.

use super::palette::Ink;
use super::{Band, Chart, Glyph, Mark, Panel, Scale, Series, Shape};
use crate::report::Report;
use crate::report::faults::FaultWindow;
use crate::report::units::plural;
use crate::report::why::{Direction, direction};
use crate::results::TimelineRow;
use wci_core::Decision;

/// The five charts of a whole run.
#[must_use]
pub fn course(report: &Report<'_>) -> Vec<Chart> {
    let rows = &report.result.timeline.total;
    let sheet = Sheet { report, rows, group: None, marks: marks(report, None) };
    vec![
        sheet.backlog_and_workers("backlog-workers", "Backlog and workers"),
        sheet.rates(),
        sheet.waits(),
        sheet.slots(),
        sheet.cost(),
    ]
}

/// Backlog and workers of one group.
#[must_use]
pub fn of_group(report: &Report<'_>, group: &str) -> Chart {
    let rows = report.result.timeline.groups.get(group).map_or(&[][..], Vec::as_slice);
    let sheet = Sheet { report, rows, group: Some(group), marks: marks(report, Some(group)) };
    sheet.backlog_and_workers(&format!("group-{group}"), &format!("{group}: backlog and workers"))
}

struct Sheet<'a> {
    report: &'a Report<'a>,
    rows: &'a [TimelineRow],
    group: Option<&'a str>,
    marks: Vec<Mark>,
}

impl Sheet<'_> {
    fn backlog_and_workers(&self, id: &str, title: &str) -> Chart {
        let working = |row: &TimelineRow| row.workers_ready + row.workers_draining;
        let backlog = Panel {
            reach: 0.0,
            axis: "waiting tasks".into(),
            scale: Scale::Linear,
            series: vec![
                self.series("most waiting at once", Ink::Sky, Shape::Area, |row| {
                    Some(row.backlog_max as f64)
                }),
                self.series("waiting (mean)", Ink::Vermillion, Shape::Line, |row| Some(row.backlog)),
            ],
        };
        let workers = Panel {
            reach: 0.0,
            axis: "workers".into(),
            scale: Scale::Linear,
            series: vec![
                self.series("starting", Ink::Orange, Shape::Area, |row| {
                    Some(working(row) + row.workers_starting)
                }),
                self.series("draining", Ink::Purple, Shape::Area, |row| Some(working(row))),
                self.series("ready", Ink::Blue, Shape::Area, |row| Some(row.workers_ready)),
            ],
        };
        let caption = "Tasks that wait for a worker, and below them the workers that are there: ready ones, ones \
                       that still start, ones that finish their last tasks.";
        self.chart(id, title, &format!("{caption}{}", self.thinned()), vec![backlog, workers])
    }

    fn rates(&self) -> Chart {
        let panel = Panel {
            reach: 0.0,
            axis: "tasks per second".into(),
            scale: Scale::Linear,
            series: vec![
                self.series("added", Ink::Sky, Shape::Area, |row| Some(row.arrival_rate)),
                self.series("taken by workers", Ink::Text, Shape::Line, |row| Some(row.dispatch_rate)),
                self.series("completed", Ink::Vermillion, Shape::Hairline, |row| Some(row.completion_rate)),
            ],
        };
        let caption = "While more tasks are added than taken the backlog grows; where the line is above the area \
                       it is worked off.";
        self.chart("rates", "Tasks added, taken, completed", caption, vec![panel])
    }

    fn waits(&self) -> Chart {
        let panel = Panel {
            reach: 0.0,
            axis: "time from add to start (log scale)".into(),
            scale: Scale::LogMillis,
            series: vec![
                self.series("99 % wait less", Ink::Orange, Shape::Hairline, |row| {
                    row.schedule_to_start_p99_ms
                }),
                self.series("95 % wait less", Ink::Vermillion, Shape::Line, |row| {
                    row.schedule_to_start_p95_ms
                }),
                self.series("half wait less (median)", Ink::Blue, Shape::Line, |row| {
                    row.schedule_to_start_p50_ms
                }),
            ],
        };
        let caption = "How long the tasks had waited that workers took at each moment. A gap means that none was \
                       taken.";
        self.chart("schedule-to-start", "Schedule-to-start waits", caption, vec![panel])
    }

    fn slots(&self) -> Chart {
        let panel = Panel {
            reach: 0.0,
            axis: "slots".into(),
            scale: Scale::Linear,
            series: vec![
                self.series("slots there", Ink::Grey, Shape::Area, |row| Some(row.slots)),
                self.series("slots with a task", Ink::Green, Shape::Area, |row| Some(row.busy_slots)),
            ],
        };
        let caption = "The grey that shows above the green is paid for and idle.";
        self.chart("slots", "Slots used", caption, vec![panel])
    }

    fn cost(&self) -> Chart {
        let mut sum = 0.0;
        let values = self.rows.iter().map(|row| {
            sum += row.cost_usd;
            Some(sum)
        });
        let series = Series {
            label: "cost so far".into(),
            ink: Ink::Green,
            shape: Shape::Line,
            values: values.collect(),
        };
        let panel =
            Panel { reach: 0.0, axis: "US dollars".into(), scale: Scale::Dollars, series: vec![series] };
        self.chart("cost", "Cost so far", "What the workers have cost up to each moment.", vec![panel])
    }

    fn series(
        &self,
        label: &str,
        ink: Ink,
        shape: Shape,
        of: impl Fn(&TimelineRow) -> Option<f64>,
    ) -> Series {
        Series { label: label.into(), ink, shape, values: self.rows.iter().map(of).collect() }
    }

    fn chart(&self, id: &str, title: &str, caption: &str, panels: Vec<Panel>) -> Chart {
        Chart {
            id: id.into(),
            title: title.into(),
            caption: caption.into(),
            starts: self.rows.iter().map(|row| row.t_s).collect(),
            window_s: self.report.result.timeline.window_s,
            panels,
            marks: self.marks.clone(),
            bands: self.report.faults.iter().map(band).collect(),
            bands_are: "fault",
            in_seconds: false,
            horizon_s: Some(self.report.horizon_s),
        }
    }

    /// What to say when not every action has its mark.
    fn thinned(&self) -> String {
        let kinds = self.report.result.decisions.counts.iter();
        let acted = kinds.filter(|kind| kind.acted && is_of(&kind.first.decision, self.group));
        let acted: u64 = acted.map(|kind| kind.count).sum();
        let listed = self.marks.len() as u64;
        if acted <= listed {
            return String::new();
        }
        format!(" Marked are the most telling {listed} of {}.", plural(acted, "action", "actions"))
    }
}

fn band(fault: &FaultWindow) -> Band {
    Band { from_s: fault.from_s, to_s: fault.to_s, name: fault.name.clone() }
}

fn is_of(decision: &Decision, group: Option<&str>) -> bool {
    group.is_none_or(|group| group == decision.group.as_ref())
}

const fn glyph(has_failed: bool, direction: Direction) -> Glyph {
    match (has_failed, direction) {
        (true, _) => Glyph::Failed,
        (false, Direction::Up) => Glyph::Up,
        (false, Direction::Down) => Glyph::Down,
        (false, Direction::Set) => Glyph::Set,
    }
}

fn marks(report: &Report<'_>, group: Option<&str>) -> Vec<Mark> {
    let start = report.start.as_millis();
    let shown = report.result.decisions.listed.iter();
    let shown = shown.filter(|timed| timed.decision.action_id.is_some() && is_of(&timed.decision, group));
    shown
        .map(|timed| Mark {
            t_s: timed.t.saturating_sub(start) as f64 / 1000.0,
            glyph: glyph(timed.failure.is_some(), direction(&timed.decision)),
        })
        .collect()
}
