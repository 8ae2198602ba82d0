//! SIGTERM under load: what was answered is there, and it ends in time.

use super::{ask, figure, payload, post, times};
use crate::process::Process;
use crate::support::{TempDir, request};
use hoplog_entry::EntryId;
use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SENDERS: usize = 8;

#[test]
fn a_drain_under_load_answers_what_it_took_and_exits_0() {
    let directory = TempDir::new();
    for round in 0..times(2, 20) {
        let mut process = Process::serve(directory.path());
        let (answered, requests, stop) =
            (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicBool::new(false));
        let cut = AtomicUsize::new(0);
        let address = process.address;
        let (took, rate) = std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
                        let id = EntryId::generate(now);
                        let body =
                            json!({"logs": [{"id": id.to_string(), "message": payload(id)}]}).to_string();
                        match ask(1, address, &post("", body.as_bytes())) {
                            Some(answer) if answer.starts_with("HTTP/1.1 200") => {
                                answered.lock().unwrap().push(id)
                            }
                            Some(answer) => panic!("{answer}"),
                            None if std::net::TcpStream::connect(address).is_err() => return,
                            None => drop(cut.fetch_add(1, Relaxed)),
                        }
                        requests.fetch_add(1, Relaxed);
                    }
                });
            }
            let began = Instant::now();
            while requests.load(Relaxed) < 300 {
                std::thread::yield_now();
            }
            let rate = 300.0 / began.elapsed().as_secs_f64();
            process.signal("TERM");
            let began = Instant::now();
            assert_eq!(process.child.wait().unwrap().code(), Some(0));
            let took = began.elapsed();
            stop.store(true, Relaxed);
            (took, rate)
        });
        let answered = answered.into_inner().unwrap();
        let again = Process::serve(directory.path());
        let there = |id: &EntryId| {
            request(again.address, "GET", &format!("/api/v1/logs/{id}"), &[], b"").status == 200
        };
        let missing = answered.iter().filter(|id| !there(id)).count();
        figure("drain.requests_per_s", format!("{rate:.0}"), "1/s");
        figure("drain.answered", answered.len(), "entries");
        figure("drain.missing", missing, "entries");
        figure("drain.cut_while_it_listened", cut.load(Relaxed), "requests");
        figure("drain.took", format!("{:.2}", took.as_secs_f64()), "s");
        assert_eq!((missing, cut.into_inner()), (0, 0), "round {round}");
        assert!(took <= Duration::from_secs(30), "{took:?}");
    }
}
