//! What a search has found: what to deploy, what it costs, and how sure that is.

use super::again::again;
use super::amount::{amount, with_interval};
use super::scatter::{Dot, Kind, Scatter};
use crate::report::html::{escape, shell};
use crate::report::units::{count, percent, plural};
use crate::research::tune::{Confirmed, Constrained, Rival, Trial, Tuned};
use crate::research::{Estimate, LEVEL, Stop};
use crate::scenario::expect::{Bound, Expectation, Quantity, known_keys};
use std::fmt::Write as _;

/// What kind of figure a key is; group keys count as their figure.
#[must_use]
pub fn quantity(key: &str) -> Quantity {
    let known = known_keys(&[]);
    let is_it = |name: &str| key == name || key.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    known.iter().find(|(name, _)| is_it(name)).map_or(Quantity::Count, |(_, quantity)| *quantity)
}

/// What is found, for a terminal.
#[must_use]
pub fn table(title: &str, tuned: &Tuned) -> String {
    let mut out = format!("{title}\nminimize {}", tuned.minimize);
    for constraint in &tuned.subject_to {
        let _ = write!(out, ", subject to {constraint}");
    }
    let _ = writeln!(out, "\n{}", effort(tuned));
    if let Some(own) = &tuned.only_own {
        let _ = writeln!(
            out,
            "only the algorithm as written ({own}) was searched; --algorithms all also tries the others that fit"
        );
    }
    for (algorithm, why) in &tuned.not_searched {
        let _ = writeln!(
            out,
            "of {algorithm} only the setting as it is was run, no other that was tried can be: {why}"
        );
    }
    if tuned.is_conditional {
        out.push_str(
            "conditional on this trace: sure for service, start and failure luck, not for other arrivals\n",
        );
    }
    out.push('\n');
    match &tuned.best {
        Some(best) => found(tuned, best, &mut out),
        None => not_found(tuned, &mut out),
    }
    out
}

fn effort(tuned: &Tuned) -> String {
    let [search, choice, confirm] = tuned.seeds.map(|(first, last)| format!("{first}-{last}"));
    let tried = plural(tuned.trials.len() as u64, "setting", "settings");
    match tuned.best {
        Some(_) => format!(
            "{tried} tried on seeds {search}, the best chosen on {choice}, confirmed on {confirm}, never used before"
        ),
        None => format!("{tried} tried on seeds {search}; none held there, on {choice} and on fresh ones"),
    }
}

fn found(tuned: &Tuned, best: &Confirmed, out: &mut String) {
    let _ = writeln!(out, "Deploy {}:", best.algorithm);
    settings(&best.settings, out);
    let cost = quantity(&tuned.minimize);
    let _ = writeln!(out, "\nOn the fresh seeds, 95 % intervals (Student):");
    let _ = writeln!(out, "  {:44}{}", tuned.minimize, with_interval(cost, &best.objective, false));
    for line in figures(best) {
        let _ = writeln!(out, "  {line}");
    }
    for rival in &best.rivals {
        let _ = writeln!(out, "{}", wrapped_rival(tuned, rival));
    }
    let is_beaten = |rival: &Rival| rival.holds && rival.difference.low().is_some_and(|low| low > 0.0);
    if best.rivals.iter().any(is_beaten) {
        out.push_str(
            "\nSomething cheaper holds that this search did not come to: look further, with --algorithms all or more \
             --trials.\n",
        );
    }
    if !tuned.subject_to.is_empty() {
        if tuned.best_fixed.is_none() && !tuned.is_per_request {
            out.push_str("\nNo fixed number of workers was found that meets the target.\n");
        }
        let _ = writeln!(out, "\n{}", certainty(best));
    }
    if !tuned.is_per_request {
        specs(best, out);
    }
}

/// Several scenarios that come to the same spec have it once.
fn specs(best: &Confirmed, out: &mut String) {
    match &best.specs[..] {
        [one, others @ ..] if others.iter().all(|other| other == one) => {
            let _ = writeln!(out, "\nThe spec:\n{one:#}");
        }
        several => {
            for (spec, scenario) in several.iter().zip(&best.scenarios) {
                let _ = writeln!(out, "\nThe spec for {scenario}:\n{spec:#}");
            }
        }
    }
}

/// Each constraint's figure with the end of its interval that has to hold.
fn figures(best: &Confirmed) -> Vec<String> {
    let is_one = best.results.len() == 1;
    let line = |figure: &Constrained| {
        let Constrained { key, estimate, limit, constraint, scenario } = figure;
        let kind = quantity(key);
        let end = limit.map_or_else(|| "-".into(), |limit| amount(kind, limit));
        let mean = with_interval(kind, estimate, false);
        let is_upper = limit.zip(estimate.mean).is_none_or(|(limit, mean)| limit >= mean);
        let which = if is_upper { "upper" } else { "lower" };
        let place = if is_one { String::new() } else { format!(" on {scenario}") };
        format!("{key:44}{mean}, {which} limit {end} ({constraint}){place}")
    };
    best.constrained.iter().map(line).collect()
}

fn settings(settings: &[(String, toml::Value)], out: &mut String) {
    for (key, value) in settings {
        let _ = writeln!(out, "  {} = {value}", short(key));
    }
    if settings.is_empty() {
        out.push_str("  every setting as it is: none was found to make a difference\n");
    }
}

fn wrapped_rival(tuned: &Tuned, rival: &Rival) -> String {
    let kind = quantity(&tuned.minimize);
    let holds = match rival.holds {
        _ if tuned.subject_to.is_empty() => "",
        true => ", meets the target",
        false => ", misses the target",
    };
    let share = rival.objective.mean.zip(rival.difference.mean).filter(|(cost, _)| *cost != 0.0);
    let share = share.map_or_else(String::new, |(cost, less)| format!(" ({})", signed_percent(less / cost)));
    let less = with_interval(kind, &rival.difference, false);
    let verdict = match rival.difference {
        _ if !rival.holds && !tuned.subject_to.is_empty() => {
            "it misses the target, so that what it costs is no measure"
        }
        Estimate { mean: Some(mean), .. } if rival.difference.is_significant() => {
            if mean < 0.0 {
                "cheaper, by the whole paired interval"
            } else {
                "more expensive, by the whole paired interval"
            }
        }
        _ => "no difference that this many seeds can tell",
    };
    format!(
        "\nAgainst {} ({}{holds}):\n  paired difference {less}{share}: {verdict}",
        rival.name,
        with_interval(kind, &rival.objective, false)
    )
}

fn signed_percent(share: f64) -> String {
    if share > 0.0 { format!("+{}", percent(share)) } else { percent(share) }
}

fn certainty(best: &Confirmed) -> String {
    let failed = match best.round {
        0 => "It is the first choice: no setting was dropped on fresh seeds.".to_owned(),
        n => format!(
            "{} came first, and did not hold on fresh seeds of their own.",
            plural(n, "cheaper setting", "cheaper settings")
        ),
    };
    let stopped = match best.stop {
        Stop::Count => "",
        Stop::Precise => "\nThe fresh seeds ended when the intervals were narrow enough.",
        Stop::Limit => "\nThe fresh seeds ended at the limit; the intervals are wider than wanted.",
    };
    format!(
        "{failed}{stopped}\nIt was chosen with room to the target, by a normal approximation on the seeds of the choice.\n\
         The proof is the fresh seeds: their {} interval meets it.",
        percent(LEVEL)
    )
}

fn not_found(tuned: &Tuned, out: &mut String) {
    out.push_str("No setting was found that meets the target. Nothing is bent to make it fit.\n");
    if let Some(trial) = tuned.nearest() {
        let key = tuned
            .subject_to
            .first()
            .and_then(|c| c.split_whitespace().next())
            .unwrap_or("schedule_to_start.p95");
        let kind = quantity(key);
        let reached = trial.constrained.map_or_else(|| "∞".into(), |x| amount(kind, x));
        let cost = amount(quantity(&tuned.minimize), trial.mean);
        let which = algorithm(tuned, trial).map_or_else(String::new, |name| format!(", {name},"));
        let _ = writeln!(
            out,
            "The nearest{which} reaches {key} = {reached} (mean) at {} = {cost}:",
            tuned.minimize
        );
        if trial.settings.is_empty() {
            out.push_str("  every setting as it is\n");
        } else {
            settings(&trial.settings, out);
        }
        if trial.overloaded > 0 {
            let _ = writeln!(
                out,
                "Under {} of {} seeds it is overloaded: more comes than it can do, waits grow as long as the run is.",
                trial.overloaded, trial.seeds
            );
        }
    }
    match &tuned.best_fixed {
        Some(counts) => {
            let _ = writeln!(out, "A fixed number of workers would meet it: {counts}.");
        }
        None => out.push_str("No fixed number of workers meets it either.\n"),
    }
}

/// The algorithm of a trial, where there are several.
fn algorithm<'t>(tuned: &'t Tuned, trial: &Trial) -> Option<&'t str> {
    (tuned.spaces.len() > 1).then(|| tuned.spaces[trial.space].0.as_str())
}

/// A key without what is the same in all of them.
fn short(key: &str) -> &str {
    key.strip_prefix("spec.scaling_group_specs.").unwrap_or(key)
}

/// Every trial as CSV.
///
/// # Errors
/// Never in practice: it writes to memory.
pub fn trials_csv(tuned: &Tuned) -> csv::Result<Vec<u8>> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in tuned.trials.iter().flat_map(|trial| &trial.settings) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let constrained = constrained_key(tuned);
    let fixed = ["algorithm", &tuned.minimize, constrained, "meets_target", "shortfall", "seeds", "on_front"];
    writer.write_record(fixed.into_iter().chain(keys.iter().copied()))?;
    for trial in &tuned.trials {
        writer.write_record(
            [
                tuned.spaces[trial.space].0.clone(),
                trial.mean.to_string(),
                trial.constrained.map(|x| x.to_string()).unwrap_or_default(),
                trial.is_sure.to_string(),
                trial.shortfall.to_string(),
                trial.seeds.to_string(),
                trial.on_front.to_string(),
            ]
            .into_iter()
            .chain(keys.iter().map(|key| setting(trial, key))),
        )?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn setting(trial: &Trial, key: &str) -> String {
    let value = trial.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    value.map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn constrained_key(tuned: &Tuned) -> &str {
    tuned.subject_to.first().and_then(|c| c.split_whitespace().next()).unwrap_or("schedule_to_start.p95")
}

/// The front of what is cheap and what is quick, among all that was tried under all seeds of the search.
#[must_use]
pub fn pareto(tuned: &Tuned) -> Scatter {
    let key = constrained_key(tuned);
    let whole = tuned.trials.iter().map(|trial| trial.seeds).max().unwrap_or(0);
    let dot = |trial: &Trial| {
        let name = algorithm(tuned, trial).map(str::to_owned);
        let settings = trial.settings.iter().map(|(key, value)| format!("{} = {value}", short(key)));
        let label = name.into_iter().chain(settings);
        let kind = if trial.on_front { Kind::Front } else { Kind::Tried };
        let label = label.collect::<Vec<_>>().join("\n");
        trial.constrained.map(|y| Dot { x: trial.mean, y, kind, label })
    };
    let mut points: Vec<Dot> = tuned
        .trials
        .iter()
        .filter(|trial| trial.seeds == whole && trial.mean.is_finite())
        .filter_map(dot)
        .collect();
    points.sort_by_key(|dot| dot.kind == Kind::Front);
    if let Some(best) = &tuned.best {
        for (i, rival) in best.rivals.iter().enumerate() {
            let at = rival.objective.mean.zip(rival.constrained);
            let kind = if i == 0 { Kind::Written } else { Kind::Rival };
            // How a fixed number was found takes too much room.
            let label = rival.name.split(", the ").next().unwrap_or_default().to_owned();
            points.extend(at.map(|(x, y)| Dot { x, y, kind, label }));
        }
        let y = best.results.iter().filter_map(|result| result.estimate(key).mean).reduce(f64::max);
        let label = format!("found: {}", best.algorithm);
        points.extend(best.objective.mean.zip(y).map(|(x, y)| Dot { x, y, kind: Kind::Best, label }));
    }
    Scatter {
        title: format!("{} against {key}", tuned.minimize),
        x: (tuned.minimize.clone(), Some(quantity(&tuned.minimize))),
        y: (key.to_owned(), Some(quantity(key))),
        points,
        limit: limit(tuned),
    }
}

/// The first constraint's bound in the summary's unit.
fn limit(tuned: &Tuned) -> Option<f64> {
    match constraint(tuned)?.bound {
        Bound::Number(bound) => Some(bound),
        Bound::Flag(_) | Bound::Text(_) => None,
    }
}

fn constraint(tuned: &Tuned) -> Option<Expectation> {
    Expectation::parse(tuned.subject_to.first()?, &[]).ok()
}

/// The same as one page; `command` gives it again.
#[must_use]
pub fn page(title: &str, tuned: &Tuned, command: &str) -> String {
    let class = if tuned.best.is_some() { "verdict" } else { "verdict bad" };
    let headline = match &tuned.best {
        Some(best) => format!("Deploy {} with the settings below", best.algorithm),
        None => "No setting was found that meets the target".into(),
    };
    let mut body = format!(
        "<header>\n<h1>Tuned: {}</h1>\n<div class=\"{class}\"><strong>{}</strong>{}</div>\n</header>\n<main>\n",
        escape(title),
        escape(&headline),
        escape(&effort(tuned))
    );
    let _ = writeln!(body, "<section><h2>Result</h2>\n<pre>{}</pre></section>", escape(&table(title, tuned)));
    let _ = writeln!(
        body,
        "<section><h2>What is cheap and what is quick</h2>\n<figure>{}<figcaption>Each point is a setting, its mean over \
         the seeds of the search; what was dropped after a first look is left out. On the front no other is better in \
         both.</figcaption></figure></section>",
        pareto(tuned).svg()
    );
    front(tuned, &mut body);
    body.push_str(&again(command));
    shell(&format!("Tuned: {title}"), &body)
}

/// Whether a trial meets the target, in words: a mean on the right side may still be too near for other seeds.
fn met(tuned: &Tuned, trial: &Trial) -> (&'static str, &'static str) {
    let misses = |mean: f64| match constraint(tuned) {
        Some(Expectation { comparison, bound: Bound::Number(bound), .. }) => !comparison.holds(mean, bound),
        _ => false,
    };
    match trial {
        _ if tuned.subject_to.is_empty() => ("", "-"),
        Trial { is_sure: true, .. } => ("ok", "meets it surely"),
        Trial { overloaded: 1.., .. } => ("failed", "overloaded"),
        Trial { constrained: Some(mean), .. } if tuned.subject_to.len() == 1 && misses(*mean) => {
            ("failed", "misses it")
        }
        _ => ("failed", "not surely"),
    }
}

fn front(tuned: &Tuned, body: &mut String) {
    let mut front: Vec<&Trial> = tuned.trials.iter().filter(|trial| trial.on_front).collect();
    // What comes to the same is one place on the front: the setting nearest to what is written stands for it.
    front.sort_by(|a, b| a.mean.total_cmp(&b.mean).then(a.settings.len().cmp(&b.settings.len())));
    let all = front.len();
    front.dedup_by(|b, a| a.mean == b.mean && a.constrained == b.constrained);
    let several = tuned.spaces.len() > 1;
    let same = match all - front.len() {
        0 => String::new(),
        n => format!(
            " Each stands for those that come to the same: {} in all.",
            count((n + front.len()) as u64)
        ),
    };
    let (cost, wait) = (quantity(&tuned.minimize), quantity(constrained_key(tuned)));
    let _ = writeln!(
        body,
        "<section><h2>The front</h2>\n<p>{} on the front of {}.{same}</p><div class=\"scroll\"><table>\n<thead><tr>\
         <th class=\"number\">{}</th><th class=\"number\">{}</th><th>Target</th>{}<th>Settings</th></tr></thead>\n<tbody>",
        plural(front.len() as u64, "setting is", "settings are"),
        count(tuned.trials.len() as u64),
        escape(&tuned.minimize),
        escape(constrained_key(tuned)),
        if several { "<th>Algorithm</th>" } else { "" }
    );
    for trial in front {
        let settings = trial.settings.iter().map(|(key, value)| {
            let name = key.rsplit('.').next().unwrap_or(key);
            format!("{name} = {value}")
        });
        let settings = settings.collect::<Vec<_>>().join(", ");
        let untouched = if several { "its defaults" } else { "as written" };
        let settings = if settings.is_empty() { untouched.into() } else { settings };
        let name = algorithm(tuned, trial);
        let name = name.map_or_else(String::new, |name| format!("<td>{}</td>", escape(name)));
        let (class, word) = met(tuned, trial);
        let _ = writeln!(
            body,
            "<tr><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"{class}\">{word}</td>{name}<td>{}</td></tr>",
            escape(&amount(cost, trial.mean)),
            escape(&trial.constrained.map_or_else(|| "∞".into(), |x| amount(wait, x))),
            escape(&settings)
        );
    }
    body.push_str("</tbody></table></div></section>\n");
}
