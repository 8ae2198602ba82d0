//! What the disk costs: waiting for an entry to be on it, beside the device's own sync in the same run, and starting with a
//! backlog.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hoplog::{Client, Durability, Spool};
use hoplog_bench::figure;

const CALLS: usize = 200;
/// Who wait for the disk at the same time, and for how long they do.
const WAITING: usize = 2_000;
const ROUNDS: usize = 25;
const BACKLOG: usize = 256 << 20;
/// How long a group waits for others.
const GROUP_MS: f64 = 5.0;

fn main() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("durable-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        // In turns, so that both see the same disk.
        let (mut device, mut calls) = (Vec::new(), Vec::new());
        let probe = File::create(dir.join("probe")).expect("a file");
        let client = client(&nobody(), &dir.join("calls"), Durability::Spool);
        for i in 0..CALLS {
            let begun = Instant::now();
            probe.write_all_at(&[7; 512], i as u64 * 512).expect("a write");
            probe.sync_data().expect("a sync");
            device.push(begun.elapsed());
            let begun = Instant::now();
            client.info("an entry").field("i", i).durable().await.expect("a disk");
            calls.push(begun.elapsed());
        }
        let (device, durable) = (median(&mut device), median(&mut calls));
        figure("device.fdatasync_p50_ms", device, "ms");
        figure("durable.p50_ms", durable, "ms");
        assert!(
            durable <= GROUP_MS + 1.5 * device,
            "durable() takes longer than its group and the device allow"
        );

        let begun = Instant::now();
        for _ in 0..ROUNDS {
            let waiting: Vec<_> =
                (0..WAITING).map(|i| client.info("an entry").field("i", i).durable()).collect();
            for one in waiting {
                one.await.expect("a disk");
            }
        }
        let per_second = (ROUNDS * WAITING) as f64 / begun.elapsed().as_secs_f64();
        figure("durable.entries_per_s", per_second, "1/s");
        assert!(per_second >= 25_000.0, "too few durable entries per second");
        drop(client);
        let first_send = first_send(&dir.join("start")).await;
        figure("spool.first_send_ms", first_send, "ms");
        assert!(first_send <= 500.0, "a backlog holds up the first send");
    });
    std::fs::remove_dir_all(&dir).expect("what was made");
}

fn client(address: &str, dir: &Path, durability: Durability) -> Client {
    let builder = Client::builder().without_variables().endpoint(format!("http://{address}"));
    builder.spool(Spool::new(dir).leave_free(0)).durability(durability).build().expect("a client")
}

/// An address of loopback where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it is bound").to_string()
}

/// From the building of a client with a large backlog to its first bytes at the server.
async fn first_send(dir: &Path) -> f64 {
    let text = "x".repeat(64 << 10);
    let writer = client(&nobody(), dir, Durability::WriteThrough);
    for _ in 0..BACKLOG / (text.len() * 16) {
        let waiting: Vec<_> = (0..16).map(|_| writer.info(&text).durable()).collect();
        for one in waiting {
            one.await.expect("a disk");
        }
    }
    writer.shutdown(Duration::from_millis(200)).await;
    drop(writer);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let begun = Instant::now();
    let reader = client(&address, dir, Durability::Spool);
    let (mut stream, _) = listener.accept().expect("a connection");
    std::io::Read::read_exact(&mut stream, &mut [0; 64]).expect("a request");
    let took = begun.elapsed();
    reader.shutdown(Duration::ZERO).await;
    took.as_secs_f64() * 1_000.0
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}
