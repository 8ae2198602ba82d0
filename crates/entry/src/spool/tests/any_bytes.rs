use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use proptest::prelude::*;

use super::*;

static CASES: AtomicU64 = AtomicU64::new(0);

/// Pieces of which hostile segments are made.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        Just(SYNC.to_vec()),
        // A head that claims any length.
        (any::<u32>(), any::<u32>(), any::<u8>()).prop_map(|(len, crc, kind)| {
            [&SYNC[..], &len.to_le_bytes(), &crc.to_le_bytes(), &[kind]].concat()
        }),
        (0..40_u64).prop_map(|number| {
            let mut out = Vec::new();
            push_entries(&mut out, &mut Tally::default(), 1, &record(number)).unwrap();
            out
        }),
        Just({
            let mut out = Vec::new();
            push_footer(&mut out, &Tally::default());
            out
        }),
        Just(header(3).to_bytes().to_vec()),
    ]
}

/// Gives its bytes in small pieces, and fails now and then.
struct Fickle<'a> {
    bytes: &'a [u8],
    calls: usize,
}

impl io::Read for Fickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        match self.calls % 5 {
            1 => Err(io::ErrorKind::Interrupted.into()),
            3 | 4 => Err(io::Error::other("the disk fails")),
            _ => {
                let most = out.len().min(7);
                self.bytes.read(&mut out[..most])
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_parts_that_cover_them(pieces in proptest::collection::vec(piece(), 0..30)) {
        let bytes = pieces.concat();
        let read = read(&bytes);
        prop_assert!(read.most_memory <= 2 * MAX_FRAME + 128 * 1024);
        let with_header = [&header(1).to_bytes()[..], &bytes].concat();
        prop_assert!(super::read(&with_header).summary.entries >= read.summary.entries);
        let cases = CASES.fetch_add(1, Ordering::Relaxed) + 1;
        if cases.is_multiple_of(256) {
            println!("FIGURE spool.any_bytes_cases {cases} cases");
        }
    }

    #[test]
    fn a_source_that_fails_and_goes_on_is_read_to_the_same(pieces in proptest::collection::vec(piece(), 0..8)) {
        let bytes = [&header(1).to_bytes()[..], &pieces.concat()].concat();
        let mut reader = SegmentReader::new(&bytes[..]).unwrap();
        let mut steady = Vec::new();
        while let Some(part) = reader.next().unwrap() {
            steady.push(format!("{part:?}"));
        }
        // Its beginning is read when the reader is made, and does not fail here.
        let (start, rest) = bytes.split_at(HEADER_LEN);
        let mut reader = SegmentReader::new(io::Read::chain(start, Fickle { bytes: rest, calls: 2 })).unwrap();
        let mut parts = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(part)) => parts.push(format!("{part:?}")),
                Ok(None) => break,
                Err(_) => {}
            }
        }
        let (_, source) = reader.into_inner().into_inner();
        prop_assert!(source.calls >= 3, "it failed");
        prop_assert_eq!(parts, steady);
    }
}

#[test]
fn content_that_looks_like_frames_everywhere_is_passed_in_linear_time() {
    // Each of these heads claims a whole frame, so that each asks for a mebibyte to be hashed.
    let claim = [&SYNC[..], &(MAX_PAYLOAD as u32).to_le_bytes(), &[0; 5]].concat();
    let per_byte = |bytes: usize| {
        let hostile = [&header(1).to_bytes()[..], &claim.repeat(bytes / claim.len())].concat();
        let begun = Instant::now();
        let read = read(&hostile);
        assert_eq!(read.frames.len(), 0);
        assert!(read.most_memory <= 2 * MAX_FRAME + 128 * 1024, "{}", read.most_memory);
        let hashed = reader_hashes(&hostile);
        assert!(hashed <= (16 << 20) + 4 * bytes as u64, "{hashed} bytes hashed of {bytes}");
        begun.elapsed().as_secs_f64() * 1e9 / bytes as f64
    };
    println!("FIGURE spool.hostile_ns_per_byte {:.1} ns", per_byte(8 << 20));
}

/// How many bytes were hashed in vain.
fn reader_hashes(bytes: &[u8]) -> u64 {
    let mut reader = SegmentReader::new(bytes).unwrap();
    while reader.next().unwrap().is_some() {}
    reader.hashed_in_vain()
}
