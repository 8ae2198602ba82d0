//! A directory full of what does not belong there.

use hoplog_entry::spool::SegmentHeader;

use super::*;

#[test]
fn ten_thousand_strange_files_do_not_hold_up_the_first_frame() {
    let place = Place::new();
    let mut spool = place.open();
    spool.append(now(), &records(0..3), 3, Keep::Spooled).unwrap();
    let dir = spool.home.as_ref().unwrap().dir.clone();
    drop(spool);
    let header =
        SegmentHeader { segment: 1, writer: EntryId::from_bytes([1; 16]), created_unix_ms: START_MS };
    let mut later = header.to_bytes();
    later[8] = 99;
    let crc = {
        // The reader has to believe the header, so its checksum is made to hold.
        crc32c(&later[..60])
    };
    later[60..].copy_from_slice(&crc.to_le_bytes());
    let strange: [(&str, &[u8]); 4] = [
        ("seg-00000000000000100001.log", &later),
        ("seg-00000000000000100002.log", &[0x5a; 5_000]),
        ("seg-00000000000000100003.log", b""),
        ("notes.txt", b"mine"),
    ];
    for (name, bytes) in strange {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
    let sparse = dir.join("seg-00000000000000100004.log");
    std::fs::File::create(&sparse).unwrap().set_len(5 << 30).unwrap();
    for n in 0..10_000 {
        std::fs::write(dir.join(format!("seg-{:020}.log", 200_000 + n)), b"").unwrap();
        if n % 10 == 0 {
            std::fs::create_dir(place.spool().join(format!("strange-{n}"))).unwrap();
        }
    }
    let begun = Instant::now();
    let mut spool = place.open();
    let first = loop {
        match spool.next_backlog() {
            Backlog::Frame { records, position, .. } => {
                let first = numbers(records);
                spool.resolve(position);
                break first;
            }
            Backlog::Unfinished => {}
            Backlog::Empty => panic!("there is a frame"),
        }
    };
    let took = begun.elapsed();
    println!("FIGURE spool.hostile_first_frame_ms {} ms", took.as_millis());
    assert_eq!(first, [0, 1, 2]);
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(drain(&mut spool).is_empty());
    let status = spool.status();
    println!("FIGURE spool.hostile_left_alone {} files", status.foreign + status.unknown_versions);
    assert_eq!(status.unknown_versions, 1);
    assert_eq!(status.foreign, 1_000 + 3, "directories, garbage, notes, and five gibibytes of nothing");
    spool.close(now());
    assert!(sparse.exists() && dir.join("notes.txt").exists());
    assert_eq!(std::fs::read(dir.join("seg-00000000000000100001.log")).unwrap(), later);
    assert_eq!(std::fs::read(dir.join("seg-00000000000000100002.log")).unwrap(), [0x5a; 5_000]);
}

/// Bit by bit: Castagnoli's polynomial, reflected.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 })
    })
}
