//! From a file's bytes to its text: gzip or plain by the first two bytes, any number of members, no byte-order mark.

use super::error::Fault;
use flate2::write::MultiGzDecoder;
use std::io::Write as _;

/// The first bytes of every gzip file (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// UTF-8's byte-order mark.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Compressed bytes inflated at a time: deflate grows at most about 1,032 times, so 4 MiB are in memory at once.
const INFLATE_STEP: usize = 4096;

/// Decodes bytes as they come.
pub(crate) struct Decoder {
    packing: Packing,
    mark: Prefix<3>,
}

enum Packing {
    Unknown(Prefix<2>),
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

/// The first bytes of a stream, held back until they can be compared with a known beginning.
struct Prefix<const N: usize> {
    wanted: [u8; N],
    matched: usize,
    is_decided: bool,
}

/// Where the decoded text goes.
pub(crate) type TextSink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Fault>;

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { packing: Packing::Unknown(Prefix::new(GZIP_MAGIC)), mark: Prefix::new(BYTE_ORDER_MARK) }
    }

    /// Decodes `bytes` and hands the text to `sink`.
    pub(crate) fn feed(&mut self, bytes: &[u8], sink: TextSink<'_>) -> Result<(), Fault> {
        match &mut self.packing {
            Packing::Unknown(magic) => {
                let (held, rest) = magic.advance(bytes);
                if magic.is_decided {
                    let is_gzip = held == GZIP_MAGIC.len();
                    self.packing = if is_gzip { Packing::gzip() } else { Packing::Plain };
                    self.feed(&GZIP_MAGIC[..held], sink)?;
                    self.feed(rest, sink)?;
                }
                Ok(())
            }
            Packing::Plain => unmarked(&mut self.mark, bytes, sink),
            Packing::Gzip(inflater) => {
                for step in bytes.chunks(INFLATE_STEP) {
                    inflater.write_all(step).map_err(|e| {
                        Fault::new(format!("damaged gzip data ({e})"), "an undamaged gzip file")
                    })?;
                    pass_on(&mut self.mark, inflater.get_mut(), sink)?;
                }
                Ok(())
            }
        }
    }

    /// The file's end: hands over what was held back and checks that the gzip data were complete.
    pub(crate) fn finish(&mut self, sink: TextSink<'_>) -> Result<(), Fault> {
        match &mut self.packing {
            Packing::Unknown(magic) => {
                let held = magic.matched;
                self.packing = Packing::Plain;
                self.feed(&GZIP_MAGIC[..held], sink)?;
            }
            Packing::Plain => {}
            Packing::Gzip(inflater) => {
                inflater.try_finish().map_err(|_| {
                    Fault::new("a cut or damaged gzip file", "the rest of the gzip data and its checksum")
                })?;
                pass_on(&mut self.mark, inflater.get_mut(), sink)?;
            }
        }
        if self.mark.is_decided { Ok(()) } else { sink(&BYTE_ORDER_MARK[..self.mark.matched]) }
    }
}

impl Packing {
    fn gzip() -> Self {
        Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
    }
}

fn pass_on(mark: &mut Prefix<3>, inflated: &mut Vec<u8>, sink: TextSink<'_>) -> Result<(), Fault> {
    let result = unmarked(mark, inflated, sink);
    inflated.clear();
    result
}

/// Hands `text` on without a byte-order mark at the stream's begin.
fn unmarked(mark: &mut Prefix<3>, text: &[u8], sink: TextSink<'_>) -> Result<(), Fault> {
    if mark.is_decided {
        return sink(text);
    }
    let (held, rest) = mark.advance(text);
    if !mark.is_decided {
        return Ok(());
    }
    if held < BYTE_ORDER_MARK.len() {
        sink(&BYTE_ORDER_MARK[..held])?;
    }
    sink(rest)
}

impl<const N: usize> Prefix<N> {
    const fn new(wanted: [u8; N]) -> Self {
        Self { wanted, matched: 0, is_decided: false }
    }

    /// Compares; returns how many wanted bytes the stream began with, and what follows them.
    fn advance<'a>(&mut self, mut bytes: &'a [u8]) -> (usize, &'a [u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.matched < N && first == self.wanted[self.matched] {
                self.matched += 1;
                bytes = rest;
            } else {
                self.is_decided = true;
                break;
            }
        }
        self.is_decided |= self.matched == N;
        (self.matched, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(bytes: &[u8], step: usize) -> Result<Vec<u8>, Fault> {
        let (mut decoder, mut text) = (Decoder::new(), Vec::new());
        let mut sink = |t: &[u8]| {
            text.extend_from_slice(t);
            Ok(())
        };
        for chunk in bytes.chunks(step) {
            decoder.feed(chunk, &mut sink)?;
        }
        decoder.finish(&mut sink)?;
        Ok(text)
    }

    #[test]
    fn strips_the_mark_and_the_packing_at_any_chunk_size() {
        let long: Vec<u8> = (0..50_000_u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        for text in
            [&b""[..], b"a", b"\x1f", b"\x1fx", b"\xef", b"\xef\xbb", b"\xef\xbbx", b"timestamp\n", &long]
        {
            let marked = [&BYTE_ORDER_MARK[..], text].concat();
            let members = [gzip(&text[..text.len() / 2]), gzip(&text[text.len() / 2..])].concat();
            for step in [1, 2, 7, 100_000] {
                assert_eq!(decoded(text, step).unwrap(), text);
                assert_eq!(decoded(&marked, step).unwrap(), text);
                assert_eq!(decoded(&gzip(text), step).unwrap(), text);
                assert_eq!(decoded(&gzip(&marked), step).unwrap(), text);
                assert_eq!(decoded(&members, step).unwrap(), text);
            }
        }
    }

    #[test]
    fn refuses_gzip_cut_anywhere() {
        let packed = gzip(b"1,2\n3,4\n5,6\n");
        for length in 2..packed.len() {
            assert!(decoded(&packed[..length], 5).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn refuses_a_wrong_checksum() {
        let mut packed = gzip(b"1,2\n3,4\n5,6\n");
        let at = packed.len() - 8;
        packed[at] ^= 1;
        assert!(decoded(&packed, 1000).unwrap_err().found.contains("gzip"));
    }
}
