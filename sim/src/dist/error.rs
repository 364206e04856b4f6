//! What is wrong with a parameter: whose it is, what was found, what was expected.

use std::fmt::Display;

/// A parameter of a distribution or an arrival process that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{owner}: {parameter} is {found}, expected {expected}")]
pub struct ParameterError {
    /// The distribution or process.
    pub owner: &'static str,
    /// Its parameter.
    pub parameter: &'static str,
    /// What was given.
    pub found: String,
    /// What would do.
    pub expected: String,
}

/// Checks the parameters of one owner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check(pub(crate) &'static str);

impl Check {
    pub(crate) fn positive(self, parameter: &'static str, found: f64) -> Result<f64, ParameterError> {
        self.that(found > 0.0 && found.is_finite(), parameter, found, "a positive number")?;
        Ok(found)
    }

    pub(crate) fn not_negative(self, parameter: &'static str, found: f64) -> Result<f64, ParameterError> {
        self.that(found >= 0.0 && found.is_finite(), parameter, found, "a number, 0 or more")?;
        // Turns -0.0 into 0.0.
        Ok(found.abs())
    }

    pub(crate) fn within(
        self,
        parameter: &'static str,
        found: f64,
        range: [f64; 2],
    ) -> Result<f64, ParameterError> {
        let [low, high] = range;
        self.that((low..=high).contains(&found), parameter, found, format!("a number from {low} to {high}"))?;
        Ok(found)
    }

    /// Fails unless `holds`.
    pub(crate) fn that(
        self,
        holds: bool,
        parameter: &'static str,
        found: impl Display,
        expected: impl Into<String>,
    ) -> Result<(), ParameterError> {
        if holds {
            return Ok(());
        }
        Err(ParameterError { owner: self.0, parameter, found: found.to_string(), expected: expected.into() })
    }
}
