use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;

use hoplog_testkit::facts::fact_blocking;

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// The message in a line of JSON.
fn message(line: &str) -> &str {
    line.split("\"message\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or(line)
}

#[test]
fn while_nobody_listens_lines_go_into_the_file_and_from_there_to_whoever_listens_next() {
    let directory = tempfile::tempdir().unwrap();
    let fallback = directory.path().join("kept.jsonl");
    let server = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client(server, &fallback).unwrap();
    client.info("first").send();
    client.info("second").send();
    client.flush_blocking(LONG).unwrap();
    let kept = std::fs::read_to_string(&fallback).unwrap();
    assert_eq!(kept.lines().map(message).collect::<Vec<_>>(), ["first", "second"]);

    // The port was free a moment ago; somebody else may have taken it since.
    let listener = fact_blocking("the port is ours again", || TcpListener::bind(server).ok());
    client.info("third").send();
    client.flush_blocking(LONG).unwrap();
    let (connection, _) = listener.accept().unwrap();
    let lines = BufReader::new(connection).lines().take(3).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(lines.iter().map(|line| message(line)).collect::<Vec<_>>(), ["first", "second", "third"]);
    assert!(!fallback.exists());
    let stats = client.stats();
    assert_eq!((stats.destinations[0].delivered, stats.lost()), (3, 0));
}

#[test]
fn a_file_that_is_full_takes_no_more_and_the_client_keeps_what_comes() {
    let directory = tempfile::tempdir().unwrap();
    let fallback = directory.path().join("kept.jsonl");
    std::fs::File::create(&fallback).unwrap().set_len(lines::MOST_KEPT).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client(server, &fallback).unwrap();
    client.info("one more").send();
    assert_eq!(client.flush_blocking(Duration::from_millis(50)).unwrap().left, 1);
    assert_eq!(std::fs::metadata(&fallback).unwrap().len(), lines::MOST_KEPT);
}
