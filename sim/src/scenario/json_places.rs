//! Where each key of a spec's own JSON file stands.

use super::error::Position;
use super::origin::{Lines, Places};

/// The places of keys and values in a text that is known to be JSON, under `root`.
pub(super) fn json_places(text: &str, root: &str) -> Places {
    let lines = Lines::new(text);
    let start = lines.position(text.len() - text.trim_start().len());
    let mut walk = Walk { text, at: 0, lines, places: Places::new(), path: vec![root.to_owned()] };
    walk.value(start);
    walk.places
}

struct Walk<'t> {
    text: &'t str,
    at: usize,
    lines: Lines<'t>,
    places: Places,
    path: Vec<String>,
}

impl Walk<'_> {
    /// A value whose key stands at `key`.
    fn value(&mut self, key: Position) {
        self.skip_space();
        self.places.insert(self.path.clone(), [key, self.here()]);
        match self.byte() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => drop(self.string()),
            _ => {
                // One byte in any case: also what is no JSON comes to an end.
                self.at += 1;
                self.skip_while(|byte| !matches!(byte, b',' | b']' | b'}'));
            }
        }
    }

    fn object(&mut self) {
        self.at += 1;
        while self.is_before_item(b'}') {
            let key = self.here();
            let name = self.string();
            self.skip_while(|byte| byte != b':');
            self.at += 1;
            self.path.push(name);
            self.value(key);
            self.path.pop();
        }
    }

    fn list(&mut self) {
        self.at += 1;
        let mut index = 0_usize;
        while self.is_before_item(b']') {
            self.path.push(index.to_string());
            let here = self.here();
            self.value(here);
            self.path.pop();
            index += 1;
        }
    }

    /// Goes to the next item; without one, behind the end of the list.
    fn is_before_item(&mut self, end: u8) -> bool {
        self.skip_while(|byte| byte == b',' || byte.is_ascii_whitespace());
        if self.byte().is_none_or(|byte| byte == end) {
            self.at += 1;
            return false;
        }
        true
    }

    fn string(&mut self) -> String {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.byte().filter(|byte| *byte != b'"') {
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let quoted = self.text.get(begin..self.at).unwrap_or_default();
        serde_json::from_str(quoted).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.skip_while(|byte| byte.is_ascii_whitespace());
    }

    fn skip_while(&mut self, is_skipped: impl Fn(u8) -> bool) {
        while self.byte().is_some_and(&is_skipped) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn here(&self) -> Position {
        self.lines.position(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_keys_and_values_in_tables_and_lists() {
        let text = "{\n  \"a\": {\"b\\\"c\": [1,\n    {\"d\": \"x]}\"}], \"e\": -2.5e3}\n}\n";
        let places = json_places(text, "spec");
        let at = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            places.get(&path).map(|[key, value]| ((key.line, key.column), (value.line, value.column)))
        };
        assert_eq!(at(&["spec"]), Some(((1, 1), (1, 1))));
        assert_eq!(at(&["spec", "a", "b\"c"]), Some(((2, 9), (2, 17))));
        assert_eq!(at(&["spec", "a", "b\"c", "1", "d"]), Some(((3, 6), (3, 11))));
        assert_eq!(at(&["spec", "a", "e"]), Some(((3, 20), (3, 25))));
    }

    #[test]
    fn what_is_no_json_comes_to_an_end() {
        for text in ["[}", "{]", "[:}", "{\"a\"", "[\"", "{\"a\":}]"] {
            json_places(text, "spec");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_or_hangs(text in ".{0,40}", json in "[\\[\\]{}:,\"a1\\\\ ]{0,30}") {
            json_places(&text, "spec");
            json_places(&json, "spec");
        }
    }
}
