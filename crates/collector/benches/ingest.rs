//! What the collector takes in, end to end: `hoplog serve` on a disk, fed with gzip batches of 1 000 entries over
//! several connections by a sender on the same machine, each batch acknowledged after its commit. Once into SQLite, once
//! into a PostgreSQL of its own (with its disk, as installed) with each set of indexes, where there is one.
//!
//! `cargo bench -p hoplog-collector --bench ingest -- [--only sqlite|postgresql|postgresql_lean] [--batches 300]
//! [--connections 8] [--rate ENTRIES_PER_S] [--dir DIR]`

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench, not a part of anything")]

use hoplog_testdb::{Cluster, Sync};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const ENTRIES: usize = 1_000;

/// A child that does not outlive the bench.
struct Collector(Child);

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is asked for.
struct Plan {
    batches: usize,
    connections: usize,
    /// Entries per second; 0 is as fast as they are taken.
    rate: usize,
    directory: PathBuf,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).map(String::as_str)
    };
    let number = |name: &str, default: usize| option(name).map_or(default, |text| text.parse().unwrap());
    let directory = option("--dir").map_or_else(std::env::temp_dir, PathBuf::from);
    let plan = Plan {
        batches: number("--batches", 300),
        connections: number("--connections", 8),
        rate: number("--rate", 0),
        directory: directory.join(format!("hoplog-bench-{}", std::process::id())),
    };
    let only = option("--only");
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("sqlite") {
        let size = |_: &Path| {
            let files = std::fs::read_dir(&plan.directory).unwrap();
            files.map(|f| f.unwrap().metadata().unwrap().len()).sum()
        };
        measure("collector", &plan, &[], None, size);
    }
    for (name, prefix, indexes) in [
        ("postgresql", "collector.postgresql", "queries"),
        ("postgresql_lean", "collector.postgresql_lean", "lean"),
    ] {
        if !wanted(name) {
            continue;
        }
        let Some(cluster) = Cluster::start(Sync::On) else { return };
        let url = cluster.database();
        let size = |_: &Path| {
            let sizes = "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'logs'::regclass";
            cluster.sql(&url, sizes).parse().unwrap()
        };
        let arguments = ["--store", &url, "--postgres-indexes", indexes];
        measure(prefix, &plan, &arguments, Some(&cluster), size);
    }
}

fn measure(
    prefix: &str,
    plan: &Plan,
    arguments: &[&str],
    cluster: Option<&Cluster>,
    size: impl Fn(&Path) -> u64,
) {
    let bodies: Vec<Vec<u8>> = (0..plan.batches).map(body).collect();
    let wire: usize = bodies.iter().map(Vec::len).sum();
    let entries = plan.batches * ENTRIES;
    let mut child = Command::new(env!("CARGO_BIN_EXE_hoplog"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", plan.directory.to_str().unwrap()])
        .args(arguments)
        .env_remove("HOPLOG_API_KEY")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let collector = Collector(child);
    let address = line.trim().strip_prefix("hoplog listens on http://").unwrap().to_owned();

    let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let server = || cluster.map_or(0.0, |cluster| family_cpu_seconds(cluster.pid()));
    let (before, before_server) = (cpu_seconds(collector.0.id()), server());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..plan.connections {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(&address).unwrap();
                stream.set_nodelay(true).unwrap();
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    let Some(body) = bodies.get(n) else { break };
                    // A batch that is late is late from the moment it was due: nothing is hidden by waiting.
                    let due = match plan.rate {
                        0 => Instant::now(),
                        rate => began + Duration::from_secs_f64((n * ENTRIES) as f64 / rate as f64),
                    };
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    send(&mut stream, body);
                    times.lock().unwrap().push(due.elapsed());
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(collector.0.id()) - before;
    let cpu_server = server() - before_server;
    let memory = peak_memory_mib(collector.0.id());
    let mut times = times.into_inner().unwrap();
    times.sort_unstable();
    let percentile = |p: usize| times[(times.len() - 1) * p / 100].as_secs_f64() * 1e3;
    drop(collector);
    let disk: u64 = size(&plan.directory);
    // One that keeps its entries elsewhere may have made none.
    let _ = std::fs::remove_dir_all(&plan.directory);

    let n = entries as f64;
    println!("FIGURE {prefix}.entries_per_s {:.0} 1/s", n / took);
    println!("FIGURE {prefix}.cpu_us_per_entry {:.2} us", cpu * 1e6 / n);
    if cluster.is_some() {
        println!("FIGURE {prefix}.server_cpu_us_per_entry {:.2} us", cpu_server * 1e6 / n);
    }
    println!("FIGURE {prefix}.ack_p50_ms {:.1} ms", percentile(50));
    println!("FIGURE {prefix}.ack_p99_ms {:.1} ms", percentile(99));
    println!("FIGURE {prefix}.disk_bytes_per_entry {:.0} B", disk as f64 / n);
    println!("FIGURE {prefix}.wire_bytes_per_entry {:.0} B", wire as f64 / n);
    println!("FIGURE {prefix}.peak_rss_mib {memory:.0} MiB");
}

/// One batch on its way, and the word that it is stored.
fn send(stream: &mut TcpStream, body: &[u8]) {
    let head = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.ends_with(b"}") {
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "closed: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..n]);
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"accepted\":1000"), "{answer}");
}

/// A thousand requests of a shop, about 530 bytes of JSON each.
fn body(batch: usize) -> Vec<u8> {
    let mut plain = String::from(r#"{"logs":["#);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for n in 0..ENTRIES {
        let at = now + Duration::from_micros((batch * ENTRIES + n) as u64);
        let id = hoplog_entry::EntryId::generate(at.as_millis() as u64);
        let (trace, span) = (hoplog_entry::TraceId::generate(), hoplog_entry::SpanId::generate());
        let mixed = (batch * ENTRIES + n).wrapping_mul(2_654_435_761) >> 7;
        let (status, level) = match mixed % 40 {
            0 => (500, "ERROR"),
            1..=3 => (404, "WARN"),
            _ => (200, "INFO"),
        };
        if n > 0 {
            plain.push(',');
        }
        plain.push_str(&format!(
            r#"{{"id":"{id}","kind":"request","created_at":{}.{:06},"level":"{level}","message":"GET /api/v1/users/{{id}}/orders {status}","service":"shop","environment":"production","service_version":"v1.2.3","method":"GET","path":"/api/v1/users/{}/orders","route":"/api/v1/users/{{id}}/orders","query":"status=open&limit=20","status_code":{status},"outcome":"completed","duration_ms":{}.{:03},"ttfb_ms":0.{:03},"response_size":{},"ip":"203.0.113.{}","user_agent":"Mozilla/5.0 (X11; Linux x86_64)","trace_id":"{trace}","span_id":"{span}"}}"#,
            at.as_secs(),
            at.subsec_micros(),
            mixed % 10_000,
            mixed % 90,
            mixed % 1_000,
            mixed % 997,
            mixed % 5_000,
            mixed % 250,
        ));
    }
    plain.push_str("]}");
    if batch == 0 {
        println!("{} bytes of JSON per entry", plain.len() / ENTRIES);
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// User and system time of a process: fields 14 and 15 of `/proc/PID/stat` (proc(5)), in ticks of 10 ms.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// The same of a process and all that it started.
fn family_cpu_seconds(pid: u32) -> f64 {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let all = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let family = all.filter(|one| *one == pid || parent(*one) == Some(pid));
    // One that ended since has nothing to say.
    family.filter(|one| Path::new(&format!("/proc/{one}/stat")).exists()).map(cpu_seconds).sum()
}

fn peak_memory_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
