//! What can go wrong with a provider, by class: the class decides whether trying again can help.

use std::error::Error;
use std::fmt;
use wci_core::controller::{Failure, FailureClass};

/// A failed call: its class, and words for the user that hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// What kind of failure it is.
    pub class: FailureClass,
    /// What went wrong and, where it is known, what would be right.
    pub message: String,
    /// The credentials that the call carried are not taken any more; newer ones may be.
    pub(crate) is_stale: bool,
}

impl ProviderError {
    /// A failure of this class with these words.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), is_stale: false }
    }

    /// The same failure, which newer credentials may cure.
    #[must_use]
    pub(crate) fn of_stale_credentials(self, is_stale: bool) -> Self {
        Self { is_stale, ..self }
    }

    /// The other side cannot be reached, does not answer in time, or says that it is out of order.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Unavailable, message)
    }

    /// The call itself is wrong and stays wrong.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Rejected, message)
    }

    /// Not allowed.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Denied, message)
    }

    /// What is to be scaled does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FailureClass::NotFound, message)
    }

    /// The same failure, told with what was being done.
    #[must_use]
    pub fn while_doing(self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// Whether another way to the same end may succeed: other credentials or another time.
    #[must_use]
    pub const fn may_pass_elsewhere(&self) -> bool {
        matches!(self.class, FailureClass::Throttled | FailureClass::Unavailable | FailureClass::Denied)
    }

    /// The class of an HTTP status that is no success.
    #[must_use]
    pub const fn class_of_status(status: u16) -> FailureClass {
        match status {
            429 => FailureClass::Throttled,
            401 | 403 | 407 => FailureClass::Denied,
            404 | 410 => FailureClass::NotFound,
            408 | 409 | 425 | 500..=599 => FailureClass::Unavailable,
            _ => FailureClass::Rejected,
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ProviderError {}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self { class: error.class, message: error.message }
    }
}

/// The wire name of a class, as failures of activities carry it.
#[must_use]
pub const fn class_name(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Throttled => "throttled",
        FailureClass::Unavailable => "unavailable",
        FailureClass::Denied => "denied",
        FailureClass::NotFound => "not_found",
        FailureClass::Rejected => "rejected",
    }
}

/// The class with this wire name.
#[must_use]
pub fn class_from_name(name: &str) -> Option<FailureClass> {
    const ALL: [FailureClass; 5] = [
        FailureClass::Throttled,
        FailureClass::Unavailable,
        FailureClass::Denied,
        FailureClass::NotFound,
        FailureClass::Rejected,
    ];
    ALL.into_iter().find(|class| class_name(*class) == name)
}

/// An error with all that caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// What caused the error in the end: for a person who needs no layers in between.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_last_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("no page")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("no wire"));
        assert_eq!((root(&error).as_str(), chain(&error).as_str()), ("no wire", "no page: no wire"));
    }

    #[test]
    fn class_names_read_back() {
        for class in [FailureClass::Throttled, FailureClass::NotFound, FailureClass::Rejected] {
            assert_eq!(class_from_name(class_name(class)), Some(class));
        }
        assert_eq!(class_from_name("TIMEOUT"), None);
    }

    #[test]
    fn statuses_tell_what_can_pass() {
        assert!(ProviderError::class_of_status(503).is_transient());
        assert!(ProviderError::class_of_status(429).is_transient());
        assert!(!ProviderError::class_of_status(403).is_transient());
        assert_eq!(ProviderError::class_of_status(404), FailureClass::NotFound);
        assert_eq!(ProviderError::class_of_status(400), FailureClass::Rejected);
    }
}
