//! Misspelt words and the known ones they most likely mean.

use super::ConfigError;

/// The error about a key that nobody knows.
pub fn unknown_key<'a>(key: &str, known: impl Iterator<Item = &'a str> + Clone) -> ConfigError {
    let expected = match nearest(key, known.clone()) {
        Some(near) => format!("{near} (the nearest known key)"),
        None => {
            let all: Vec<&str> = known.collect();
            if all.is_empty() { "no keys at all".to_owned() } else { format!("one of {}", all.join(", ")) }
        }
    };
    ConfigError::new(key, "an unknown key", expected)
}

/// The known word that a misspelt one most likely means, if any is near enough.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, near) =
        known.map(|k| (edit_distance(word, k), k)).min_by_key(|(distance, _)| *distance)?;
    (distance * 2 <= near.len().max(2)).then_some(near)
}

/// Levenshtein's distance without regard to case, over at most the first 64 characters of each word.
pub(super) fn edit_distance(a: &str, b: &str) -> usize {
    let chars = |s: &str| s.chars().take(64).map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (a, b) = (chars(a), chars(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
