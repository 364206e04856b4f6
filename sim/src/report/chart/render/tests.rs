use super::*;
use crate::report::chart::{course, of_group};
use crate::report::sample::{empty_run, report, run};

fn texts(svg: &str) -> Vec<String> {
    svg.split("<text")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('>')?.1.split_once('<')?.0.trim().into()))
        .collect()
}

fn assert_well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn every_chart_has_title_axes_units_and_legend() {
    let result = run();
    let report = report(&result);
    let expected = [
        ["Backlog and workers", "waiting tasks", "workers", "ready", "starting", "draining", "scaled down"],
        ["Tasks added, taken, completed", "tasks per second", "added", "completed", "20", "0", "scaled up"],
        [
            "Schedule-to-start waits",
            "time from add to start (log scale)",
            "95 % wait less",
            "1 s",
            "1 min",
            "10 min",
            "half wait less (median)",
        ],
        ["Slots used", "slots", "slots there", "slots with a task", "arrivals stop", "0", "scaled up"],
        ["Cost so far", "US dollars", "cost so far", "$0", "24", "12", "scaled up"],
    ];
    for (chart, parts) in course(&report).iter().zip(expected) {
        let texts = texts(&svg(chart, Size::wide(chart)).expect("draws"));
        for part in parts.iter().chain(&["time since the start (hours)"]) {
            assert!(texts.iter().any(|text| text == part), "{part} in {texts:?}");
        }
    }
}

#[test]
fn shades_and_names_faults_and_marks_calls_that_failed() {
    let mut result = run();
    let plain = svg(&course(&report(&result))[0], Size::wide(&course(&report(&result))[0])).expect("draws");
    assert!(!texts(&plain).iter().any(|text| text == "call failed"), "no call failed here");
    for timed in result.decisions.listed.iter_mut().filter(|timed| timed.acted()).take(3) {
        timed.failure = Some(wci_core::controller::FailureClass::Unavailable);
    }
    let report = report(&result);
    for chart in course(&report) {
        for size in [Size::wide(&chart), Size::narrow(&chart)] {
            let texts = texts(&svg(&chart, size).expect("draws"));
            for part in ["provider-outage of activities", "fault", "call failed"] {
                assert!(texts.iter().any(|text| text == part), "{part} in {texts:?}");
            }
        }
    }
}

#[test]
fn svg_is_well_formed_whatever_a_group_is_called() {
    let result = run();
    let report = report(&result);
    let mut chart = of_group(&report, "activities");
    chart.title = "a <b> & \"c\" \u{1} ünïcode 漢字".into();
    let svg = svg(&chart, Size::narrow(&chart)).expect("draws");
    assert_well_formed(&svg);
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"400\""));
    assert!(svg.contains("a &lt;b&gt; &amp; "));
    assert!(!svg.contains('\u{1}'));
}

#[test]
fn no_shape_leaves_the_paper() {
    let result = run();
    for chart in course(&report(&result)) {
        let svg = svg(&chart, Size::narrow(&chart)).expect("draws");
        let (width, height) = (f64::from(400 * SCALE), f64::from(Size::narrow(&chart).height * SCALE));
        for points in svg.split("points=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            for point in points.split_whitespace() {
                let (x, y) = point.split_once(',').expect("a pair");
                let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
                assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y), "{}: {point}", chart.id);
            }
        }
    }
}

#[test]
fn png_decodes_to_the_size_asked_for_and_shows_something() {
    let result = run();
    let chart = &course(&report(&result))[1];
    let bytes = png(chart, Size::wide(chart)).expect("draws");
    let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("decodes");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("decodes");
    assert_eq!((info.width, info.height), (1200, 420));
    let blue = pixels.chunks_exact(3).filter(|p| **p == crate::report::chart::Ink::Sky.light()).count();
    assert!(blue > 1000, "{blue} pixels of the area");
}

#[test]
fn a_gap_is_a_gap() {
    let result = run();
    let chart = &course(&report(&result))[2];
    let svg = svg(chart, Size::wide(chart)).expect("draws");
    let after_horizon = f64::from(SCALE) * 1160.0;
    for points in svg.split("stroke-width=\"4\" points=\"").skip(1).filter_map(|rest| rest.split('"').next())
    {
        let last = points.split_whitespace().last().and_then(|point| point.split_once(','));
        let x: f64 = last.expect("a point").0.parse().expect("a number");
        assert!(x < after_horizon, "no line where nothing was matched: {x}");
    }
}

#[test]
fn an_empty_run_draws_paper_that_says_so() {
    let result = empty_run();
    for chart in course(&report(&result)) {
        let svg = svg(&chart, Size::wide(&chart)).expect("draws");
        assert!(texts(&svg).iter().any(|text| text == "no data"));
        assert!(!png(&chart, Size::narrow(&chart)).expect("draws").is_empty());
    }
}

#[test]
fn odd_values_do_not_stop_the_drawing() {
    let mut result = run();
    for (i, row) in result.timeline.total.iter_mut().enumerate() {
        row.backlog = [f64::NAN, f64::INFINITY, -1.0, 1e300][i % 4];
        row.schedule_to_start_p50_ms = Some([0.0, f64::NAN, f64::INFINITY, 1e300][i % 4]);
        row.cost_usd = 1e300;
    }
    for chart in course(&report(&result)) {
        svg(&chart, Size::wide(&chart)).expect("draws");
        png(&chart, Size::narrow(&chart)).expect("draws");
    }
}

#[test]
fn an_action_outside_the_chart_has_no_mark() {
    let result = run();
    let mut chart = course(&report(&result))[4].clone();
    let marks = |chart: &Chart| svg(chart, Size::wide(chart)).expect("draws").matches("<polygon").count();
    let before = marks(&chart);
    let outside = [-1.0, chart.end_s() + 1.0, f64::NAN];
    let mark = chart.marks[0];
    chart.marks.extend(outside.map(|t_s| crate::report::chart::Mark { t_s, ..mark }));
    assert_eq!(marks(&chart), before);
}
