//! A comparison as one page that can stand in an appendix.

use super::again::again;
use super::amount::with_interval;
use super::compare::{
    COLD, COLUMNS, MANY, change, header, left_out, legend, mark, meets, overload, relative, target,
};
use super::scatter::{Dot, Kind, Scatter};
use super::tune::quantity;
use crate::report::chart::{Chart, ChartError, Ink, Panel, Scale, Series, Shape, Size, inline_svg};
use crate::report::html::{escape, shell};
use crate::report::units::{number, percent, plural};
use crate::research::compare::Contest;
use crate::research::{Course, Estimate, Replications};
use crate::results::{Timeline, TimelineRow};
use crate::scenario::expect::Quantity;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const COST: &str = "cost_usd.total";
const WAIT: &str = "schedule_to_start.p95";
/// Scenarios that stand side by side: so many fit on a sheet of A4.
const ACROSS: usize = 5;
/// So many times the backlog that three quarters keep under is drawn in full.
const FARTHEST: f64 = 5.0;
const SIDE_BY_SIDE: &str = "<style>.pair{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr))}\
                            .pair figure{margin:0}.base{font-weight:600}.figures{font-size:.86rem}.figures td,.figures \
                            th{padding-left:.45rem;padding-right:.45rem}.figures tbody tr:not(.section) th{padding-left:\
                            .8rem;white-space:normal}</style>\n";

/// The whole page; `command` gives it again.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn page(contests: &[Contest], command: &str) -> Result<String, ChartError> {
    let title = match contests {
        [one] => format!("Compared: {}", one.title),
        many => format!("Compared on {}", plural(many.len() as u64, "scenario", "scenarios")),
    };
    let mut body = format!("{SIDE_BY_SIDE}<header>\n<h1>{}</h1>\n", escape(&title));
    for line in legend(contests).lines() {
        let _ = writeln!(body, "<p class=\"soft\">{}</p>", escape(line));
    }
    navigation(contests, &mut body);
    body.push_str("</header>\n<main>\n");
    if contests.len() > 1 {
        overview(contests, &mut body);
    }
    for contest in contests {
        section(contest, &mut body)?;
    }
    body.push_str(&again(command));
    Ok(shell(&title, &body))
}

fn navigation(contests: &[Contest], body: &mut String) {
    body.push_str("<nav aria-label=\"Scenarios\"><ul>");
    for contest in contests {
        let name = escape(&contest.scenario);
        let _ = write!(body, "<li><a href=\"#{name}\">{name}</a></li>");
    }
    body.push_str("</ul></nav>\n");
}

/// Specs down, scenarios across, as many as a sheet of paper has room for: what each costs relative to the scenario
/// as written.
fn overview(contests: &[Contest], body: &mut String) {
    let ran: Vec<&Contest> = contests.iter().filter(|contest| contest.results.len() > 1).collect();
    for (key, title) in [
        (COST, "Cost against each scenario as written"),
        (WAIT, "Wait that 95 % stay below, marked against each scenario as written"),
    ] {
        let _ = writeln!(body, "<section><h2>{title}</h2>");
        let order = entrants(&ran);
        ran.chunks(ACROSS).for_each(|some| overview_of(some, &order, key, body));
        body.push_str("</section>\n");
    }
}

fn overview_of(ran: &[&Contest], order: &[&str], key: &str, body: &mut String) {
    body.push_str("<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\">\n<thead><tr><td></td>");
    for contest in ran {
        let name = escape(&contest.scenario);
        let _ = write!(body, "<th scope=\"col\" class=\"number\"><a href=\"#{name}\">{name}</a></th>");
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    let runs_here = |name: &&&str| entrants(ran).contains(*name);
    for name in order.iter().filter(runs_here) {
        let _ = write!(body, "<tr><th scope=\"row\">{}</th>", escape(name));
        for contest in ran {
            let _ = write!(
                body,
                "<td class=\"number\">{}</td>",
                escape(&cell(contest, name, key)).replace('\n', "<br>")
            );
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody></table></div>\n");
}

/// Who ran on some of the scenarios. Each follows whom it follows in the scenario where it first appears, so that all
/// tables have one order.
fn entrants<'c>(ran: &[&'c Contest]) -> Vec<&'c str> {
    let mut order: Vec<&str> = Vec::new();
    for contest in ran {
        let mut place = 0;
        for name in contest.results[1..].iter().map(|result| base_name(&result.name)) {
            place = order.iter().position(|known| *known == name).unwrap_or_else(|| {
                order.insert(place, name);
                place
            }) + 1;
        }
    }
    order
}

/// `best fixed (12)` is the same entrant in every scenario.
fn base_name(name: &str) -> &str {
    name.split(" (").next().unwrap_or(name)
}

fn cell(contest: &Contest, name: &str, key: &str) -> String {
    let Some(i) = contest.results.iter().skip(1).position(|result| base_name(&result.name) == name) else {
        return "-".into();
    };
    let result = &contest.results[i + 1];
    let note = overload(result).unwrap_or_default();
    if result.overloaded() == result.runs.len() {
        return note;
    }
    // A share of a wait that is nearly nothing says nothing: waits stand as they are.
    let mean = with_interval(quantity(key), &result.estimate(key), result.is_censored(key));
    let change = if key == COST { change(contest, i + 1, key) } else { String::new() };
    let text = match key {
        COST if !change.is_empty() => change,
        COST => mean,
        _ => format!("{mean} {}", mark(&contest.difference(i + 1, key))).trim_end().to_owned(),
    };
    if note.is_empty() { text } else { format!("{text}\n{note}") }
}

fn section(contest: &Contest, body: &mut String) -> Result<(), ChartError> {
    let name = escape(&contest.scenario);
    let _ = writeln!(
        body,
        "<section id=\"{name}\">\n<h2>{} <small class=\"soft\">{name}</small></h2>",
        escape(&contest.title)
    );
    if !contest.results.is_empty() {
        let _ = writeln!(body, "<p class=\"soft\">{}</p>", escape(&header(&contest.results)));
        if !contest.target.is_empty() {
            let _ = writeln!(body, "<p class=\"soft\">{}</p>", escape(&target(contest)));
        }
        figures(contest, body);
        if contest.results.len() > 1 {
            significant(contest, body);
            let _ = writeln!(
                body,
                "<figure>{}<figcaption>Down and to the left is better: cheap and quick.</figcaption></figure>",
                cost_against_wait(contest).svg()
            );
        }
        courses(contest, body)?;
        decisions(contest, body);
    }
    if !contest.left_out.is_empty() {
        body.push_str("<h3>Left out</h3>\n<ul>\n");
        for (names, why) in left_out(contest) {
            let _ = writeln!(body, "<li>{}: {}</li>", escape(&names.join(", ")), escape(why));
        }
        body.push_str("</ul>\n");
    }
    let _ = writeln!(
        body,
        "<details><summary>The scenario</summary><pre><code>{}</code></pre></details>\n</section>",
        escape(&contest.toml)
    );
    Ok(())
}

fn figures(contest: &Contest, body: &mut String) {
    body.push_str("<div class=\"scroll\" tabindex=\"0\"><table class=\"figures\">\n<thead><tr><td></td>");
    for (_, heading) in columns(contest) {
        let _ = write!(body, "<th scope=\"col\" class=\"number\">{heading}</th>");
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    for (i, result) in contest.results.iter().enumerate() {
        let class = if i == 0 { " class=\"base\"" } else { "" };
        let verdict = meets(contest, i).map_or_else(String::new, |meets| format!("{meets} the target"));
        let _ = write!(
            body,
            "<tr{class}><th scope=\"row\">{}<br><small class=\"soft\">{verdict}</small></th>",
            escape(&name_of(result))
        );
        for (key, _) in columns(contest) {
            let mean = with_interval(quantity(key), &result.estimate(key), result.is_censored(key));
            let change = if i == 0 { String::new() } else { paired(contest, i, key) };
            let _ = write!(
                body,
                "<td class=\"number\">{}<br><small class=\"soft\">{}</small></td>",
                escape(&mean),
                escape(&change)
            );
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody></table></div>\n");
}

/// Where the platform starts the workers, the share of cold starts takes the place of the mean wait, which says little
/// there: a sheet of paper has room for no more.
fn columns(contest: &Contest) -> impl Iterator<Item = (&'static str, &'static str)> {
    let is_per_request = contest.is_per_request;
    COLUMNS.into_iter().map(move |column| match column {
        ("schedule_to_start.mean", _) if is_per_request => (COLD, "Cold starts"),
        column => column,
    })
}

fn name_of(result: &Replications) -> String {
    overload(result).map_or_else(|| result.name.clone(), |note| format!("{} ({note})", result.name))
}

/// The paired difference in the figure's own unit, with its interval and mark.
fn paired(contest: &Contest, i: usize, key: &str) -> String {
    let difference = contest.difference(i, key);
    if difference.estimate.mean.is_none() {
        return "no interval".into();
    }
    let sign = if difference.estimate.mean.is_some_and(|mean| mean > 0.0) { "+" } else { "" };
    format!("{sign}{} {}", with_interval(quantity(key), &difference.estimate, false), mark(&difference))
}

/// What the comparison shows, in sentences.
fn significant(contest: &Contest, body: &mut String) {
    body.push_str("<h3>What is significant</h3>\n<ul>\n");
    for (i, result) in contest.results.iter().enumerate().skip(1) {
        if let Some(note) = overload(result) {
            let name = escape(&result.name);
            let _ = writeln!(
                body,
                "<li><strong>{name}</strong>: {note}: more came than it could do, its cost is that of work not done and \
                 is not compared.</li>"
            );
            continue;
        }
        let cost = said(contest, i, COST, ["cheaper", "more expensive"], "costs no different");
        let wait =
            said(contest, i, WAIT, ["shorter waits (95 %)", "longer waits (95 %)"], "waits no different");
        let cold =
            said(contest, i, COLD, ["fewer cold starts", "more cold starts"], "cold starts no different");
        let cold = if contest.is_per_request { format!("; {cold}") } else { String::new() };
        let _ = writeln!(
            body,
            "<li><strong>{}</strong>: {}; {}{}.</li>",
            escape(&name_of(result)),
            escape(&cost),
            escape(&wait),
            escape(&cold)
        );
    }
    body.push_str("</ul>\n");
}

fn said(contest: &Contest, i: usize, key: &str, [less, more]: [&str; 2], same: &str) -> String {
    let result = &contest.results[i];
    if result.is_censored(key) {
        return format!("{more}: only a lower bound is known, tasks still waited");
    }
    let difference = contest.difference(i, key);
    let Some(mean) = difference.estimate.mean.filter(|_| difference.is_significant) else {
        return format!(
            "{same} that {} could tell",
            plural(result.runs.len() as u64, "replication", "replications")
        );
    };
    let which = if mean < 0.0 { less } else { more };
    let mark = mark(&difference);
    match relative(contest, i, key) {
        Some(share @ MANY..) => format!("{which}, {} times as much {mark}", number(share + 1.0)),
        Some(share) => format!("{which} by {} {mark}", percent(share.abs())),
        None => format!("{which} by {}", paired(contest, i, key).trim_start_matches(['+', '-'])),
    }
}

fn cost_against_wait(contest: &Contest) -> Scatter {
    let (key, title, heading) = if contest.is_per_request {
        (COLD, "cold starts", "share of cold starts")
    } else {
        (WAIT, "waiting", "wait that 95 % stay below")
    };
    let dot = |(i, result): (usize, &Replications)| {
        let kind = if i == 0 { Kind::Written } else { Kind::Rival };
        let (x, y) = result.estimate(COST).mean.zip(result.estimate(key).mean)?;
        Some(Dot { x, y, kind, label: result.name.clone() })
    };
    Scatter {
        title: format!("{}: cost against {title}", contest.scenario),
        x: ("cost (USD)".into(), Some(Quantity::Usd)),
        y: (heading.into(), Some(quantity(key))),
        points: contest.results.iter().enumerate().filter_map(dot).collect(),
        limit: None,
    }
}

/// The first replication of each, side by side on the same axes.
fn courses(contest: &Contest, body: &mut String) -> Result<(), ChartError> {
    let course = |result: &Replications| Some(result.runs.first()?.course.clone()?.timeline);
    let timelines: Vec<(&Replications, Timeline)> =
        contest.results.iter().filter_map(|result| Some((result, course(result)?))).collect();
    let workers = |row: &TimelineRow| row.workers_starting + row.workers_ready + row.workers_draining;
    let rows = || timelines.iter().flat_map(|(_, timeline)| &timeline.total);
    let most_waiting = most_waiting(&timelines);
    let most_workers = rows().map(workers).fold(0.0, f64::max);
    body.push_str(
        "<details open><summary>The first replication of each, side by side</summary>\n<p class=\"soft\">Waiting tasks \
         and workers (starting, ready and draining); same arrivals, same axes. A backlog far beyond the others' is cut \
         off at the top.</p>\n<div class=\"pair\">\n",
    );
    for (result, timeline) in &timelines {
        let chart = chart(contest, &result.name, timeline, most_waiting, most_workers);
        let svg = inline_svg(&chart, Size { width: 520, height: 430 }, "course")?;
        let _ = writeln!(body, "<figure>{svg}</figure>");
    }
    body.push_str("</div></details>\n");
    Ok(())
}

/// How far up the axis of waiting tasks goes. What is hopelessly behind would make a flat line of all others: it may
/// leave the paper, the more so what is overloaded.
fn most_waiting(timelines: &[(&Replications, Timeline)]) -> f64 {
    let peaks = |with_overloaded: bool| {
        let is_in = move |result: &Replications| {
            with_overloaded || result.runs.first().is_some_and(|run| !run.summary.total.overloaded)
        };
        let some = timelines.iter().filter(move |(result, _)| is_in(result));
        some.map(|(_, timeline)| peak(timeline, |row| row.backlog))
    };
    let with_overloaded = peaks(false).next().is_none();
    (FARTHEST * quartile(peaks(with_overloaded))).min(peaks(with_overloaded).fold(0.0, f64::max))
}

fn peak(timeline: &Timeline, of: impl Fn(&TimelineRow) -> f64) -> f64 {
    timeline.total.iter().map(of).fold(0.0, f64::max)
}

/// A value that three quarters of the others do not exceed by far.
fn quartile(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() * 3 / 4).or(values.last()).copied().unwrap_or(0.0)
}

fn chart(contest: &Contest, name: &str, timeline: &Timeline, most_waiting: f64, most_workers: f64) -> Chart {
    let series = |label: &str, ink, of: &dyn Fn(&TimelineRow) -> f64| Series {
        label: label.into(),
        ink,
        shape: Shape::Area,
        values: timeline.total.iter().map(|row| Some(of(row))).collect(),
    };
    let all = |row: &TimelineRow| row.workers_starting + row.workers_ready + row.workers_draining;
    let waiting = |row: &TimelineRow| row.backlog.min(most_waiting.max(1.0));
    let panel = |axis: &str, reach, series| Panel { axis: axis.into(), scale: Scale::Linear, reach, series };
    Chart {
        id: format!("{}-{name}", contest.scenario),
        title: name.to_owned(),
        caption: format!("{name} on {}: waiting tasks above, workers below", contest.scenario),
        starts: timeline.total.iter().map(|row| row.t_s).collect(),
        window_s: timeline.window_s,
        panels: vec![
            panel("waiting tasks", most_waiting, vec![series("waiting", Ink::Vermillion, &waiting)]),
            panel(
                "workers",
                most_workers,
                vec![series("workers", Ink::Sky, &all), series("ready", Ink::Blue, &|row| row.workers_ready)],
            ),
        ],
        marks: Vec::new(),
        bands: Vec::new(),
        bands_are: "fault",
        in_seconds: false,
        horizon_s: None,
    }
}

/// How often each rule acted, on average over the replications, the busiest rule of each spec first.
fn decisions(contest: &Contest, body: &mut String) {
    let all: Vec<String> = contest.results.iter().map(acted).collect();
    if all.iter().all(String::is_empty) {
        return;
    }
    body.push_str(
        "<details><summary>Decisions that led to an action, by rule</summary>\n<div class=\"scroll\" tabindex=\"0\"><table \
         class=\"figures\">\n<thead><tr><td></td><th scope=\"col\">rules, and how often each acted in a \
         replication</th></tr></thead>\n<tbody>\n",
    );
    for (result, acted) in contest.results.iter().zip(all).filter(|(_, acted)| !acted.is_empty()) {
        let name = escape(&result.name);
        let _ = writeln!(body, "<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", escape(&acted));
    }
    body.push_str("</tbody></table></div></details>\n");
}

/// `no_sync_match 113 ± 5.2, no_free_slot 2`.
fn acted(result: &Replications) -> String {
    let courses: Vec<&Course> = result.runs.iter().filter_map(|run| run.course.as_ref()).collect();
    let rules: BTreeSet<&String> = courses.iter().flat_map(|course| course.actions.keys()).collect();
    let count = |rule: &String| -> Vec<f64> {
        courses.iter().map(|course| course.actions.get(rule).copied().unwrap_or(0) as f64).collect()
    };
    let mut each: Vec<(Estimate, &String)> =
        rules.into_iter().map(|rule| (Estimate::of(&count(rule)), rule)).collect();
    each.sort_by(|(a, _), (b, _)| b.mean.unwrap_or(0.0).total_cmp(&a.mean.unwrap_or(0.0)));
    let text = |(estimate, rule): (Estimate, &String)| {
        format!("{rule} {}", with_interval(Quantity::Count, &estimate, false))
    };
    each.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::research::compare::Entrant;
    use crate::research::testing::scenario;
    use crate::research::{Lab, Plan};
    use wci_core::algorithm::AlgorithmKind;

    fn contest(name: &str) -> Contest {
        let entrants = [Entrant::Algorithm(AlgorithmKind::Fixed)];
        let mut contest =
            Contest::run(&Lab::without_files(), &scenario(&[]), &entrants, &Plan::of(2)).unwrap();
        contest.scenario = name.into();
        contest
    }

    #[test]
    fn no_overview_is_wider_than_a_sheet_of_paper() {
        let contests: Vec<Contest> = (0..8).map(|i| contest(&format!("number-{i}"))).collect();
        let mut body = String::new();
        overview(&contests, &mut body);
        let across = body.split("<table").skip(1).map(|table| table.matches("<a href").count());
        assert_eq!(across.collect::<Vec<_>>(), [5, 3, 5, 3]);
    }

    #[test]
    fn whoever_appears_late_stands_where_it_runs() {
        let named = |names: &[&str]| {
            let mut contest = contest("some");
            let (written, other) = (contest.results[0].clone(), contest.results[1].clone());
            contest.results = vec![written];
            for name in names {
                contest.results.push(other.clone());
                contest.results.iter_mut().last().unwrap().name = (*name).to_owned();
            }
            contest
        };
        let contests =
            [named(&["pid", "best fixed (2)"]), named(&["no-sync", "pid", "hpa", "best fixed (3)"])];
        assert_eq!(entrants(&contests.iter().collect::<Vec<_>>()), ["no-sync", "pid", "hpa", "best fixed"]);
    }

    #[test]
    fn one_overloaded_seed_does_not_hide_what_the_others_gave() {
        let mut contest = contest("some");
        contest.results[1].runs.iter_mut().for_each(|run| run.summary.total.overloaded = false);
        let calm = cell(&contest, "fixed", WAIT);
        contest.results[1].runs[0].summary.total.overloaded = true;
        assert_eq!(cell(&contest, "fixed", WAIT), format!("{calm}\noverloaded in 1 of 2"));
        contest.results[1].runs[1].summary.total.overloaded = true;
        assert_eq!(cell(&contest, "fixed", WAIT), "overloaded");
    }

    #[test]
    fn what_is_overloaded_is_not_called_cheaper() {
        let mut contest = contest("some");
        let said = |contest: &Contest| {
            let mut body = String::new();
            significant(contest, &mut body);
            body
        };
        contest.results[1].runs.iter_mut().for_each(|run| run.summary.total.overloaded = false);
        assert!(said(&contest).contains("cost"), "{}", said(&contest));
        contest.results[1].runs[1].summary.total.overloaded = true;
        let body = said(&contest);
        assert!(body.contains("overloaded in 1 of 2") && !body.contains("cheaper"), "{body}");
    }

    #[test]
    fn an_overloaded_backlog_leaves_the_paper_before_the_others_are_flat() {
        let contest = contest("some");
        let runs = &contest.results;
        let timeline = |peak: f64| {
            let row = TimelineRow { backlog: peak, ..TimelineRow::default() };
            Timeline { total: vec![row], ..Timeline::default() }
        };
        let mut hopeless = runs[0].clone();
        hopeless.runs[0].summary.total.overloaded = true;
        let calm = &runs[1];
        assert_eq!(most_waiting(&[(&hopeless, timeline(1e6)), (calm, timeline(20.0))]), 20.0);
        assert_eq!(most_waiting(&[(&hopeless, timeline(1e6))]), 1e6);
    }
}
