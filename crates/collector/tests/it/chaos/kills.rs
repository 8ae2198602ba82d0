//! The collector is killed at any moment, again and again; what it acknowledged is there in the end.

use super::{Dice, ask, bound, figure, payload, post, times};
use crate::process::Process;
use crate::support::{TempDir, request};
use hoplog_entry::EntryId;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What was promised. An obligation starts with the acknowledgement.
#[derive(Default)]
struct Oracle {
    sent: HashSet<EntryId>,
    acknowledged: HashSet<EntryId>,
    raw_duplicates: u64,
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
struct Found {
    missing: usize,
    spurious: usize,
    corrupted: usize,
    stored_twice: usize,
}

const BATCH: usize = 20;

fn batch() -> Vec<EntryId> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    (0..BATCH).map(|_| EntryId::generate(now)).collect()
}

fn body(batch: &[EntryId]) -> Vec<u8> {
    let entry = |id: &EntryId| json!({"id": id.to_string(), "message": payload(*id)});
    let logs: Vec<_> = batch.iter().map(entry).collect();
    post("", json!({ "logs": logs }).to_string().as_bytes())
}

/// Sends batches until it is stopped; one that got no answer goes out again, as it was.
fn send(to: SocketAddr, stop: &AtomicBool, unanswered: &mut Option<Vec<EntryId>>, oracle: &Mutex<Oracle>) {
    while !stop.load(Relaxed) {
        let batch = unanswered.take().unwrap_or_else(batch);
        oracle.lock().unwrap().sent.extend(&batch);
        let answer = ask(1, to, &body(&batch));
        let Some(answer) = answer.filter(|answer| answer.starts_with("HTTP/1.1 200")) else {
            *unanswered = Some(batch);
            return;
        };
        let mut oracle = oracle.lock().unwrap();
        oracle.acknowledged.extend(&batch);
        let duplicates = answer.split("\"duplicates\":").nth(1).and_then(|text| text.split(',').next());
        oracle.raw_duplicates += duplicates.and_then(|n| n.parse::<u64>().ok()).unwrap();
    }
}

/// Kills it so many times, under load through `front`; how often a request was under way.
fn kill(rounds: usize, directory: &Path, oracle: &Mutex<Oracle>, front: fn(SocketAddr) -> Front) -> usize {
    let mut dice = Dice(rounds as u64);
    let mut unanswered: [Option<Vec<EntryId>>; 4] = Default::default();
    let mut under_way = 0;
    for _ in 0..rounds {
        let process = Process::serve(directory);
        let front = front(process.address);
        let stop = AtomicBool::new(false);
        let before = oracle.lock().unwrap().acknowledged.len();
        std::thread::scope(|scope| {
            for slot in &mut unanswered {
                scope.spawn(|| send(front.address, &stop, slot, oracle));
            }
            // Not before it works, then at any moment.
            while oracle.lock().unwrap().acknowledged.len() < before + 4 * BATCH {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_micros(dice.next(30_000) as u64));
            process.signal("KILL");
            // Whoever waits for an answer of a front that acknowledges by itself would go on for ever.
            stop.store(true, Relaxed);
        });
        under_way += usize::from(unanswered.iter().any(Option::is_some));
    }
    under_way
}

fn look(directory: &Path, oracle: &Oracle) -> Found {
    let process = Process::serve(directory);
    let mut stored = HashMap::<EntryId, usize>::new();
    let (mut found, mut cursor) = (Found::default(), String::new());
    loop {
        let path = format!("/api/v1/logs?limit=1000&cursor={cursor}");
        let page = request(process.address, "GET", &path, &[], b"").json();
        for entry in page["logs"].as_array().unwrap() {
            let id: EntryId = entry["id"].as_str().unwrap().parse().unwrap();
            *stored.entry(id).or_default() += 1;
            found.corrupted += usize::from(entry["message"] != json!(payload(id)));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    found.missing = oracle.acknowledged.iter().filter(|id| !stored.contains_key(id)).count();
    found.spurious = stored.keys().filter(|id| !oracle.sent.contains(id)).count();
    found.stored_twice = stored.values().filter(|n| **n > 1).count();
    found
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let directory = TempDir::new();
    let oracle = Mutex::new(Oracle::default());
    let rounds = times(20, 200);
    let under_way = kill(rounds, directory.path(), &oracle, Front::none);
    let oracle = oracle.into_inner().unwrap();
    let found = look(directory.path(), &oracle);
    figure("collector_kill.kills", rounds, "count");
    figure("collector_kill.kills_with_requests_under_way", under_way, "count");
    figure("collector_kill.acknowledged", oracle.acknowledged.len(), "entries");
    figure("collector_kill.raw_duplicates", oracle.raw_duplicates, "entries");
    figure("collector_kill.missing", found.missing, "entries");
    figure("collector_kill.spurious", found.spurious, "entries");
    figure("collector_kill.corrupted", found.corrupted, "entries");
    figure("collector_kill.stored_twice", found.stored_twice, "entries");
    figure("collector_kill.bound_per_kill", bound(rounds), "probability");
    assert!(under_way * 2 > rounds, "{under_way} of {rounds} kills met a request");
    assert_eq!(found, Found::default());
    for file in std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "db") {
            let connection = rusqlite::Connection::open(&file).unwrap();
            let word: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(word, "ok", "{}", file.display());
        }
    }
}

#[test]
fn the_oracle_sees_a_collector_that_acknowledges_before_it_commits() {
    let directory = TempDir::new();
    let oracle = Mutex::new(Oracle::default());
    kill(3, directory.path(), &oracle, Front::broken_ack_before_commit);
    let found = look(directory.path(), &oracle.into_inner().unwrap());
    figure("collector_kill.control_missing", found.missing, "entries");
    assert!(found.missing > 0, "the control stays green: {found:?}");
}

/// What stands before the collector.
struct Front {
    address: SocketAddr,
}

impl Front {
    fn none(collector: SocketAddr) -> Self {
        Self { address: collector }
    }

    /// Acknowledges every batch by itself and hands it on afterwards.
    fn broken_ack_before_commit(collector: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut request = Vec::new();
                    let mut piece = [0; 16 * 1024];
                    while !request.ends_with(b"]}") {
                        match stream.read(&mut piece) {
                            Ok(n @ 1..) => request.extend_from_slice(&piece[..n]),
                            _ => return,
                        }
                    }
                    let answer = format!("{{\"accepted\":{BATCH},\"duplicates\":0,\"rejected\":[]}}");
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len());
                    let _ = stream.write_all((head + &answer).as_bytes());
                    drop(stream);
                    let _ = ask(2, collector, &request);
                });
            }
        });
        Self { address }
    }
}
