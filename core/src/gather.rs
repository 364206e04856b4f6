//! Collecting and sorting with little code: browsers download what is generated anew for every type.

/// Puts items into a map or a set.
///
/// What `collect` does for these sorts the items first: five kilobytes of code for each type. The maps of this
/// project are small.
pub fn gather<T, C: Default + Extend<T>>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

/// The items in the order of a number; equal ones stay as they are.
///
/// The standard library's sort is four kilobytes of code for each type of item. This one always sorts pairs of
/// numbers, so it is there once.
pub fn sorted_by<T>(items: Vec<T>, key: impl Fn(&T) -> u64) -> Vec<T> {
    let mut order: Vec<(u64, usize)> = items.iter().enumerate().map(|(i, item)| (key(item), i)).collect();
    order.sort_unstable();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|(_, i)| items[i].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::{gather, sorted_by};
    use std::collections::BTreeMap;

    #[test]
    fn the_last_of_equal_keys_stays_as_with_collect() {
        let pairs = [(2, 'a'), (1, 'b'), (2, 'c')];
        assert_eq!(gather::<_, BTreeMap<_, _>>(pairs), pairs.into_iter().collect());
    }

    #[test]
    fn equal_keys_stay_in_order() {
        assert_eq!(
            sorted_by(vec![(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd')], |pair| pair.0),
            [(0, 'd'), (1, 'b'), (2, 'a'), (2, 'c')]
        );
    }
}
