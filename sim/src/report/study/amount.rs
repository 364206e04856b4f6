//! Figures with their units and intervals.

use crate::report::units::{dollars, duration_ms, duration_s, number, percent};
use crate::research::Estimate;
use crate::scenario::expect::Quantity;

/// A figure with the unit that suits it.
#[must_use]
pub fn amount(quantity: Quantity, x: f64) -> String {
    match quantity {
        Quantity::Millis => duration_ms(x),
        Quantity::Seconds => duration_s(x),
        Quantity::Usd => dollars(x),
        Quantity::Share => percent(x),
        Quantity::Count | Quantity::Flag | Quantity::Text => number(x),
    }
}

/// The unit of a bare number.
#[must_use]
pub const fn unit(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Millis => "ms",
        Quantity::Seconds => "s",
        Quantity::Usd => "USD",
        Quantity::Share => "share of 1",
        Quantity::Count | Quantity::Flag | Quantity::Text => "",
    }
}

/// A mean with half its interval: `812 ms ± 20 ms`; a lower bound is marked, what is infinite says so.
#[must_use]
pub fn with_interval(quantity: Quantity, estimate: &Estimate, is_censored: bool) -> String {
    let Some(mean) = estimate.mean else { return if is_censored { "∞".into() } else { "-".into() } };
    let sign = if is_censored { ">= " } else { "" };
    match estimate.ci95 {
        Some(half) => format!("{sign}{} ± {}", amount(quantity, mean), amount(quantity, half)),
        None => format!("{sign}{}", amount(quantity, mean)),
    }
}
