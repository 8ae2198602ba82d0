//! What each destination costs: records from the queue through the worker to where they go, per core. What the producer
//! spends is taken off.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use hoplog::{Batch, Client, Console, Delivery, Destination, LineFormat, LogFile, Output};
use hoplog_bench::{figure, process_cpu, record, thread_cpu};

/// What fits the queue.
const AT_ONCE: usize = 10_000;
const ROUNDS: usize = 8;
const LONG: Duration = Duration::from_secs(60);

/// Looks at each entry and lets it go.
struct Own(usize);

impl Destination for Own {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        self.0 += batch.entries().filter(|entry| entry.status() == Some(200)).count();
        Delivery::Delivered
    }
}

fn main() {
    let records: Vec<Vec<u8>> = (0..1_000).map(record).collect();
    // The console is this process's standard output, where figures go: it is measured in a process of its own.
    if let Some(form) = std::env::args().find_map(|a| a.strip_prefix("console=").map(ToOwned::to_owned)) {
        let console = if form == "text" { Console::Text } else { Console::Json };
        eprint!("{}", measure(&records, Output::from(console)));
        return;
    }
    let path = std::env::temp_dir().join(format!("hoplog-bench-{}", std::process::id()));
    for (name, format) in [("json", LineFormat::Json), ("text", LineFormat::Text), ("ecs", LineFormat::Ecs)] {
        let rate = measure(&records, LogFile::new(&path).format(format).into());
        figure(&format!("file_{name}.entries_per_s"), rate, "1/s");
        std::fs::remove_file(&path).expect("the file was written");
    }
    figure("file_rotated.entries_per_s", rotated(&records, &path), "1/s");
    for form in ["text", "json"] {
        figure(&format!("console_{form}.entries_per_s"), in_a_process(form), "1/s");
    }
    figure("own.entries_per_s", measure(&records, Output::own(Own(0))), "1/s");
    let picky = Output::own(Own(0)).filter(|entry| entry.status() != Some(200));
    figure("filtered_out.entries_per_s", measure(&records, picky), "1/s");
}

/// JSON lines in files of 4 MiB, of which one stays.
fn rotated(records: &[Vec<u8>], path: &PathBuf) -> f64 {
    let rate = measure(records, LogFile::new(path).max_bytes(4 << 20).keep(1).into());
    let directory = path.parent().expect("it is in one");
    let name = path.file_name().and_then(|name| name.to_str()).expect("it has one").to_owned();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        if entry.file_name().to_str().is_some_and(|other| other.starts_with(&name)) {
            std::fs::remove_file(entry.path()).expect("the file was written");
        }
    }
    rate
}

fn in_a_process(form: &str) -> f64 {
    let itself = std::env::current_exe().expect("this program");
    let output = Command::new(itself)
        .arg(format!("console={form}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("this program runs");
    String::from_utf8_lossy(&output.stderr).trim().parse().expect("a figure")
}

/// Entries per second of CPU time that is not the producer's; the best of several rounds, as a machine only adds time.
fn measure(records: &[Vec<u8>], output: Output) -> f64 {
    let client = Client::builder()
        .without_variables()
        .without_collector()
        .queue_bytes(64 << 20)
        .destination(output)
        .build()
        .expect("a client");
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let (all, own) = (process_cpu(), thread_cpu());
        for i in 0..AT_ONCE {
            assert!(hoplog::bench::push(&client, &records[i % records.len()]), "the queue takes it");
        }
        let report = client.flush_blocking(LONG).expect("open");
        let spent = (process_cpu() - all).saturating_sub(thread_cpu() - own);
        assert_eq!((report.left, report.dropped), (0, 0));
        best = best.min(spent.as_secs_f64());
    }
    AT_ONCE as f64 / best
}
