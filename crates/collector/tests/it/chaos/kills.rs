//! The collector is killed at any moment, again and again; what it acknowledged is there in the end.

use super::{Dice, ask, bound, figure, payload, post, times};
use crate::process::Process;
use crate::support::{TempDir, request};
use hoplog_entry::EntryId;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What was promised. An obligation starts with the acknowledgement.
#[derive(Default)]
pub(super) struct Oracle {
    sent: HashSet<EntryId>,
    pub(super) acknowledged: HashSet<EntryId>,
    pub(super) raw_duplicates: u64,
    /// Answers that told to come again, and said when.
    pub(super) put_off: u64,
    /// Other answers but 200.
    pub(super) refused: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) missing: usize,
    spurious: usize,
    corrupted: usize,
    pub(super) stored_twice: usize,
}

pub(super) const BATCH: usize = 20;

impl Oracle {
    /// Takes note of an answer other than 200: whether it is one after which a sender goes on.
    fn note(&mut self, answer: &str) -> bool {
        let head = answer.to_ascii_lowercase();
        if head.starts_with("http/1.1 503") && head.contains("\r\nretry-after: ") {
            self.put_off += 1;
        } else {
            self.refused.push(answer.to_owned());
        }
        true
    }
}

/// Where a collector keeps its entries.
pub(super) struct Place {
    pub(super) directory: TempDir,
    /// The directory, if none.
    pub(super) store: Option<String>,
}

impl Place {
    pub(super) fn serve(&self) -> Process {
        let store = self.store.iter().flat_map(|store| ["--store", store]).collect::<Vec<_>>();
        Process::serve_with(self.directory.path(), &store)
    }
}

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
pub(super) fn send(
    to: SocketAddr,
    stop: &AtomicBool,
    unanswered: &mut Option<Vec<EntryId>>,
    oracle: &Mutex<Oracle>,
) {
    while !stop.load(Relaxed) {
        let batch = unanswered.take().unwrap_or_else(batch);
        oracle.lock().unwrap().sent.extend(&batch);
        let answer = ask(1, to, &body(&batch));
        let mut oracle = oracle.lock().unwrap();
        let Some(answer) = answer.filter(|answer| answer.starts_with("HTTP/1.1 200") || oracle.note(answer))
        else {
            *unanswered = Some(batch);
            return;
        };
        if !answer.starts_with("HTTP/1.1 200") {
            drop(oracle);
            *unanswered = Some(batch);
            std::thread::sleep(Duration::from_millis(5)); // sooner than it was told to, and not for ever
            continue;
        }
        oracle.acknowledged.extend(&batch);
        let duplicates = answer.split("\"duplicates\":").nth(1).and_then(|text| text.split(',').next());
        oracle.raw_duplicates += duplicates.and_then(|n| n.parse::<u64>().ok()).unwrap();
    }
}

/// Kills it so many times, under load through `front`; how often a request was under way.
fn kill(rounds: usize, place: &Place, oracle: &Mutex<Oracle>, front: fn(SocketAddr) -> Front) -> usize {
    let mut dice = Dice(rounds as u64);
    let mut unanswered: [Option<Vec<EntryId>>; 4] = Default::default();
    let mut under_way = 0;
    for _ in 0..rounds {
        let process = place.serve();
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

pub(super) fn look(process: &Process, oracle: &Oracle) -> Found {
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

/// Kills it under load, and prints what came of it under these names.
fn survives(place: &Place, name: &str) {
    let oracle = Mutex::new(Oracle::default());
    let rounds = times(20, 200);
    let under_way = kill(rounds, place, &oracle, Front::none);
    let oracle = oracle.into_inner().unwrap();
    let found = look(&place.serve(), &oracle);
    let figure =
        |what: &str, value: &dyn std::fmt::Display, unit| figure(&format!("{name}.{what}"), value, unit);
    figure("kills", &rounds, "count");
    figure("kills_with_requests_under_way", &under_way, "count");
    figure("acknowledged", &oracle.acknowledged.len(), "entries");
    figure("raw_duplicates", &oracle.raw_duplicates, "entries");
    figure("missing", &found.missing, "entries");
    figure("spurious", &found.spurious, "entries");
    figure("corrupted", &found.corrupted, "entries");
    figure("stored_twice", &found.stored_twice, "entries");
    figure("bound_per_kill", &bound(rounds), "probability");
    assert!(under_way * 2 > rounds, "{under_way} of {rounds} kills met a request");
    assert_eq!(oracle.refused, [""; 0]);
    assert_eq!(found, Found::default());
}

#[test]
fn what_was_acknowledged_survives_every_kill() {
    let place = Place { directory: TempDir::new(), store: None };
    survives(&place, "collector_kill");
    for file in std::fs::read_dir(place.directory.path()).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "db") {
            let connection = rusqlite::Connection::open(&file).unwrap();
            let word: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(word, "ok", "{}", file.display());
        }
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill_on_postgresql() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let place = Place { directory: TempDir::new(), store: Some(cluster.database()) };
    survives(&place, "collector_kill_postgresql");
}

#[test]
fn the_oracle_sees_a_collector_that_acknowledges_before_it_commits() {
    let place = Place { directory: TempDir::new(), store: None };
    let oracle = Mutex::new(Oracle::default());
    kill(3, &place, &oracle, Front::broken_ack_before_commit);
    let found = look(&place.serve(), &oracle.into_inner().unwrap());
    figure("collector_kill.control_missing", found.missing, "entries");
    assert!(found.missing > 0, "the control stays green: {found:?}");
}

/// What stands before the collector.
pub(super) struct Front {
    pub(super) address: SocketAddr,
}

impl Front {
    pub(super) fn none(collector: SocketAddr) -> Self {
        Self { address: collector }
    }

    /// Acknowledges every batch by itself and hands it on afterwards.
    pub(super) fn broken_ack_before_commit(collector: SocketAddr) -> Self {
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
