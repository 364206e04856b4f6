//! The book tells the truth: each algorithm's page lists its parameters with the defaults that the code has, and the
//! page on rules of your own shows code that compiles.

use std::collections::BTreeMap;
use wci_core::algorithm::AlgorithmKind;

/// Keys and defaults of the table rows of a page that begin with a key in backticks, or with several.
fn parameters(kind: AlgorithmKind) -> BTreeMap<String, f64> {
    let path = format!("{}/../docs/algorithms/{}.md", env!("CARGO_MANIFEST_DIR"), kind.name());
    let page = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let keys = cells[1].split(", ").map(|key| key.trim_matches('`').to_owned());
        let defaults = cells[2].split(", ").map(|text| text.parse().unwrap_or_else(|e| panic!("{row}: {e}")));
        keys.zip(defaults.collect::<Vec<f64>>()).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn every_parameter_is_in_the_book_with_its_default() {
    for kind in AlgorithmKind::ALL {
        let mut written = parameters(*kind);
        if matches!(kind, AlgorithmKind::NoSync | AlgorithmKind::NoSyncConfirmed) {
            // Both forms take the same keys; each page explains its own and links to the other.
            written.extend(parameters(AlgorithmKind::NoSync));
            written.extend(parameters(AlgorithmKind::NoSyncConfirmed));
        }
        let schema = kind.config_schema();
        let coded = schema.iter().map(|doc| (doc.key.to_owned(), doc.default.unwrap_or(f64::NAN))).collect();
        assert_eq!(written, coded, "the page of {}", kind.name());
    }
}

/// The steps of `your-own.md` that add an algorithm to the set, for each one that is in it.
#[test]
fn every_algorithm_is_where_the_page_on_your_own_says() {
    const ORDER: [&str; 8] =
        ["In plain words", "Rule", "Parameters", "Example", "Needs", "Limits", "When to use", "Source"];
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let index = include_str!("../../docs/README.md");
    for kind in AlgorithmKind::ALL {
        let (name, file) = (kind.name(), kind.name().replace('-', "_"));
        let own = match *kind {
            AlgorithmKind::NoSyncConfirmed => "no_sync/confirmed.rs".to_owned(),
            _ if std::path::Path::new(&format!("{root}/core/src/algorithm/{file}.rs")).exists() => {
                format!("{file}.rs")
            }
            _ => format!("{file}/mod.rs"),
        };
        let code = std::fs::read_to_string(format!("{root}/core/src/algorithm/{own}"));
        let code = code.unwrap_or_else(|e| panic!("step 1, the file of {name}, {own}: {e}"));
        assert!(code.starts_with("//!"), "step 1: {own} says what it is");
        let page = std::fs::read_to_string(format!("{root}/docs/algorithms/{name}.md"));
        let page = page.unwrap_or_else(|e| panic!("step 3, the page of {name}: {e}"));
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, ORDER, "step 3: the page of {name}");
        let row = format!("| [`{name}`](algorithms/{name}.md) |");
        assert!(index.contains(&row), "step 3: no row of {name} in the table");
    }
}

/// What stands between two marks.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end:?}")).0.trim()
}

#[test]
fn the_rule_of_the_page_is_the_rule_of_the_example() {
    let page = include_str!("../../docs/algorithms/your-own.md");
    let example = include_str!("../examples/your_own.rs");
    assert_eq!(
        between(page, "```rust\n", "```"),
        between(example, "// ANCHOR: rule\n", "// ANCHOR_END: rule")
    );
}
