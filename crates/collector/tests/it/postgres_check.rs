//! `hoplog store check` on PostgreSQL: what is spoiled is named, and what is whole is not.

use crate::process::hoplog;
use hoplog_collector::{Collector, Config};
use hoplog_testdb::{Cluster, Sync};
use std::collections::BTreeMap;
use std::io::{Seek as _, SeekFrom, Write as _};

use crate::support::{RUNTIME, TempDir, request};

/// Its exit code, and what it says of each part.
fn check(url: &str) -> (i32, BTreeMap<String, String>) {
    let output = hoplog(&["store", "check", "--store", url]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.lines().map(|line| line.split_once(' ').unwrap());
    let said: BTreeMap<String, String> =
        said.map(|(part, said)| (part.to_owned(), said.to_owned())).collect();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), said)
}

/// A collector of this very day takes a few entries, and ends.
fn fill(url: &str) {
    let directory = TempDir::new();
    let config =
        Config::default().listen("127.0.0.1:0".parse().unwrap()).data_dir(directory.path()).store(url);
    let running = RUNTIME.block_on(Collector::start(config)).unwrap();
    let logs: Vec<String> =
        (0..2_000).map(|n| format!(r#"{{"message":"m{n}","metadata":{{"n":{n}}}}}"#)).collect();
    let body = format!(r#"{{"logs":[{}]}}"#, logs.join(","));
    let headers = [("content-type", "application/json")];
    let answer = request(running.local_addr(), "POST", "/logs", &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    RUNTIME.block_on(running.shutdown());
}

#[test]
fn each_thing_that_is_spoiled_is_named_with_what_to_do() {
    let Some(cluster) = Cluster::start(Sync::On) else { return };
    let url = cluster.database();
    let (code, said) = check(&url);
    assert!(code == 1 && said["layout"].contains("hoplog has no tables here"), "{said:?}");
    fill(&url);
    let (code, said) = check(&url);
    assert_eq!(code, 0, "{said:?}");
    assert!(said.len() >= 7 && said.values().all(|said| said == "ok"), "{said:?}");
    let today = cluster.sql(&url, "SELECT 'logs_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')");
    let ahead =
        cluster.sql(&url, "SELECT 'logs_' || to_char(now() AT TIME ZONE 'UTC' + '2 days', 'YYYYMMDD')");
    let index = cluster.sql(
        &url,
        &format!("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = '{today}'::regclass AND NOT indisunique LIMIT 1"),
    );
    let mut cases = 0;
    let mut spoiled = |part: &str, spoil: &str, words: &str, mend: &str| {
        cluster.sql(&url, spoil);
        let (code, said) = check(&url);
        assert!(code == 1 && said[part].contains(words), "{spoil}: {said:?}");
        assert_eq!(said.values().filter(|said| *said != "ok").count(), 1, "{spoil}: {said:?}");
        if !mend.is_empty() {
            cluster.sql(&url, mend);
            assert_eq!(check(&url).0, 0, "{mend}");
        }
        cases += 1;
    };
    spoiled(
        "layout",
        "INSERT INTO log_layouts VALUES (1000)",
        "run the newer one",
        "DELETE FROM log_layouts WHERE version = 1000",
    );
    spoiled(
        &today,
        &format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass"),
        "is not valid: REINDEX INDEX",
        &format!("REINDEX INDEX {index}"),
    );
    spoiled(
        &today,
        "UPDATE logs SET level = 'LOUD' WHERE message = 'm1'",
        "1 of its 2000 entries have a level that is none",
        "UPDATE logs SET level = 'INFO' WHERE message = 'm1'",
    );
    spoiled(
        &today,
        "UPDATE logs SET ended = true WHERE message = 'm1'",
        "were never open",
        "UPDATE logs SET ended = NULL",
    );
    spoiled(
        &today,
        "SELECT setval('log_groups', 1)",
        "log_groups has not given yet",
        "SELECT setval('log_groups', 1000)",
    );
    spoiled(
        "keys",
        "DELETE FROM log_key_book",
        "0 rows in place of one",
        "INSERT INTO log_key_book (changes) VALUES (0)",
    );
    spoiled("days", &format!("DROP TABLE {ahead}"), "has no partition yet", "");
    fill(&url);
    let (code, said) = check(&url);
    assert_eq!(code, 0, "the next start makes it: {said:?}");
    spoiled(
        &today,
        "DELETE FROM logs WHERE message = 'm1'",
        "log_tally counts 4000 entries of project 0, there are 3998",
        "UPDATE log_tally SET entries = 3998",
    );
    cluster.set("fsync", "off");
    // The server takes it over in its own time.
    while cluster.sql(&url, "SHOW fsync") != "off" {}
    spoiled("server", "SELECT 1", "does not outlast a power cut", "");
    cluster.set("fsync", "on");
    while cluster.sql(&url, "SHOW fsync") != "on" {}
    // A page of the table, spoiled while the server is down.
    let path = cluster.sql(&url, &format!("CHECKPOINT; SELECT pg_relation_filepath('{today}')"));
    cluster.stop_immediately();
    let mut file = std::fs::OpenOptions::new().write(true).open(cluster.data().join(path)).unwrap();
    file.seek(SeekFrom::Start(8_192)).unwrap();
    file.write_all(&[0x5a; 8_192]).unwrap();
    drop(file);
    cluster.start_again();
    let (code, said) = check(&url);
    assert!(
        code == 1 && said[&today].contains("it cannot be read (") && said[&today].contains("invalid page"),
        "{said:?}"
    );
    println!("FIGURE store_check.spoiled_and_named {} cases", cases + 1);
}
