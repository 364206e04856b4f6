//! From text to rows of cells: separated values, words, and JSON lines, fed in pieces of any size.

mod json;
mod lines;
mod separated;

use super::error::Fault;
use lines::LineSplitter;
use separated::SeparatedSplitter;

/// A longer line is refused: no trace has one, and a file without line ends would fill the memory.
pub const MAX_LINE: usize = 1 << 20;

/// How a file's lines are cut into cells.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    /// RFC 4180: a delimiter, cells possibly in double quotes.
    Separated { delimiter: u8, comment: Option<u8> },
    /// Cells between any amount of blanks.
    Words { comment: Option<u8> },
    /// One JSON object a line; the cells are the values of these keys, empty where a line has none.
    JsonLines { keys: Vec<String> },
}

/// One row: where it begins and its cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// The line it begins on, from 1.
    pub line: u64,
    text: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// How many cells it has.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `index`, blanks around it left out; empty beyond the last.
    pub(crate) fn cell(&self, index: usize) -> &'a [u8] {
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text[start..end].trim_ascii()
    }

    /// All cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, '_> {
        (0..self.len()).map(|i| self.cell(i))
    }
}

/// Where rows go.
pub(crate) trait RowSink {
    /// Takes one row; a fault may come without its line.
    fn row(&mut self, row: &Row<'_>) -> Result<(), Fault>;

    /// Hears of a line that is no row at all.
    fn bad_row(&mut self, fault: Fault) -> Result<(), Fault> {
        Err(fault)
    }
}

/// Cuts text into rows.
pub(crate) enum Splitter {
    Separated(Box<SeparatedSplitter>),
    Lines(LineSplitter),
}

impl Splitter {
    pub(crate) fn new(layout: Layout) -> Self {
        match layout {
            Layout::Separated { delimiter, comment } => {
                Self::Separated(Box::new(SeparatedSplitter::new(delimiter, comment)))
            }
            Layout::Words { comment } => Self::Lines(LineSplitter::words(comment)),
            Layout::JsonLines { keys } => Self::Lines(LineSplitter::json(keys)),
        }
    }

    /// Cuts more text; complete rows go to `sink`.
    pub(crate) fn feed(&mut self, text: &[u8], sink: &mut dyn RowSink) -> Result<(), Fault> {
        match self {
            Self::Separated(splitter) => splitter.feed(text, sink),
            Self::Lines(splitter) => splitter.feed(text, sink),
        }
    }

    /// The text's end: the last row may lack its line end.
    pub(crate) fn finish(&mut self, sink: &mut dyn RowSink) -> Result<(), Fault> {
        match self {
            Self::Separated(splitter) => splitter.finish(sink),
            Self::Lines(splitter) => splitter.finish(sink),
        }
    }
}

/// The cells of the row being built. The vectors are longer than what is used: csv-core writes into slices.
struct Cells {
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
}

impl Default for Cells {
    fn default() -> Self {
        Self { text: vec![0; 1024], text_len: 0, ends: vec![0; 32], ends_len: 0 }
    }
}

impl Cells {
    fn clear(&mut self) {
        (self.text_len, self.ends_len) = (0, 0);
    }

    fn row(&self, line: u64) -> Row<'_> {
        Row { line, text: &self.text[..self.text_len], ends: &self.ends[..self.ends_len] }
    }

    fn push(&mut self, cell: &[u8]) {
        let end = self.text_len + cell.len();
        if end > self.text.len() {
            self.text.resize(end * 2, 0);
        }
        if self.ends_len == self.ends.len() {
            self.ends.resize(self.ends_len * 2, 0);
        }
        self.text[self.text_len..end].copy_from_slice(cell);
        self.ends[self.ends_len] = end;
        (self.text_len, self.ends_len) = (end, self.ends_len + 1);
    }
}

fn too_long() -> Fault {
    Fault::new(format!("a line of more than {MAX_LINE} bytes"), "shorter lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<(u64, Vec<String>)>);

    impl RowSink for Seen {
        fn row(&mut self, row: &Row<'_>) -> Result<(), Fault> {
            let cells = row.cells().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
            self.0.push((row.line, cells));
            Ok(())
        }
    }

    fn rows(layout: &Layout, text: &[u8], step: usize) -> Result<Vec<(u64, Vec<String>)>, Fault> {
        let (mut splitter, mut seen) = (Splitter::new(layout.clone()), Seen::default());
        for piece in text.chunks(step) {
            splitter.feed(piece, &mut seen)?;
        }
        splitter.finish(&mut seen)?;
        Ok(seen.0)
    }

    fn owned(rows: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
        rows.iter().map(|(line, cells)| (*line, cells.iter().map(|c| (*c).to_owned()).collect())).collect()
    }

    const CSV: Layout = Layout::Separated { delimiter: b',', comment: Some(b'#') };

    #[test]
    fn counts_lines_over_blanks_comments_quotes_and_both_line_ends() {
        let text = "a,b\n\n# c,d\n1, 2 \n\"x\ny\",3\n#\n4,\n,5";
        let expected = owned(&[
            (1, &["a", "b"]),
            (4, &["1", "2"]),
            (5, &["x\ny", "3"]),
            (8, &["4", ""]),
            (9, &["", "5"]),
        ]);
        for step in [1, 3, 1000] {
            assert_eq!(rows(&CSV, text.as_bytes(), step).unwrap(), expected);
            let crlf = text.replace("x\ny", "x y").replace('\n', "\r\n");
            let seen: Vec<u64> = rows(&CSV, crlf.as_bytes(), step).unwrap().iter().map(|r| r.0).collect();
            assert_eq!(seen, [1, 4, 5, 7, 8]);
        }
    }

    #[test]
    fn a_mark_inside_the_text_is_text_at_any_step() {
        for step in [1, 1000] {
            assert_eq!(
                rows(&CSV, "\n\u{feff}a,b\n".as_bytes(), step).unwrap(),
                owned(&[(2, &["\u{feff}a", "b"])])
            );
        }
    }

    #[test]
    fn grows_for_wide_rows() {
        let wide = (0..5000).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        for step in [17, 100_000] {
            let seen = rows(&CSV, wide.as_bytes(), step).unwrap();
            assert_eq!((seen[0].1.len(), seen[0].1[4999].as_str()), (5000, "4999"));
        }
    }

    #[test]
    fn refuses_long_lines_and_names_them() {
        let words = Layout::Words { comment: None };
        for layout in [&CSV, &words] {
            for filler in ["x", ",", "\"\n"] {
                let mut text = b"1,2\n".to_vec();
                text.extend_from_slice(&filler.as_bytes()[..1].repeat(MAX_LINE + 1));
                let fault = rows(layout, &text, 65_536).unwrap_err();
                assert_eq!((fault.line, fault.is_bad_record), (Some(2), false));
            }
        }
    }

    #[test]
    fn picks_json_keys_in_their_order() {
        let layout = Layout::JsonLines { keys: vec!["b".into(), "a".into()] };
        let text = "{\"a\": 1.50, \"x\": [1, {\"b\": 2}], \"b\": \"q\\\"\"}\n\n{\"a\": null}\r\n";
        for step in [1, 1000] {
            let seen = rows(&layout, text.as_bytes(), step).unwrap();
            assert_eq!(seen, owned(&[(1, &["q\"", "1.50"]), (3, &["", ""])]));
        }
        for bad in ["[1]", "{\"a\": }", "{} x", "{\"a\"", "\u{0}"] {
            let fault = rows(&layout, format!("{{}}\n{bad}").as_bytes(), 5).unwrap_err();
            assert_eq!((fault.line, fault.is_bad_record), (Some(2), true), "{bad}");
        }
    }

    #[test]
    fn cuts_words() {
        let layout = Layout::Words { comment: Some(b';') };
        let seen = rows(&layout, b"; head\n  1   2\t3 \n;\n4 5", 2).unwrap();
        assert_eq!(seen, owned(&[(2, &["1", "2", "3"]), (4, &["4", "5"])]));
    }
}
