//! What is on the disk: days, retention, damage, and readers beside the writer.

use crate::support::{NOON, RUNTIME, Server, TempDir};
use hoplog_collector::{Collector, Config, DiskSpace};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

const DAY: u64 = 86_400;

fn total(server: &Server) -> u64 {
    server.get("/stats").json()["total_logs"].as_u64().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("logs-"))
        .collect();
    names.sort();
    names
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let server = Server::start();
    server.send(json!([{"message": "kept"}]));
    let directory = server.stop();
    assert_eq!(names(directory.path()), ["logs-2026-03-10.db"], "a clean end leaves no log beside the file");
    let server = Server::in_directory(directory, |config| config);
    assert_eq!(server.logs("")[0]["message"], "kept");
}

#[test]
fn retention_deletes_whole_days_by_age_and_by_bytes() {
    let directory = Arc::new(TempDir::new());
    let text = "x".repeat(100_000);
    for ago in [40, 31, 30, 2, 1, 0] {
        let server = Server::in_directory(Arc::clone(&directory), |config| {
            config
                .retention_days(365)
                .clock(move || std::time::UNIX_EPOCH + std::time::Duration::from_secs(NOON - ago * DAY))
        });
        let id = || hoplog_entry::EntryId::generate((NOON - ago * DAY) * 1000).to_string();
        server.send(json!([{"id": id(), "message": text}, {"id": id(), "message": text}]));
        server.stop();
    }
    assert_eq!(names(directory.path()).len(), 6);
    Server::in_directory(Arc::clone(&directory), |config| config).stop();
    let days = ["logs-2026-02-08.db", "logs-2026-03-08.db", "logs-2026-03-09.db", "logs-2026-03-10.db"];
    assert_eq!(names(directory.path()), days, "30 days");
    let bytes = |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().len();
    let two_days = bytes(days[2]) + bytes(days[3]);
    Server::in_directory(Arc::clone(&directory), |config| config.retention_bytes(two_days)).stop();
    assert_eq!(names(directory.path()), days[2..], "two days' bytes");
    let server = Server::in_directory(directory, |config| config.retention_bytes(0));
    assert_eq!((names(server.directory.path())[0].as_str(), total(&server)), (days[3], 2), "today stays");
}

#[test]
fn a_damaged_day_is_set_aside_and_the_rest_is_served() {
    let server = Server::start();
    let old = hoplog_entry::EntryId::generate((NOON - DAY) * 1000).to_string();
    server.send(json!([{"id": old}, {"message": "kept"}]));
    let directory = server.stop();
    std::fs::write(directory.path().join("logs-2026-03-09.db"), vec![7; 8192]).unwrap();
    std::fs::write(directory.path().join("logs-2026-03-01.db"), b"").unwrap();
    std::fs::write(directory.path().join("logs-of-mine.db"), b"left alone").unwrap();
    let server = Server::in_directory(directory, |config| config);
    assert_eq!(server.logs("")[0]["message"], "kept");
    assert_eq!(total(&server), 1);
    let set_aside = names(server.directory.path());
    assert!(set_aside.iter().any(|name| name.starts_with("logs-2026-03-09.db.damaged-")), "{set_aside:?}");
    assert_eq!(server.send(json!([{"id": old}]))["accepted"], 1, "and its day takes entries again");
}

#[test]
fn a_directory_may_be_a_link_but_a_file_may_not() {
    let (real, link) = (TempDir::new(), TempDir::new());
    let linked = link.path().join("data");
    std::os::unix::fs::symlink(real.path(), &linked).unwrap();
    let server = Server::with(|config| config.data_dir(&linked));
    assert_eq!(server.send(json!([{}]))["accepted"], 1);
    server.stop();
    let day = real.path().join("logs-2026-03-10.db");
    std::fs::rename(&day, link.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(link.path().join("elsewhere"), &day).unwrap();
    let config = Config::default().listen("127.0.0.1:0".parse().unwrap()).data_dir(real.path());
    assert!(RUNTIME.block_on(Collector::start(config)).is_err());
}

#[test]
fn a_file_of_a_newer_hoplog_is_not_touched() {
    let directory = Server::start().stop();
    let path = directory.path().join("logs-2026-03-10.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 9").unwrap();
    drop(connection);
    let config = Config::default().listen("127.0.0.1:0".parse().unwrap()).data_dir(directory.path());
    let error = RUNTIME.block_on(Collector::start(config)).unwrap_err().to_string();
    assert!(error.contains("has layout 9, this hoplog knows 5"), "{error}");
}

#[test]
fn two_collectors_never_share_a_directory() {
    let server = Server::start();
    let config = Config::default().listen("127.0.0.1:0".parse().unwrap()).data_dir(server.directory.path());
    let error = RUNTIME.block_on(Collector::start(config)).unwrap_err().to_string();
    assert!(error.contains("is in use by another collector"), "{error}");
}

#[test]
fn a_vanished_directory_is_an_error_until_it_is_back() {
    let server = Server::start();
    server.send(json!([{"message": "before"}]));
    let moved = server.directory.path().with_extension("moved");
    std::fs::rename(server.directory.path(), &moved).unwrap();
    let body = br#"{"logs":[{"message":"meanwhile"}]}"#;
    let refused = server.post("/logs", &[], body);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    assert!(refused.json()["detail"].as_str().unwrap().contains("check the data directory"), "{refused:?}");
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    std::fs::rename(&moved, server.directory.path()).unwrap();
    assert_eq!(server.post("/logs", &[], body).status, 200);
    assert_eq!((server.get("/readyz").status, total(&server)), (200, 2));
}

#[test]
fn a_day_that_breaks_while_served_is_set_aside() {
    let server = Server::start();
    server.send(json!([{"message": "before"}]));
    // Replaced under the running collector, as a careless restore does.
    let path = server.directory.path().join("logs-2026-03-10.db");
    std::fs::remove_file(&path).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(server.directory.path().join(format!("logs-2026-03-10.db{suffix}")));
    }
    std::fs::write(&path, vec![7; 8192]).unwrap();
    assert_eq!(server.send(json!([{"message": "after"}]))["accepted"], 1);
    assert_eq!(server.logs("")[0]["message"], "after");
}

#[test]
fn reads_never_block_writes() {
    let server = Server::start();
    let entry = |n: u64| json!({"message": n.to_string(), "kind": "request", "duration_ms": n, "created_at": NOON - n});
    server.send((0..5_000).map(entry).collect());
    let done = AtomicBool::new(false);
    let (reads, writes) = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut reads = 0;
                    while !done.load(Relaxed) {
                        assert_eq!(server.get("/api/v1/routes").status, 200);
                        assert_eq!(server.logs("?q=no+such+text").len(), 0);
                        reads += 2;
                    }
                    reads
                })
            })
            .collect();
        // Also with a transaction that stays open: it sees its own moment, and the writer goes on.
        let path = server.directory.path().join("logs-2026-03-10.db");
        let open =
            rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        open.execute_batch("BEGIN").unwrap();
        let count =
            || open.query_row("SELECT count(*) FROM entries", [], |row| row.get::<_, i64>(0)).unwrap();
        let seen = count();
        for n in 0..50 {
            assert_eq!(server.send(json!([entry(n)]))["accepted"], 1);
        }
        assert_eq!(count(), seen);
        done.store(true, Relaxed);
        (readers.into_iter().map(|r| r.join().unwrap()).sum::<u64>(), 50)
    });
    assert!(reads > 0, "{reads} reads beside {writes} writes");
    assert_eq!(total(&server), 5_050);
}

#[test]
fn a_query_ends_in_time() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.query_time = std::time::Duration::from_millis(1);
        config.limits(limits)
    });
    let entry = |n: u64| json!({"message": n.to_string().repeat(50), "metadata": {"k": n}});
    for _ in 0..5 {
        server.send((0..10_000).map(entry).collect());
    }
    let response = server.get("/api/v1/logs?metadata.k=-1&q=nothing");
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.json()["detail"].as_str().unwrap().contains("narrow it"), "{response:?}");
}

#[test]
fn a_long_answer_is_cut_and_says_where_to_go_on() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.answer_bytes = 100_000;
        config.limits(limits)
    });
    server.send((0..20).map(|n| json!({"message": "x".repeat(30_000), "line": n})).collect());
    let (mut lines, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = server.get(&format!("/api/v1/logs?cursor={cursor}")).json();
        lines.extend(page["logs"].as_array().unwrap().iter().map(|l| l["line"].as_u64().unwrap()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(lines, (0..20).rev().collect::<Vec<_>>());
    assert!(pages >= 5, "{pages} pages");
}

#[test]
fn at_the_floor_of_the_disk_no_entry_is_taken_while_questions_and_deletion_go_on() {
    let free = Arc::new(AtomicU64::new(50));
    let probe = Arc::clone(&free);
    let start = |directory, days| {
        let probe = Arc::clone(&probe);
        Server::in_directory(directory, move |config| {
            let measure = move |_: &Path| Ok(DiskSpace { free: probe.load(Relaxed), total: 1_000 });
            config.retention_days(days).disk_space(measure)
        })
    };
    let server = start(Arc::new(TempDir::new()), 30);
    let old = hoplog_entry::EntryId::generate((NOON - 29 * DAY) * 1000).to_string();
    assert_eq!(server.send(json!([{"message": "before"}, {"id": old}]))["accepted"], 2);

    free.store(49, Relaxed);
    let body = br#"{"logs":[{"message":"meanwhile"}]}"#;
    let refused = server.post("/logs", &[], body);
    assert_eq!(refused.status, 507, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    assert!(refused.json()["detail"].as_str().unwrap().contains("5 % of the disk"), "{refused:?}");
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    assert_eq!((server.logs("").len(), total(&server)), (2, 2));
    // Deletion by age, as at each start and every hour.
    let later = start(server.stop(), 9);
    assert_eq!(total(&later), 1);
    assert_eq!(later.post("/logs", &[], body).status, 507);

    free.store(50, Relaxed);
    assert_eq!(later.post("/logs", &[], body).status, 200);
    assert_eq!((later.get("/readyz").status, total(&later)), (200, 2));
}

#[test]
fn the_log_stays_bounded_beside_readers_that_take_turns() {
    const BOUND: u64 = 1 << 20;
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.query_time = std::time::Duration::from_millis(100);
        limits.wal_bytes = BOUND;
        config.limits(limits)
    });
    let entries =
        |from: u64| (from..from + 500).map(|n| json!({"message": format!("{n}").repeat(60)})).collect();
    for n in 0..20 {
        server.send(entries(n * 500));
    }
    let wal = server.directory.path().join("logs-2026-03-10.db-wal");
    let (done, cut) = (AtomicBool::new(false), AtomicU64::new(0));
    let (most, written) = std::thread::scope(|scope| {
        for _ in 0..4 {
            // Each reads for longer than it may, and the next one begins before the last one ends.
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let answer = server.get("/api/v1/logs?q=a&metadata.a=1&metadata.b=2&metadata.c=3");
                    cut.fetch_add(u64::from(answer.status == 503), Relaxed);
                }
            });
        }
        let mut most = 0;
        for n in 20..60 {
            server.send(entries(n * 500));
            most = most.max(std::fs::metadata(&wal).unwrap().len());
        }
        done.store(true, Relaxed);
        (most, 40 * 500)
    });
    println!("FIGURE collector.wal_most_bytes {most} B");
    println!("FIGURE collector.wal_readers_cut {} count", cut.load(Relaxed));
    assert!(cut.into_inner() > 0, "readers that were in the way");
    // One group may come on top of what is waited at: here one batch.
    assert!(most <= 2 * BOUND, "{most} bytes of log beside {written} entries written");
    assert_eq!(total(&server), 30_000);
}

#[test]
fn a_day_whose_ids_cannot_be_kept_stays() {
    let again = |server: &Server, id: &str| server.send(json!([{"id": id}]))["duplicates"].as_u64();
    let server = Server::start();
    let id = hoplog_entry::EntryId::generate((NOON - DAY) * 1000).to_string();
    server.send(json!([{"id": id}, {"message": "today"}]));
    let directory = server.stop();
    // A directory in the place of the draft: nothing can be written there.
    std::fs::create_dir(directory.path().join("ids-2026-03-09.draft")).unwrap();
    let server = Server::in_directory(Arc::clone(&directory), |config| config.retention_bytes(0));
    assert_eq!((total(&server), again(&server, &id)), (2, Some(1)));
    let directory = server.stop();
    std::fs::remove_dir(directory.path().join("ids-2026-03-09.draft")).unwrap();
    let server = Server::in_directory(directory, |config| config.retention_bytes(0));
    assert_eq!((total(&server), again(&server, &id)), (1, Some(1)));
}
