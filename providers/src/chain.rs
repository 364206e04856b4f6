//! Steps with alternatives: of each step one is taken at random, the next one when that one cannot be had.

use crate::error::ProviderError;
use rand::seq::SliceRandom;

/// The alternatives of a step in the order in which they are tried.
pub(crate) fn in_random_order<T>(alternatives: &[T]) -> Vec<&T> {
    let mut order: Vec<&T> = alternatives.iter().collect();
    order.shuffle(&mut rand::rng());
    order
}

/// What to say when no alternative of a step could be had: the last failure.
pub(crate) fn exhausted(last: Option<ProviderError>) -> ProviderError {
    last.unwrap_or_else(|| ProviderError::rejected("a step of the chain holds no alternative"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_alternative_comes_first_now_and_then() {
        let firsts: BTreeSet<i32> = (0..200).map(|_| *in_random_order(&[1, 2, 3])[0]).collect();
        assert_eq!(firsts, BTreeSet::from([1, 2, 3]));
    }
}
