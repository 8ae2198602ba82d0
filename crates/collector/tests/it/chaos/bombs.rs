//! Bodies that are small on the wire and large once inflated, many at once.

use super::{ask, figure, post, times};
use crate::process::Process;
use crate::support::{Server, TempDir, gzip, request};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

/// MiB of memory that the process holds now (`VmRSS`), or held at most (`VmHWM`); proc(5).
fn memory(process: &Process, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

#[test]
fn bombs_at_once_cost_no_more_than_the_memory_for_bodies() {
    let directory = TempDir::new();
    let process = Process::serve(directory.path());
    assert_eq!(process.post(br#"{"logs":[{"message":"before"}]}"#).status, 200);
    let zeros = vec![b' '; 64 << 20];
    let mut zstd = zstd::Encoder::new(Vec::new(), 3).unwrap();
    zstd.write_all(&zeros).unwrap();
    let (gzip, zstd) = (gzip(&zeros), zstd.finish().unwrap());
    drop(zeros);
    let ratio = (64 << 20) / gzip.len();
    let bombs = [post("content-encoding: gzip\r\n", &gzip), post("content-encoding: zstd\r\n", &zstd)];
    let address = process.address;
    let count = times(200, 2_000);
    let before = memory(&process, "VmRSS");
    let began = Instant::now();
    let mut statuses = BTreeMap::<String, usize>::new();
    for wave in 0..count / 200 {
        std::thread::scope(|scope| {
            // From several addresses: of one no more than 64 connections are taken.
            let asked: Vec<_> = (0..200_usize)
                .map(|n| (u8::try_from(n % 10).unwrap() + 10, &bombs[(n + wave) % 2]))
                .map(|(from, bomb)| scope.spawn(move || ask(from, address, bomb)))
                .collect();
            for answer in asked {
                let answer = answer.join().unwrap();
                let status = answer.as_deref().and_then(|a| a.split(' ').nth(1)).unwrap_or("none").to_owned();
                *statuses.entry(status).or_default() += 1;
            }
        });
    }
    let (took, rise) = (began.elapsed(), memory(&process, "VmHWM") - before);
    figure("bombs.count", count, "count");
    figure("bombs.gzip_ratio", ratio, "times");
    figure("bombs.rss_rise", format!("{rise:.1}"), "MiB");
    figure("bombs.took", format!("{:.1}", took.as_secs_f64()), "s");
    for (status, n) in &statuses {
        figure(&format!("bombs.status_{status}"), n, "count");
    }
    // 503 where the memory for bodies was taken for longer than a body waits.
    assert!(statuses.keys().all(|status| ["413", "503"].contains(&status.as_str())), "{statuses:?}");
    assert!(statuses["413"] > 0);
    assert!(rise <= 64.0, "{rise:.1} MiB");
    assert_eq!(process.post(br#"{"logs":[{"message":"after"}]}"#).status, 200);
    assert_eq!(request(process.address, "GET", "/stats", &[], b"").json()["total_logs"], 2);
}

/// A count of `/metrics`, asked for with the key.
fn counted(server: &Server, name: &str) -> u64 {
    let metrics = request(server.address, "GET", "/metrics", &[("authorization", "Bearer hl_key")], b"").body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
}

#[test]
fn without_a_key_no_byte_of_a_bomb_is_inflated() {
    let server = Server::with(|config| config.api_key("hl_key"));
    let bomb = gzip(&vec![b' '; 16 << 20]);
    let count = times(100, 2_000);
    let mut statuses = BTreeMap::<String, usize>::new();
    for n in 0..count {
        let key = if n % 2 == 0 { "" } else { "authorization: Bearer hl_kez\r\n" };
        let bomb = post(&format!("content-encoding: gzip\r\n{key}"), &bomb);
        let answer = ask(u8::try_from(n % 10).unwrap() + 10, server.address, &bomb).unwrap();
        *statuses.entry(answer.split(' ').nth(1).unwrap().to_owned()).or_default() += 1;
    }
    let (received, inflated) =
        (counted(&server, "hoplog_bytes_received_total"), counted(&server, "hoplog_bytes_inflated_total"));
    figure("bombs.without_a_key", count, "count");
    figure("bombs.without_a_key_read", received, "B");
    figure("bombs.without_a_key_inflated", inflated, "B");
    assert!(statuses.keys().all(|status| ["401", "429"].contains(&status.as_str())), "{statuses:?}");
    assert!(statuses["401"] >= count.min(100), "{statuses:?}");
    assert_eq!((received, inflated), (0, 0));
    // With the key the same route does inflate: the count would have shown it.
    let body = gzip(br#"{"logs":[{"message":"x"}]}"#);
    let headers = [("authorization", "Bearer hl_key"), ("content-encoding", "gzip")];
    assert_eq!(server.post("/logs", &headers, &body).status, 200);
    assert_eq!(counted(&server, "hoplog_bytes_inflated_total"), 26);
}
