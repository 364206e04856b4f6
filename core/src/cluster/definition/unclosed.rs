//! Which element of a text is never closed: the reader of XML does not say where it stands.

/// An element's opening tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open<'t> {
    /// Its name.
    pub name: &'t str,
    /// Line and column, from 1.
    pub position: (u32, u32),
}

/// The innermost element that is still open at the end.
pub(super) fn last_open(text: &str) -> Option<Open<'_>> {
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|found| at + found) {
        let tag = &text[start..];
        let length = length(tag);
        let inside = tag.get(1..length.saturating_sub(1)).unwrap_or_default();
        let name = inside
            .trim_start_matches('/')
            .split([' ', '\t', '\r', '\n', '/', '>'])
            .next()
            .unwrap_or_default();
        if inside.starts_with('/') {
            open.pop();
        } else if !inside.starts_with(['!', '?']) && !inside.ends_with('/') {
            open.push((name, start));
        }
        at = (start + length).min(text.len());
    }
    let (name, start) = open.pop()?;
    Some(Open { name, position: position(&text[..start]) })
}

/// How long a tag is that stands first: up to its end, or that of the text.
fn length(tag: &str) -> usize {
    let ends = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
    if let Some((start, end)) = ends.iter().find(|(start, _)| tag.starts_with(start)) {
        return tag[start.len()..].find(end).map_or(tag.len(), |found| start.len() + found + end.len());
    }
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

fn position(before: &str) -> (u32, u32) {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Option<(&str, u32, u32)> {
        last_open(text).map(|open| (open.name, open.position.0, open.position.1))
    }

    #[test]
    fn the_innermost_open_element_is_told() {
        assert_eq!(
            found("<a>\n  <b><c/></b>\n  <d x='>'>\n <!-- </d> --><e/><?p </d>?><![CDATA[</d>]]>"),
            Some(("d", 3, 3))
        );
        assert_eq!(found("<a>ä<b>"), Some(("b", 1, 5)));
        assert_eq!(found("<a></a>"), None);
        assert_eq!(found(""), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>/!?ab\\- \"ä\\[\\]]{0,40}") {
            let _ = last_open(&text);
        }
    }
}
