//! The report as one HTML page.

mod escape;

pub use escape::escape;
