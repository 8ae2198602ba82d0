use super::*;

const FRAMES: u64 = 50;

#[test]
fn a_segment_cut_at_any_byte_keeps_every_frame_before_the_cut() {
    let (bytes, regions) = segment(FRAMES, true);
    let (mut cuts, mut lost, mut torn) = (0, 0, 0);
    for cut in 0..=bytes.len() {
        let read = read(&bytes[..cut]);
        let whole: Vec<Region> = regions.iter().copied().filter(|r| (r.at + r.len) as usize <= cut).collect();
        lost += whole.iter().filter(|region| !read.frames.contains(region)).count();
        assert_eq!(read.frames, whole, "cut at {cut}");
        assert_eq!((read.damaged.len(), read.summary.lost), (0, 0), "a cut is no damage: at {cut}");
        torn += u64::from(read.torn.is_some());
        cuts += 1;
    }
    println!("FIGURE spool.cuts {cuts} cuts");
    println!("FIGURE spool.cuts_torn {torn} tails");
    println!("FIGURE spool.cuts_lost_frames {lost} frames");
    // Cuts at a border of frames, at the header's end and at nothing leave no torn tail.
    assert_eq!(torn, cuts as u64 - (FRAMES + 3));
}

#[test]
fn one_flipped_byte_costs_one_frame_at_most() {
    let (bytes, regions) = segment(FRAMES, true);
    let expected = numbers(&bytes);
    let (mut flips, mut lost_at_most, mut quiet, mut memory) = (0, 0, 0, 0);
    for at in 0..bytes.len() {
        // Every bit alone near the frames' heads, where lengths and marks are; all of them elsewhere.
        let near_a_head = regions.iter().any(|r| (r.at..r.at + 22).contains(&(at as u64)));
        let masks: &[u8] =
            if near_a_head || at % 97 == 0 { &[1, 2, 4, 8, 16, 32, 64, 128, 255] } else { &[255] };
        for mask in masks {
            let mut bytes = bytes.clone();
            bytes[at] ^= mask;
            let read = read(&bytes);
            let missing: Vec<Region> = regions.iter().copied().filter(|r| !read.frames.contains(r)).collect();
            let hit = regions.iter().find(|r| (r.at..r.at + r.len).contains(&(at as u64)));
            assert!(read.frames.iter().all(|r| regions.contains(r)), "nothing is made up: {at} ^ {mask}");
            assert_eq!(missing, hit.copied().into_iter().collect::<Vec<_>>(), "{at} ^ {mask}");
            if at >= HEADER_LEN && hit.is_some() {
                assert_eq!(read.damaged, missing, "what is damaged is told, to the byte: {at} ^ {mask}");
                assert!(read.summary.closed && !read.complete);
                let entries = expected.len() as u64 - read.summary.entries;
                assert_eq!(read.summary.lost, entries, "the footer tells how many: {at} ^ {mask}");
            }
            quiet += u64::from(read.damaged.is_empty() && read.torn.is_none());
            lost_at_most = lost_at_most.max(missing.len());
            memory = memory.max(read.most_memory);
            flips += 1;
        }
    }
    println!("FIGURE spool.flips {flips} flips");
    println!("FIGURE spool.flips_most_frames_lost {lost_at_most} frames");
    println!("FIGURE spool.flips_unnoticed {quiet} flips");
    println!("FIGURE spool.reader_most_memory {memory} B");
    assert_eq!((lost_at_most, quiet), (1, 0));
    assert!(memory <= 2 * MAX_FRAME + 128 * 1024, "{memory}");
}

#[test]
fn a_flip_in_a_segment_without_a_footer_at_its_last_frame_is_taken_for_a_torn_tail() {
    let (bytes, regions) = segment(3, false);
    let last = regions[2];
    let mut flipped = bytes.clone();
    flipped[last.at as usize + 30] ^= 1;
    let read = read(&flipped);
    assert_eq!(read.frames, regions[..2]);
    assert_eq!((read.torn, read.summary.torn_bytes), (Some(last), last.len));
    assert_eq!((read.damaged.len(), read.summary.lost, read.summary.closed), (0, 0, false));
}

#[test]
fn without_a_footer_a_damaged_region_counts_as_one_entry() {
    let (mut bytes, regions) = segment(9, false);
    for damaged in [1, 2, 5] {
        bytes[regions[damaged].at as usize + 40] ^= 0x10;
    }
    let read = read(&bytes);
    // The first two lie side by side.
    assert_eq!((read.damaged.len(), read.summary.lost, read.frames.len()), (2, 2, 6));
}

#[test]
fn a_damaged_header_costs_no_frame_and_an_unknown_one_hides_all() {
    let (bytes, regions) = segment(4, true);
    let mut damaged = bytes.clone();
    damaged[..HEADER_LEN].fill(0xaa);
    let found = read(&damaged);
    assert_eq!((found.frames, found.damaged), (regions, vec![Region { at: 0, len: HEADER_LEN as u64 }]));
    assert_eq!(SegmentHeader::read(&damaged), Err(BadHeader::NotASegment));

    for (at, value) in [(8, 99), (10, 1), (12, 128)] {
        let mut later = bytes.clone();
        later[at] = value;
        let crc = checksum(&[&later[..60]]);
        later[60..64].copy_from_slice(&crc.to_le_bytes());
        let version = if at == 8 { 99 } else { 1 };
        let mut reader = SegmentReader::new(&later[..]).unwrap();
        assert_eq!(reader.header(), Err(BadHeader::Unknown { version }));
        assert!(reader.next().unwrap().is_none(), "what is not understood is not read");
    }
}

#[test]
fn bytes_behind_a_footer_are_damage_and_not_a_torn_tail() {
    let (mut bytes, _) = segment(2, true);
    let end = bytes.len() as u64;
    bytes.extend_from_slice(b"and then some");
    let read = read(&bytes);
    assert_eq!((read.damaged, read.torn), (vec![Region { at: end, len: 13 }], None));
    assert_eq!(read.summary.lost, 0);
}

#[test]
fn a_frame_of_a_type_to_come_is_passed_and_counts_as_a_frame() {
    let (mut bytes, mut tally) = (header(1).to_bytes().to_vec(), Tally::default());
    let (len, payload) = (9_u32.to_le_bytes(), *b"later on!");
    let crc = checksum(&[&len, &[200], &payload]);
    for part in [&SYNC[..], &len, &crc.to_le_bytes(), &[200], &payload] {
        bytes.extend_from_slice(part);
    }
    tally.add(crc, 0);
    push_entries(&mut bytes, &mut tally, 1, &record(1)).unwrap();
    push_footer(&mut bytes, &tally);
    let read = read(&bytes);
    assert!(read.complete);
    assert_eq!((read.frames.len(), read.summary.frames), (1, 2));
}
