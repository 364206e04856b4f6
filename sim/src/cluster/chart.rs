//! A run as a chart: nodes, workers and buckets over time.

use super::log::LogLine;
use super::outcome::{ClusterResult, Sample};
use crate::report::chart::{Band, Chart, Glyph, Ink, Mark, Panel, Scale, Series, Shape};

/// As many windows as a wide picture can show.
const WINDOWS: usize = 400;

impl ClusterResult {
    /// Nodes, workers and buckets over time, with what happened to the nodes.
    #[must_use]
    pub fn chart(&self) -> Chart {
        let end = self.timeline.last().map_or(1.0, |sample| sample.t_s).max(1.0);
        let window_s = end / WINDOWS as f64;
        let starts: Vec<f64> = (0..WINDOWS).map(|window| window as f64 * window_s).collect();
        let samples: Vec<Sample> = starts.iter().map(|start| self.at(start + window_s)).collect();
        let series = |label: &str, ink, shape, value: fn(&Sample) -> usize| Series {
            label: label.to_owned(),
            ink,
            shape,
            values: samples.iter().map(|sample| Some(value(sample) as f64)).collect(),
        };
        let panel =
            |axis: &str, series| Panel { axis: axis.to_owned(), scale: Scale::Count, reach: 0.0, series };
        let all_workers = |sample: &Sample| sample.workers_running + sample.workers_idle;
        let begun = |sample: &Sample| sample.buckets_complete + sample.buckets_delegated;
        Chart {
            id: "cluster".to_owned(),
            title: self.scenario.clone(),
            caption: "Nodes that are recorded as up, and those that really work; workers; and the work done. Below the \
                      panels, each scan: it reconciled, put a change off, or had nothing to do."
                .to_owned(),
            panels: vec![
                panel(
                    "number of nodes",
                    vec![
                        series("recorded as up", Ink::Grey, Shape::Area, |sample| sample.nodes_up),
                        series("working", Ink::Blue, Shape::Line, |sample| sample.nodes_working),
                    ],
                ),
                panel(
                    "number of workers that have not ended",
                    vec![
                        series("ready or suspended", Ink::Orange, Shape::Area, all_workers),
                        series("recorded as running", Ink::Blue, Shape::Area, |sample| {
                            sample.workers_running
                        }),
                    ],
                ),
                panel(
                    "number of buckets",
                    vec![
                        series("with a worker", Ink::Sky, Shape::Area, begun),
                        series("complete", Ink::Green, Shape::Area, |sample| sample.buckets_complete),
                    ],
                ),
            ],
            starts,
            window_s,
            marks: self.marks(),
            bands: self.bands(),
            bands_are: "something happens to a node or a task",
            in_seconds: true,
            horizon_s: None,
        }
    }

    /// How things stood last before a moment.
    fn at(&self, t_s: f64) -> Sample {
        let after = self.timeline.partition_point(|sample| sample.t_s < t_s);
        self.timeline.get(after.saturating_sub(1)).copied().unwrap_or_default()
    }

    fn marks(&self) -> Vec<Mark> {
        let mark = |entry: &super::LogEntry| {
            let LogLine::Scan(scan) = &entry.line else { return None };
            let glyph = match scan.verdict() {
                "reconciled" | "some tasks" => Glyph::Reconciled,
                "put off" | "still put off" => Glyph::PutOff,
                _ => Glyph::Scan,
            };
            Some(Mark { t_s: entry.t_ms as f64 / 1000.0, glyph })
        };
        self.log.iter().filter_map(mark).collect()
    }

    fn bands(&self) -> Vec<Band> {
        let band = |entry: &super::LogEntry| {
            let name = match &entry.line {
                LogLine::Node { node, what } => format!("{node}: {what}"),
                LogLine::Definition { what, .. } => what.clone(),
                _ => return None,
            };
            let t_s = entry.t_ms as f64 / 1000.0;
            Some(Band { from_s: t_s, to_s: t_s, name })
        };
        self.log.iter().filter_map(band).collect()
    }
}
