//! `hoplog spool` on spools that were cut, flipped, and filled with strange files.

use crate::support::TempDir;
use hoplog_entry::spool::{Acks, SegmentHeader, Source, Tally, push_entries, push_footer, push_source};
use hoplog_entry::{EntryId, Field, Kind, Level, RecordWriter};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const WRITER: EntryId = EntryId::from_bytes([0x5a; 16]);
const FRAMES: u64 = 12;

fn id(number: u64) -> EntryId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    EntryId::from_bytes(id)
}

fn record(number: u64) -> Vec<u8> {
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, id(number), 1_763_600_000_000_000_000 + number);
    w.text(Field::Message, &format!("message {number} \u{1b}[31m"));
    w.nanos(Field::Duration, 1_500_000);
    w.named_header(Field::RequestHeader, "accept", b"a");
    w.named_header(Field::RequestHeader, "accept", b"b");
    w.custom_json("order", r#"{"id":7}"#);
    w.end(Level::Warn, None).to_vec()
}

fn source() -> Source {
    Source { service: "shop".into(), host: "web-3".into(), pid: 4_711, ..Source::default() }
}

/// A closed segment of one entry per frame, and where its frames begin.
fn segment() -> (Vec<u8>, Vec<usize>) {
    let header = SegmentHeader { segment: 3, writer: WRITER, created_unix_ms: 1_763_600_000_000 };
    let (mut bytes, mut tally, mut starts) = (header.to_bytes().to_vec(), Tally::default(), Vec::new());
    push_source(&mut bytes, &mut tally, &source());
    for number in 0..FRAMES {
        starts.push(bytes.len());
        push_entries(&mut bytes, &mut tally, 1, &record(number)).unwrap();
    }
    starts.push(bytes.len());
    push_footer(&mut bytes, &tally);
    (bytes, starts)
}

struct Spool(TempDir);

impl Spool {
    fn new(segment: &[u8], hint: Option<&[u8]>) -> Self {
        let spool = Self(TempDir::new());
        std::fs::create_dir_all(spool.writer()).unwrap();
        std::fs::write(spool.writer().join("LOCK"), b"").unwrap();
        std::fs::write(spool.writer().join("seg-00000000000000000003.log"), segment).unwrap();
        if let Some(hint) = hint {
            std::fs::write(spool.writer().join("ack-00000000000000000003"), hint).unwrap();
        }
        spool
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("spool")
    }

    fn writer(&self) -> PathBuf {
        self.root().join(WRITER.to_string())
    }

    fn run(&self, words: &str) -> Output {
        let mut words = words.split_whitespace();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hoplog"));
        command.args(["spool", words.next().unwrap()]).arg(self.root()).args(words).output().unwrap()
    }

    fn json(&self, words: &str) -> Value {
        serde_json::from_slice(&self.run(words).stdout).unwrap()
    }

    /// The numbers of the entries that an export prints.
    fn exported(&self, words: &str) -> BTreeSet<u64> {
        let output = String::from_utf8(self.run(words).stdout).unwrap();
        let number = |line: &str| {
            let entry: Value = serde_json::from_str(line).unwrap();
            let id: EntryId = entry["id"].as_str().unwrap().parse().unwrap();
            u64::from_be_bytes(*id.as_bytes().first_chunk().unwrap())
        };
        output.lines().map(number).collect()
    }

    /// Every file with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(dir: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    files.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.root(), &mut files);
        files
    }
}

fn source_is_whole(bytes: &[u8]) -> bool {
    let (whole, starts) = segment();
    bytes.get(64..starts[0]) == whole.get(64..starts[0])
}

/// Damaged segments, and the entries that are left in each.
fn damaged() -> Vec<(String, Vec<u8>, BTreeSet<u64>)> {
    let (whole, starts) = segment();
    let all: BTreeSet<u64> = (0..FRAMES).collect();
    let mut cases = Vec::new();
    for cut in (1..whole.len()).step_by(61).chain([63, 64, starts[3], whole.len() - 1]) {
        let left = (0..FRAMES).filter(|n| starts[*n as usize + 1] <= cut).collect();
        cases.push((format!("cut at {cut}"), whole[..cut].to_vec(), left));
    }
    for at in (0..whole.len()).step_by(53) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        let hit = |n: &u64| (starts[*n as usize]..starts[*n as usize + 1]).contains(&at);
        cases.push((format!("flipped at {at}"), bytes, all.iter().copied().filter(|n| !hit(n)).collect()));
    }
    let behind = [&whole[..], b"and then some"].concat();
    cases.push(("bytes behind the footer".to_owned(), behind, all));
    cases
}

#[test]
fn inspection_changes_nothing_and_repair_keeps_every_entry_that_can_be_read() {
    let (mut files, mut repaired) = (0, 0);
    for (name, bytes, left) in damaged() {
        let spool = Spool::new(&bytes, None);
        let before = spool.files();
        let torn_or_worse = {
            assert_eq!(spool.exported("export"), left, "{name}");
            assert_eq!(spool.json("status --json")["writers"][0]["live"], false, "{name}");
            spool.json("check --json");
            let plan = spool.json("repair --json");
            assert_eq!(spool.files(), before, "what only looks changes nothing: {name}");
            let planned = plan["plan"].as_array().unwrap().len();
            assert_eq!(
                spool.run("repair").status.success(),
                planned == 0,
                "{name}: a plan asks to be carried out"
            );
            planned == 1
        };
        files += 1;
        // A cut between two frames, or in the header, leaves nothing that has to be moved.
        let applied = spool.run("repair --apply");
        assert!(applied.status.success(), "{name}: {}", String::from_utf8_lossy(&applied.stderr));
        repaired += u64::from(torn_or_worse);
        assert_eq!(spool.exported("export"), left, "{name}");
        let exported = String::from_utf8(spool.run("export").stdout).unwrap();
        let known = exported.lines().all(|line| line.contains(r#""host":"web-3""#));
        assert_eq!(known, left.is_empty() || source_is_whole(&bytes), "who wrote it stays with it: {name}");
        let check = spool.json("check --json");
        assert_eq!(
            (&check["sound"], &spool.json("repair --json")["plan"]),
            (&true.into(), &Value::Array(vec![])),
            "{name}"
        );
        // No byte is gone: what is not a frame is in the quarantine.
        if torn_or_worse {
            let kept: usize = spool
                .files()
                .iter()
                .filter(|(path, _)| path.starts_with(spool.root().join("quarantine")))
                .map(|(_, bytes)| bytes.len())
                .sum();
            assert!(kept > 0, "{name}");
        }
    }
    println!("FIGURE spool.tool_damaged_files {files} files");
    println!("FIGURE spool.tool_repaired {repaired} files");
    assert!(repaired * 2 > files, "most of them are damaged");
}

#[test]
fn an_export_is_what_the_collector_takes() {
    let (bytes, _) = segment();
    let spool = Spool::new(&bytes, None);
    let output = String::from_utf8(spool.run("export").stdout).unwrap();
    let entry: Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
    assert_eq!(entry["id"], id(0).to_string());
    assert_eq!((&entry["kind"], &entry["level"]), (&"event".into(), &"WARN".into()));
    assert_eq!(entry["created_at"], 1_763_600_000.0);
    assert_eq!(entry[Field::Duration.name()], 1.5);
    assert_eq!(entry[Field::Message.name()], "message 0 \u{1b}[31m");
    assert!(!output.contains('\u{1b}'), "no control character reaches a terminal");
    assert_eq!(entry[Field::RequestHeader.name()]["accept"], serde_json::json!(["a", "b"]));
    assert_eq!(entry["metadata"]["order"]["id"], 7);
    assert_eq!(
        (&entry["service"], &entry["host"], &entry["pid"]),
        (&"shop".into(), &"web-3".into(), &4_711.into())
    );
    assert!(entry.get("environment").is_none(), "nothing is made up");
}

#[test]
fn what_is_noted_as_delivered_is_left_out_unless_asked_for_and_a_broken_note_is_removed() {
    let (bytes, _) = segment();
    let mut acks = Acks::new(3, WRITER);
    // Frame 0 says who wrote it.
    (1..6).for_each(|frame| acks.insert(frame));
    let spool = Spool::new(&bytes, Some(&acks.to_bytes()));
    assert_eq!(spool.exported("export"), (5..FRAMES).collect());
    assert_eq!(spool.exported("export --all"), (0..FRAMES).collect());
    assert_eq!(spool.json("check --json")["segments"][0]["delivered"], 5);

    let broken = Spool::new(&bytes, Some(b"nonsense"));
    assert_eq!(broken.exported("export"), (0..FRAMES).collect());
    let check = broken.run("check");
    assert!(!check.status.success(), "damage is an exit code");
    assert!(String::from_utf8_lossy(&check.stdout).contains("hint cannot be read"));
    assert!(broken.run("repair --apply").status.success());
    assert!(!broken.writer().join("ack-00000000000000000003").exists());
    assert!(broken.run("check").status.success());
}

#[test]
fn what_is_strange_or_alive_is_left_alone() {
    let (bytes, starts) = segment();
    let mut damaged = bytes.clone();
    damaged[starts[4] + 20] ^= 1;
    let spool = Spool::new(&damaged, None);
    std::fs::write(spool.writer().join("seg-00000000000000000009.log"), [0x5a; 500]).unwrap();
    std::fs::write(spool.root().join("notes.txt"), b"mine").unwrap();
    let lock = std::fs::File::open(spool.writer().join("LOCK")).unwrap();
    lock.lock().unwrap();
    let before = spool.files();
    assert_eq!(spool.json("status --json")["writers"][0]["live"], true);
    assert!(spool.run("repair --apply").status.success());
    assert_eq!(spool.files(), before, "a living process is left alone");
    drop(lock);
    assert!(spool.run("repair --apply").status.success());
    let after = spool.files();
    for strange in [spool.writer().join("seg-00000000000000000009.log"), spool.root().join("notes.txt")] {
        assert_eq!(after[&strange], before[&strange]);
    }
    assert_eq!(spool.exported("export").len() as u64, FRAMES - 1);
}

#[test]
fn a_directory_that_is_not_there_is_said_in_one_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_hoplog"))
        .args(["spool", "check", "/nowhere/spool"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("hoplog: /nowhere/spool: ") && said.lines().count() == 1, "{said}");
}
