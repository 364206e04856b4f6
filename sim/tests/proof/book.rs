//! Keeps the table of results in `docs/validation.md` true: every proof has its row there, with the exact value and a
//! mean that the measured interval holds.
//!
//! With `WCI_BLESS` set, rows are written anew instead.

use crate::standard::{Estimate, Figure};
use std::sync::{Mutex, PoisonError};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/validation.md");
/// The table's head; rows are added behind the last one.
const HEAD: &str = "| system | figure | exact | measured | interval | off |";
/// Tests run side by side, the page is one.
static WRITING: Mutex<()> = Mutex::new(());

/// The row of a figure: exact value, measured mean, half the 95 % interval, distance in standard errors.
pub fn row(system: &str, figure: &Figure, estimate: Estimate) -> String {
    let cells = [
        system.to_owned(),
        figure.name.to_owned(),
        digits(figure.exact),
        digits(estimate.mean),
        format!("± {:.2} %", 100.0 * estimate.relative_half_width()),
        format!("{:+.1}", estimate.distance(figure.exact)),
    ];
    format!("| {} |", cells.join(" | "))
}

/// Asserts that the page's row tells what was measured.
pub fn check(system: &str, figure: &Figure, estimate: Estimate) {
    let row = row(system, figure, estimate);
    if std::env::var_os("WCI_BLESS").is_some() {
        bless(&row);
        return;
    }
    let page = read();
    let written = page.lines().find(|line| key(line) == key(&row));
    let is_true = |line: &str| {
        let mean: f64 = line.split(" | ").nth(3)?.parse().ok()?;
        let is_exact = line.split(" | ").nth(2) == row.split(" | ").nth(2);
        Some(is_exact && (mean - estimate.mean).abs() <= estimate.half_width())
    };
    assert!(
        written.and_then(is_true) == Some(true),
        "docs/validation.md says\n{}\nand has to say\n{row}\n(WCI_BLESS=1 writes it)",
        written.unwrap_or("nothing")
    );
}

/// Six significant digits.
fn digits(x: f64) -> String {
    let before_point = libm::floor(libm::log10(x.abs())) as i32 + 1;
    let decimals = (6 - before_point).clamp(0, 9) as usize;
    format!("{x:.decimals$}")
}

/// What a row is about: the system and the figure.
fn key(row: &str) -> Vec<&str> {
    row.split(" | ").take(2).collect()
}

fn bless(row: &str) {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let page = read();
    let mut lines: Vec<&str> = page.lines().collect();
    match lines.iter().position(|line| key(line) == key(row)) {
        Some(at) => lines[at] = row,
        None => {
            let head = lines.iter().position(|line| *line == HEAD).expect("the page has the table's head");
            let rows = lines[head..].iter().take_while(|line| line.starts_with('|')).count();
            lines.insert(head + rows, row);
        }
    }
    std::fs::write(PAGE, lines.join("\n") + "\n").unwrap_or_else(|e| panic!("{PAGE}: {e}"));
}

fn read() -> String {
    std::fs::read_to_string(PAGE).unwrap_or_else(|e| panic!("{PAGE}: {e}"))
}
