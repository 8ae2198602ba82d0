use super::*;

/// A second implementation, by table, from another author.
const OTHER: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

#[test]
fn the_checksum_is_crc32c_and_no_other() {
    assert_eq!(checksum(&[b"123456789"]), 0xE306_9283);
    // RFC 3720 appendix B.4.
    assert_eq!(checksum(&[&[0; 32]]), 0x8A91_36AA);
    assert_eq!(checksum(&[&[0xff; 32]]), 0x62A8_AB43);
    let counted: Vec<u8> = (0..32).collect();
    assert_eq!(checksum(&[&counted]), 0x46DD_794E);
    let mut compared = 0;
    let bytes: Vec<u8> = (0..4_096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for len in (0..300).chain([511, 1_024, 4_095, 4_096]) {
        for from in [0, 1, 3, 8] {
            let part = &bytes[from.min(len)..len];
            assert_eq!(checksum(&[part]), OTHER.checksum(part), "{from}..{len}");
            let (a, b) = part.split_at(part.len() / 3);
            assert_eq!(checksum(&[a, b]), OTHER.checksum(part), "in two parts");
            compared += 1;
        }
    }
    println!("FIGURE spool.checksums_compared {compared} checksums");
}

/// Written by version 0.1.0. Files of released versions stay here, and stay readable.
const GOLDEN: &[u8] = include_bytes!("golden/segment-1.log");

#[test]
fn a_segment_of_an_earlier_release_is_read_to_the_byte() {
    let (bytes, regions) = segment(5, true);
    assert!(bytes == GOLDEN, "the format changed without a new version");
    assert_eq!(SegmentHeader::read(GOLDEN), Ok(header(7)));
    let read = read(GOLDEN);
    assert!(read.complete && read.summary.closed);
    assert_eq!((read.frames, numbers(GOLDEN)), (regions, (0..7).collect()));
}

#[test]
fn the_layout_is_the_documented_one() {
    let mut bytes = Vec::new();
    let mut tally = Tally::default();
    push_entries(&mut bytes, &mut tally, 2, b"xyz").unwrap();
    assert_eq!(bytes[..8], *b"FRGL\x0b\0\0\0");
    let mut covered = b"\x0b\0\0\0\x01".to_vec();
    covered.extend_from_slice(b"\x02\0\0\0\x03\0\0\0xyz");
    assert_eq!(bytes[8..12], OTHER.checksum(&covered).to_le_bytes());
    assert_eq!(bytes[12..], covered[4..]);

    assert_eq!(records_of(&bytes), Some(&b"xyz"[..]));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        assert_eq!((records_of(&flipped), records_of(&bytes[..at])), (None, None), "{at}");
    }

    let frame_crc = bytes[8..12].to_vec();
    let mut footer = Vec::new();
    push_footer(&mut footer, &tally);
    assert_eq!((footer.len(), footer[12]), (FOOTER_LEN, 2));
    assert_eq!(footer[13..17], 1_u32.to_le_bytes());
    assert_eq!(footer[17..25], 2_u64.to_le_bytes());
    assert_eq!(footer[25..], OTHER.checksum(&frame_crc).to_le_bytes());

    let head = header(0x0102).to_bytes();
    assert_eq!(head[..8], *b"HOPSPOOL");
    assert_eq!(head[8..16], [1, 0, 0, 0, 64, 0, 0, 0]);
    assert_eq!(head[16..24], 0x0102_u64.to_le_bytes());
    assert_eq!(&head[24..40], WRITER.as_bytes());
    assert_eq!(head[40..48], 1_763_600_000_000_u64.to_le_bytes());
    assert_eq!(head[48..60], [0; 12]);
    assert_eq!(head[60..], OTHER.checksum(&head[..60]).to_le_bytes());
}

#[test]
fn a_frame_holds_one_entry_at_least_and_a_mebibyte_at_most() {
    let (mut out, mut tally) = (b"before".to_vec(), Tally::default());
    assert_eq!(push_entries(&mut out, &mut tally, 0, b"x"), Err(BadFrame::Empty));
    assert_eq!(push_entries(&mut out, &mut tally, 1, b""), Err(BadFrame::Empty));
    let large = vec![7; MAX_RECORDS + 1];
    assert_eq!(push_entries(&mut out, &mut tally, 1, &large), Err(BadFrame::TooLarge));
    assert_eq!((&out[..], tally), (&b"before"[..], Tally::default()));
    let mut bytes = header(1).to_bytes().to_vec();
    push_entries(&mut bytes, &mut tally, 1, &large[1..]).unwrap();
    assert_eq!(read(&bytes).frames, [Region { at: 64, len: MAX_FRAME as u64 }]);
}
