//! The reference page of the scenario file, made of its schema, so that it cannot lie.

use super::shared;
use crate::scenario::defaults::{self, PRICES_AS_OF};
use crate::scenario::expect::known_keys;
use crate::scenario::shape::Shape;
use crate::scenario::units::{SPAN_EXPECTED, SPAN_FORMAT};
use std::fmt::Write as _;
use wci_core::algorithm::AlgorithmKind;
use wci_core::spec::ProviderType;

/// Sections in the order in which a reader needs them: name in the schema and title. Types that are not listed are
/// lists of words, shown where they are used.
const SECTIONS: [(&str, &str); 28] = [
    ("TaskQueue", "`[[task_queue]]`"),
    ("Workload", "`[[workload]]`"),
    ("Arrival", "Arrivals"),
    ("ArrivalState", "States of Markov-modulated arrivals"),
    ("RatePoint", "Points of `steps` and `ramps`"),
    ("TraceOptions", "`[workload.trace]`"),
    ("Mapping", "`[workload.trace.mapping]`"),
    ("Workflow", "`[workload.workflow]`"),
    ("Times", "Times"),
    ("MixturePart", "Parts of a mixture"),
    ("Group", "`[group.NAME]`"),
    ("Worker", "`[group.NAME.worker]`"),
    ("ByType", "Numbers by task type"),
    ("Provider", "`[group.NAME.provider]`"),
    ("KeepAlive", "Keep-alive"),
    ("Price", "`[group.NAME.price]`"),
    ("Retry", "`[retry]`"),
    ("Controller", "`[controller]`"),
    ("Batching", "`[controller.batching]`"),
    ("Fault", "`[[fault]]`"),
    ("Change", "`[[change]]`"),
    ("AddTasks", "`add_tasks`"),
    ("RateFactor", "`rate_factor`"),
    ("NewService", "`service` of a change"),
    ("ArrivalRate", "`arrival_rate`"),
    ("Scaling", "`scaling`"),
    ("Demo", "`[demo]`"),
    ("Spec", "`[spec]`"),
];

/// The reference page in Markdown.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = Page(String::new());
    page.text(
        "# Scenario files\n\n<!-- Generated from sim/src/scenario by `cargo xtask bless`; do not edit. -->\n\n\
         A scenario is a TOML file: what arrives, who serves it, who decides, what happens on the way, and what must \
         come out. `wci validate FILE` checks one, `wci run FILE` runs it, `--set KEY=VALUE` changes one value by its \
         dotted key, such as `workload.orders.arrival.rate=5` (lists go by the `name` of their items or by position). \
         Unknown keys are refused. `wci schema` prints the same as JSON Schema.\n\n",
    );
    let _ = writeln!(
        page.0,
        "Times are {SPAN_EXPECTED}; a bare number is refused. Rates are per second, money is US dollars.\n"
    );
    page.text("## The file\n\n");
    page.shape(Shape::scenario());
    for (name, title) in SECTIONS {
        let _ = writeln!(page.0, "## {title}\n");
        match name {
            "Spec" => page.spec(),
            _ => page.shape(definition(name)),
        }
    }
    page.expect();
    page.defaults();
    page.0
}

fn definition(name: &str) -> Shape<'static> {
    Shape::scenario().definition(name).unwrap_or(Shape::scenario())
}

struct Page(String);

impl Page {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    /// A table of keys, or one for each kind.
    fn shape(&mut self, shape: Shape<'_>) {
        if !shape.description().is_empty() {
            let _ = writeln!(self.0, "{}\n", shape.description());
        }
        let tables: Vec<Shape<'_>> = shape.alternatives().into_iter().filter(|a| a.is_table()).collect();
        match Shape::tag_of(&tables).filter(|_| tables.len() > 1) {
            Some(tag) => tables.iter().for_each(|table| self.kind(tag, *table)),
            None => tables.iter().for_each(|table| self.keys(*table, None)),
        }
    }

    fn kind(&mut self, tag: &str, table: Shape<'_>) {
        let name = table.tag_value(tag).unwrap_or_default();
        let _ = writeln!(self.0, "**`{tag} = \"{name}\"`** {}\n", table.description());
        if table.keys().len() > 1 {
            self.keys(table, Some(tag));
        }
    }

    fn keys(&mut self, table: Shape<'_>, tag: Option<&str>) {
        self.text("| key | value | meaning |\n| --- | --- | --- |\n");
        let required = table.required();
        let (needed, optional): (Vec<&str>, Vec<&str>) =
            table.keys().into_iter().filter(|key| Some(*key) != tag).partition(|key| required.contains(key));
        for name in needed.iter().chain(&optional) {
            let Some(key) = table.key(name) else { continue };
            let must = if required.contains(name) { " **Required.**" } else { "" };
            let default = table.default_of(name).map(|d| format!(" Default {d}.")).unwrap_or_default();
            let meaning = format!("{}{default}{must}", table.description_of(name));
            let _ = writeln!(self.0, "| `{name}` | {} | {} |", value(key), cell(&meaning));
        }
        self.text("\n");
    }

    fn spec(&mut self) {
        let names =
            |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let providers = names(ProviderType::ALL.iter().map(|provider| provider.name()).collect());
        let algorithms = names(AlgorithmKind::ALL.iter().map(|kind| kind.name()).collect());
        let _ = writeln!(
            self.0,
            "The spec of the worker controller instance, as the live controller takes it, as TOML or in a JSON file:\n\n\
             ```toml\n[spec.scaling_group_specs.NAME]\ntask_types = [\"ACTIVITY\"]     # left out: every type that no \
             other group claims\ncompute = {{ provider_type = \"aws-lambda\", config = {{ .. }} }}\nscaling = {{ \
             scaling_algorithm = \"no-sync\", config = {{ .. }} }}\n```\n\n\
             Providers: {providers}; their `config` may be left out here. Algorithms: {algorithms}; the keys of their \
             `config` stand on [their own pages](README.md#algorithms).\n"
        );
    }

    fn expect(&mut self) {
        self.text(
            "## `[expect]`\n\nEach key is a figure of the summary (the JSON of `wci run --json`), each value a \
             comparison or a list of comparisons that must all hold. A figure that is only a lower bound, because \
             tasks still waited, fails every `<`.\n\n```toml\n[expect]\nschedule_to_start.p95 = \"< 1s\"\n\
             cost_usd.total = [\"> 0.01 USD\", \"< 0.05 USD\"]\nworkers.utilization = \">= 40 %\"\noverloaded = \
             \"== false\"\n```\n\nThe figures, and under `groups.NAME.` the same for each group:\n\n\
             | figure | compared with |\n| --- | --- |\n",
        );
        for (key, quantity) in known_keys(&[]) {
            let _ = writeln!(self.0, "| `{key}` | {} |", cell(&short(quantity.expected())));
        }
        self.text("\n");
    }

    fn defaults(&mut self) {
        let _ = writeln!(
            self.0,
            "## Defaults by provider type\n\nWhat a group is when the scenario leaves it open. Prices are list prices as \
             of {PRICES_AS_OF}. First what holds for every type:\n\n```toml\n{}\n```\n",
            defaults::COMMON.trim()
        );
        let mut shown: Vec<&str> = Vec::new();
        for (title, text) in ProviderType::ALL.iter().map(|provider| defaults::of(*provider)) {
            if shown.contains(&title) {
                continue;
            }
            shown.push(title);
            let same = ProviderType::ALL.iter().filter(|p| defaults::of(**p).0 == title);
            let names: Vec<String> = same.map(|provider| format!("`{}`", provider.name())).collect();
            let _ = writeln!(self.0, "{} ({title}):\n\n```toml\n{}\n```\n", names.join(", "), text.trim());
        }
        self.0.truncate(self.0.trim_end().len());
        self.text("\n");
    }
}

/// What a key takes, with a link to its section.
fn value(key: Shape<'_>) -> String {
    let words = match key.types()[..] {
        ["array"] => {
            let item = key.items().map(value).unwrap_or_default();
            return format!("list of {item}");
        }
        _ => own_words(key),
    };
    match section(key) {
        Some((_, title)) => format!("[{words}](#{})", anchor(title)),
        None => words,
    }
}

fn own_words(key: Shape<'_>) -> String {
    let mut words: Vec<String> = Vec::new();
    for alternative in key.alternatives() {
        let word = match (alternative.choices(), alternative.format(), &alternative.types()[..]) {
            (Some(choices), ..) => {
                choices.iter().map(|c| format!("`\"{c}\"`")).collect::<Vec<_>>().join(" or ")
            }
            (_, Some(SPAN_FORMAT), _) => "duration".into(),
            (_, _, ["integer", ..]) => "whole number".into(),
            (_, _, ["string", ..]) => "text".into(),
            (_, _, ["boolean", ..]) => "true or false".into(),
            (_, _, ["object", ..]) => "table".into(),
            (_, _, ["array", ..]) => "list".into(),
            (_, _, [first, ..]) => (*first).into(),
            _ => "anything".into(),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

/// The section that describes a key's tables, if it has one.
fn section(key: Shape<'_>) -> Option<(&'static str, &'static str)> {
    SECTIONS.into_iter().find(|(name, _)| shared()["$defs"].get(name).is_some_and(|node| key.is_node(node)))
}

/// As the common Markdown renderers build it.
fn anchor(title: &str) -> String {
    let kept = title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// Durations are explained once, at the top.
fn short(expected: &str) -> String {
    if expected == SPAN_EXPECTED { "a duration".into() } else { expected.into() }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;
    use std::path::Path;

    #[test]
    fn every_table_has_its_section() {
        let definitions = shared()["$defs"].as_object().unwrap();
        let has_tables =
            |node: &Json| Shape::scenario().seen_at(node).alternatives().iter().any(|a| a.is_table());
        let tables = definitions.iter().filter(|(_, node)| has_tables(node)).map(|(name, _)| name.as_str());
        let is_listed = |name: &&str| SECTIONS.iter().any(|(listed, _)| listed == name);
        // Laws stand under the times that they make, and so does the rule of a keep-alive.
        let missing: Vec<&str> =
            tables.filter(|n| !is_listed(n) && !["Law", "KeepAliveLaw", "PerType"].contains(n)).collect();
        assert_eq!(missing, [""; 0]);
        let lost: Vec<&str> =
            SECTIONS.iter().map(|(n, _)| *n).filter(|n| !definitions.contains_key(*n)).collect();
        assert_eq!(lost, [""; 0]);
    }

    #[test]
    fn the_committed_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scenario-reference.md");
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == reference_markdown(),
            "docs/scenario-reference.md is out of date: run `cargo xtask bless`"
        );
    }
}
