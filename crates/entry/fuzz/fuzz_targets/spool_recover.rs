//! Any bytes are read to parts that cover each byte once; frames hold what their checksums cover, and nothing of a length
//! that was not checked is allocated.
#![no_main]

use hoplog_entry::spool::{Acks, FRAME_OVERHEAD, HEADER_LEN, Part, SegmentReader, Source, read_open};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Acks::read(bytes);
    let _ = read_open(bytes);
    let mut reader = SegmentReader::new(bytes).expect("a slice does not fail");
    let mut at = if reader.header().is_ok() { HEADER_LEN as u64 } else { 0 };
    let unknown = matches!(reader.header(), Err(hoplog_entry::spool::BadHeader::Unknown { .. }));
    while let Some(part) = reader.next().expect("a slice does not fail") {
        let region = match part {
            Part::Frame(frame) => {
                assert_eq!(frame.region.len as usize, frame.bytes.len() + FRAME_OVERHEAD);
                for record in frame.records() {
                    let Ok(record) = record else { break };
                    record.items().for_each(drop);
                }
                frame.region
            }
            Part::Source { region, payload } => {
                let _ = Source::read(payload);
                region
            }
            Part::Other { region, .. } | Part::Footer { region, .. } => region,
            Part::Damaged(region) | Part::Torn(region) => region,
        };
        assert_eq!(region.at, at);
        assert!(region.len > 0);
        at += region.len;
    }
    assert!(unknown || at == bytes.len() as u64);
});
