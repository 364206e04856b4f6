//! Scenarios: what a person writes (TOML), checked, and resolved to the numbers the engine runs on.
//!
//! [`Scenario::from_toml`] reads a file and finds everything that is wrong with its form at once; single values can
//! be read and set by their dotted keys ([`Scenario::get`], [`Scenario::with`]), which is how `--set`, sweeps and
//! the browser change a scenario; [`Scenario::resolve`] puts in the defaults, checks the meaning and hands out the
//! [`crate::model::Model`] with its sources. [`schema`] and [`reference_markdown`] are made of the same structs.

mod check;
pub mod defaults;
mod error;
pub mod expect;
pub mod file;
mod json_places;
mod key;
mod origin;
mod path;
mod plain;
mod read;
mod resolve;
mod schema;
mod shape;
mod sources;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod written;

pub(crate) use check::check as check_table;
pub(crate) use error::Problem;
pub use error::{Position, ScenarioError, ScenarioErrors};
pub use expect::{Expectation, Outcome};
pub use file::File;
pub(crate) use key::KeyPath;
pub use key::{join as join_key, split as split_key};
pub(crate) use origin::Origin;
pub use path::parse_value;
pub(crate) use plain::read as read_struct;
pub use read::{Loader, Scenario, json_to_toml, toml_to_json};
pub(crate) use read::{flatten_expectations, read_table};
pub use resolve::Resolved;
pub(crate) use resolve::laws::times as resolve_times;
#[cfg(any(feature = "cli", test))]
pub(crate) use schema::schema_of_struct;
pub use schema::{reference_markdown, schema};
pub(crate) use shape::Shape;
#[cfg(feature = "research")]
pub(crate) use sources::broken;
pub use sources::{OpenError, SourceSpec, Surroundings};
pub use units::Span;
