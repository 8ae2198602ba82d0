//! Files on a disk in memory, with a clock that is moved by hand and a size that can be reached.

mod memory_disk;

use std::io;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::{Disk, Every, Rotation, Written, Zone};
use memory_disk::MemoryDisk;

const PATH: &str = "/log/shop.jsonl";
const DAY: u64 = 86_400;
/// 2024-02-29T00:00:00Z
const LEAP_DAY: u64 = 1_709_164_800;

fn well(written: Written) -> (u64, bool) {
    assert!(written.error.is_none(), "{written:?}");
    (written.lines, written.rotated)
}

fn daily() -> Rotation {
    Rotation { every: Some(Every::Day), ..Rotation::default() }
}

fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn at_midnight_the_next_write_begins_a_new_file_named_after_the_last_one() {
    let disk = MemoryDisk::new(LEAP_DAY + DAY - 2);
    let mut file = disk.appender(daily());
    assert_eq!(well(file.write(b"before\n")), (1, false));
    disk.advance(1);
    assert_eq!(well(file.write(b"still\nbefore\n")), (2, false));
    disk.advance(1);
    assert_eq!(well(file.write(b"after\n")), (1, true));
    disk.advance(3 * DAY);
    assert!(file.turn().unwrap(), "also where nothing is written");
    assert!(!file.turn().unwrap());
    assert_eq!(
        disk.files(),
        pairs(&[
            ("shop.jsonl", ""),
            ("shop.jsonl.20240229T235959Z", "before\nstill\nbefore\n"),
            ("shop.jsonl.20240301T000000Z", "after\n"),
        ])
    );
}

#[test]
fn hours_and_other_zones_have_their_own_midnights() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let zone = Zone::By(|_| -3_600 / 2);
    let mut file = disk.appender(Rotation { every: Some(Every::Hour), zone, ..Rotation::default() });
    let mut rotated = Vec::new();
    for minute in 0..180u64 {
        if well(file.write(b"x\n")).1 {
            rotated.push(minute);
        }
        disk.advance(60);
    }
    assert_eq!(rotated, [30, 90, 150]);
}

#[test]
fn a_file_from_an_earlier_day_is_rotated_by_the_next_process() {
    let disk = MemoryDisk::new(LEAP_DAY);
    well(disk.appender(daily()).write(b"old\n"));
    disk.advance(DAY);
    assert_eq!(well(disk.appender(daily()).write(b"new\n")), (1, true));
    assert_eq!(disk.files(), pairs(&[("shop.jsonl", "new\n"), ("shop.jsonl.20240229T000000Z", "old\n")]));
}

#[test]
fn a_clock_that_is_set_back_rotates_nothing() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(daily());
    well(file.write(b"a\n"));
    disk.state().now -= 3 * DAY;
    assert_eq!(well(file.write(b"b\n")), (1, false));
}

#[test]
fn archives_of_the_same_second_get_numbers_also_beside_compressed_ones() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(Rotation { max_bytes: Some(4), ..Rotation::default() });
    assert_eq!(well(file.write(b"aa\nbb\ncc\n")), (3, true));
    disk.tidy(9, None, true);
    assert_eq!(well(file.write(b"dd\n")), (1, true));
    let names: Vec<String> = disk.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "shop.jsonl",
            "shop.jsonl.20240229T000000Z-2.gz",
            "shop.jsonl.20240229T000000Z-3",
            "shop.jsonl.20240229T000000Z.gz",
        ]
    );
}

#[test]
fn the_attic_keeps_so_many_and_so_long_and_compresses_the_rest() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(daily());
    for _ in 0..6 {
        well(file.write(b"x\n"));
        disk.advance(DAY);
    }
    disk.state().open(Path::new("/log/shop.jsonl.backup"));
    disk.tidy(4, None, true);
    let names = || disk.files().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        names(),
        [
            "shop.jsonl",
            "shop.jsonl.20240301T000000Z.gz",
            "shop.jsonl.20240302T000000Z.gz",
            "shop.jsonl.20240303T000000Z.gz",
            "shop.jsonl.20240304T000000Z.gz",
            "shop.jsonl.backup",
        ]
    );
    assert_eq!(disk.files()[1].1, "gz:x\n");
    disk.tidy(9, Some(Duration::from_secs(3 * DAY)), true);
    assert_eq!(names().len(), 4, "{:?}", names());
    disk.tidy(0, None, false);
    assert_eq!(names(), ["shop.jsonl", "shop.jsonl.backup"]);
}

#[test]
fn processes_share_a_file_and_notice_each_others_rotation() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let (mut a, mut b) = (disk.appender(daily()), disk.appender(daily()));
    well(a.write(b"a1\n"));
    well(b.write(b"b1\n"));
    disk.advance(DAY);
    assert_eq!(well(a.write(b"a2\n")), (1, true));
    assert_eq!(well(b.write(b"b2\n")), (1, false), "the other one has done it");
    assert_eq!(
        disk.files(),
        pairs(&[("shop.jsonl", "a2\nb2\n"), ("shop.jsonl.20240229T000000Z", "a1\nb1\n")])
    );
}

#[test]
fn a_file_that_was_moved_away_is_made_anew_and_so_after_reopen() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(Rotation::default());
    well(file.write(b"a\n"));
    disk.rename(Path::new(PATH), Path::new("/log/moved")).unwrap();
    well(file.write(b"b\n"));
    disk.remove(Path::new(PATH)).unwrap();
    file.reopen();
    well(file.write(b"c\n"));
    assert_eq!(disk.files(), pairs(&[("moved", "a\n"), ("shop.jsonl", "c\n")]));
}

#[test]
fn without_a_lock_a_process_writes_beside_the_file_until_it_reopens() {
    let own = format!("shop.jsonl.p{}", std::process::id());
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(Rotation::default());
    let stuck = disk.open(Path::new(PATH)).unwrap();
    assert!(disk.lock(&stuck).unwrap());
    well(file.write(b"a\n"));
    drop(stuck);
    well(file.write(b"b\n"));
    file.reopen();
    well(file.write(b"c\n"));
    assert_eq!(disk.files(), pairs(&[("shop.jsonl", "c\n"), (&own, "a\nb\n")]));
    disk.state().locks_work = false;
    file.reopen();
    well(file.write(b"d\n"));
    assert_eq!(disk.files()[1].1, "a\nb\nd\n");
}

#[test]
fn a_full_disk_keeps_whole_lines_takes_back_half_ones_and_goes_on_when_there_is_room() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(Rotation::default());
    disk.state().capacity = 10;
    let written = file.write(b"aaaa\nbbbb\ncccc\n");
    assert_eq!((written.lines, written.error.unwrap().kind()), (2, io::ErrorKind::StorageFull));
    let written = file.write(b"dddd\n");
    assert_eq!((written.lines, written.error.is_some()), (0, true));
    disk.state().capacity = 18;
    let written = file.write(b"eeee\nffff\n");
    assert_eq!((written.lines, written.error.is_some()), (1, true));
    disk.state().capacity = 99;
    well(file.write(b"gggg\n"));
    assert_eq!(disk.files(), pairs(&[("shop.jsonl", "aaaa\nbbbb\neeee\ngggg\n")]));
}

#[test]
fn a_line_that_was_cut_off_is_ended_and_a_whole_one_left_alone() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let put = |bytes: &[u8]| disk.append(&mut disk.open(Path::new(PATH)).unwrap(), bytes).1.unwrap();
    put(b"whole\ncut o");
    let mut file = disk.appender(Rotation { max_bytes: Some(40), ..Rotation::default() });
    well(file.write(b"a\n"));
    put(b"by another\n");
    well(file.write(b"b\n"));
    put(b"cut again");
    well(file.write(b"c\nd\n"));
    assert_eq!(disk.files()[0].1, "d\n", "the line feed counts");
    assert_eq!(disk.files()[1].1, "whole\ncut o\na\nby another\nb\ncut again\nc\n");
}

#[test]
fn where_nothing_can_be_renamed_entries_still_find_their_place() {
    let disk = MemoryDisk::new(LEAP_DAY);
    let mut file = disk.appender(Rotation { max_bytes: Some(4), ..Rotation::default() });
    disk.state().may_rename = false;
    assert_eq!(well(file.write(b"aa\nbb\n")), (2, false));
    assert_eq!(disk.files(), pairs(&[("shop.jsonl", "aa\nbb\n")]));
}

proptest! {
    /// Two processes, any writes, any hours between them, moves from outside: no line is lost or torn, no file is longer
    /// than its size but for one long line, and lines of one process stay in order.
    #[test]
    fn every_line_is_in_exactly_one_file(
        steps in prop::collection::vec((0..2usize, 1..5usize, 1..30usize, 0..3u8, 0..100_000u64), 1..60),
    ) {
        let disk = MemoryDisk::new(LEAP_DAY);
        let rotation = Rotation { max_bytes: Some(40), ..daily() };
        let mut processes = [disk.appender(rotation.clone()), disk.appender(rotation)];
        let mut expected = [Vec::new(), Vec::new()];
        for (number, (who, lines, length, then, wait)) in steps.into_iter().enumerate() {
            let mut block = String::new();
            for line in 0..lines {
                let text = format!("{who}:{number}:{line}:{}", "x".repeat(length));
                block.push_str(&text);
                block.push('\n');
                expected[who].push(text);
            }
            prop_assert_eq!(well(processes[who].write(block.as_bytes())).0, lines as u64);
            match then {
                0 => disk.advance(wait),
                1 => drop(processes[who].turn()),
                _ => processes[who].reopen(),
            }
        }
        let files = disk.files();
        for (name, text) in &files {
            prop_assert!(text.is_empty() || text.ends_with('\n'), "{name}");
            prop_assert!(text.len() <= 40 || text.lines().count() == 1, "{name}: {text:?}");
        }
        for (who, expected) in expected.into_iter().enumerate() {
            let mut found: Vec<String> = files.iter().flat_map(|(_, text)| text.lines())
                .filter(|line| line.starts_with(&format!("{who}:"))).map(ToOwned::to_owned).collect();
            let mut expected = expected;
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
