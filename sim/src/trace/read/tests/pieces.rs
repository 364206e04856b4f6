//! Properties: pieces, packing and line ends do not matter, and nothing makes a parser panic.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::{self, Read, Write as _};

const RECORD_FORMATS: [TraceFormat; 8] = [
    TraceFormat::Csv,
    TraceFormat::AzureFunctions2021,
    TraceFormat::AzureLlm,
    TraceFormat::Mooncake,
    TraceFormat::Burstgpt,
    TraceFormat::Swim,
    TraceFormat::Swf,
    TraceFormat::Mapped,
];

/// The parser's records, or its error.
fn parse(options: &TraceOptions, bytes: &[u8], step: usize) -> Result<Vec<Record>, TraceError> {
    let (mut parser, mut records) = (Parser::new(options)?, Vec::new());
    for piece in bytes.chunks(step) {
        parser.feed(piece)?;
        records.extend(parser.records());
    }
    parser.finish()?;
    records.extend(parser.records());
    Ok(records)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn record_options(format: TraceFormat) -> TraceOptions {
    if format == TraceFormat::Mapped { mapped("a", "max(0, b - a)") } else { options(format) }
}

/// Text that looks like some format's, with mistakes.
fn texts() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[0-9]{1,4}",
        "-?[0-9]{1,3}\\.[0-9]{0,12}",
        Just("2024-01-01 00:00:05.25".to_owned()),
        Just("\"q,\r\n\"\"\"".to_owned()),
        "[ -~]{0,4}",
    ];
    let words = prop::collection::vec(word, 1..7);
    let separator = prop::sample::select(vec![",", "\t", " ", "\",\""]);
    let line = (words, separator).prop_map(|(words, separator)| words.join(separator));
    let json =
        (0..5000_i32, 0..99_i32).prop_map(|(t, n)| format!("{{\"timestamp\": {t}, \"output_length\": {n}}}"));
    let heads = prop::sample::select(vec![
        "timestamp,duration",
        "a,b",
        "app,func,end_timestamp,duration",
        "TIMESTAMP,ContextTokens,GeneratedTokens",
        "Timestamp,Model,Request tokens,Response tokens",
        "; comment",
        "",
    ]);
    let lines = prop::collection::vec(prop_oneof![line, json], 0..12);
    (heads, lines, any::<bool>()).prop_map(|(head, lines, ends)| {
        format!("{head}\n{}{}", lines.join("\n"), if ends { "\n" } else { "" })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_and_packing_change_nothing(text in texts(), step in 1..20_usize, skip in any::<bool>()) {
        for format in RECORD_FORMATS {
            let options = TraceOptions { skip_bad_records: skip, ..record_options(format) };
            let whole = parse(&options, text.as_bytes(), usize::MAX);
            prop_assert_eq!(&parse(&options, text.as_bytes(), step), &whole);
            prop_assert_eq!(&parse(&options, &gzip(text.as_bytes()), step), &whole);
        }
    }

    #[test]
    fn line_ends_change_nothing(rows in prop::collection::vec((0..9999_u32, 0..99_u32), 1..40), step in 1..9_usize) {
        let text: String = rows.iter().map(|(a, b)| format!("{a},{b}\n")).collect();
        let options = options(TraceFormat::Csv);
        let unix = parse(&options, text.as_bytes(), step);
        let windows = parse(&options, text.replace('\n', "\r\n").as_bytes(), step);
        prop_assert_eq!(unix.as_ref().map(Vec::len), Ok(rows.len()));
        prop_assert_eq!(windows, unix.clone());
        prop_assert_eq!(parse(&options, text.trim_end().as_bytes(), step), unix);
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), step in 1..50_usize) {
        for format in RECORD_FORMATS {
            let _ = parse(&record_options(format), &bytes, step);
            let packed = [&[0x1f, 0x8b, 8][..], &bytes].concat();
            let _ = parse(&record_options(format), &packed, step);
        }
        for format in [TraceFormat::Nab, TraceFormat::Servegen, TraceFormat::Prometheus] {
            let _ = arrivals(&options(format), &bytes);
        }
    }

    #[test]
    fn no_cells_make_a_table_panic(text in texts()) {
        let azure = options(TraceFormat::AzureFunctions2019);
        let head = "HashFunction,1,2\n";
        let _ = TraceSource::open(&azure, &files(&[("t/inv.csv", (head.to_owned() + &text).as_bytes()), ("t/dur.csv", text.as_bytes())]), draws(1));
        for (format, head) in [(TraceFormat::Nab, "timestamp,value\n"), (TraceFormat::Servegen, "")] {
            let _ = open(&options(format), (head.to_owned() + &text).as_bytes());
        }
    }

    #[test]
    fn no_formula_makes_the_reader_panic(text in "[-+*/()<>=!a-z0-9.,'\\[\\] ]{0,40}") {
        let _ = parse(&mapped(&text, &text), b"a,b\n1,2\n", 100);
    }
}

/// A reader that hands out few bytes at a time.
struct Trickle(io::Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

struct TrickleFiles(Vec<u8>, usize);

impl TraceFiles for TrickleFiles {
    fn open(&self, _path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Trickle(io::Cursor::new(self.0.clone()), self.1)))
    }

    fn list(&self, _path: &str) -> io::Result<Option<Vec<String>>> {
        Ok(None)
    }
}

#[test]
fn how_a_file_is_read_does_not_change_what_is_late() {
    let mut text: String = (0..REORDER_WINDOW + 5000).map(|i| format!("{i},1\n")).collect();
    text.push_str("4999.5,1\n4000,1\n");
    let outcome = |step| {
        let options = TraceOptions { skip_bad_records: true, ..options(TraceFormat::Csv) };
        let mut source =
            TraceSource::open(&options, &TrickleFiles(text.clone().into_bytes(), step), draws(1)).unwrap();
        (drain(&mut source).unwrap().len(), source.skipped())
    };
    assert_eq!(outcome(1 << 16), (REORDER_WINDOW + 5001, 1));
    assert_eq!(outcome(100), (REORDER_WINDOW + 5001, 1));
}
