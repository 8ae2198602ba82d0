//! What is lost when a process ends, by how it ends and what it asked for. Compared with the table in `docs/delivery.md`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use hoplog::{Client, Durability};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scripted::{Answer, Scripted};

use crate::spool::{run, spooled};
use crate::support::{LONG, assert_adds_up, builder, child, destination, in_a_child, is_child, kick};

const TEST: &str = "crashes::what_a_process_loses_is_what_the_table_says";
/// Entries of each process, the last one a moment before its end.
const ENTRIES: u64 = 200;

const KINDS: [&str; 8] = [
    "panic_unwind",
    "panic_abort_with_hook",
    "panic_abort",
    "abort",
    "stack_overflow",
    "exit",
    "sigkill",
    "end",
];
const TIERS: [&str; 4] = ["memory", "spool", "write_through", "durable"];

/// The most that may be lost; the table's words as a number.
fn allowed(kind: &str, tier: &str) -> u64 {
    match (kind, tier) {
        ("panic_unwind" | "panic_abort_with_hook" | "end", _) | (_, "durable") => 0,
        // What came in the last milliseconds.
        (_, "write_through") => 1,
        _ => ENTRIES,
    }
}

fn client(url: &str, dir: &Path, tier: &str) -> Client {
    let builder = match tier {
        "memory" => builder(url),
        "spool" => spooled(url, dir),
        _ => spooled(url, dir).durability(Durability::WriteThrough),
    };
    builder.build().unwrap()
}

/// A panic that cannot unwind: the hook runs, then the process aborts, as in a program built with `panic = "abort"`.
extern "C" fn panic_and_abort() {
    panic!("as it happens");
}

#[expect(unconditional_recursion, reason = "that is the fault")]
fn overflow(depth: u64) -> u64 {
    std::hint::black_box([depth; 512]);
    overflow(std::hint::black_box(depth + 1)) + 1
}

/// What the process does: it logs, and ends.
#[expect(clippy::print_stdout, reason = "how its parent hears of it")]
fn live_and_die() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let (kind, tier) = (variable("HOPLOG_TEST_KIND"), variable("HOPLOG_TEST_TIER"));
    let client = client(&variable("HOPLOG_TEST_URL"), Path::new(&variable("HOPLOG_TEST_DIR")), &tier);
    if kind == "panic_abort_with_hook" {
        client.save_before_abort();
    }
    if tier == "durable" {
        let all: Vec<_> = (0..ENTRIES).map(|i| client.info("an entry").field("i", i).durable()).collect();
        all.into_iter().for_each(|one| assert!(run(one).is_ok()));
    } else {
        (1..ENTRIES).for_each(|i| client.info("an entry").field("i", i).send());
    }
    match tier.as_str() {
        "durable" => {}
        "write_through" => {
            fact_blocking("they are in the spool", || {
                let d = destination(&client);
                (d.spooled + d.spool_in_flight + d.delivered == ENTRIES - 1).then_some(())
            });
            client.info("the last one").send();
        }
        _ => client.info("the last one").send(),
    }
    match kind.as_str() {
        "panic_unwind" => {
            // The last handle goes with the stack.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _client = client;
                panic!("as it happens")
            }));
        }
        "panic_abort" | "panic_abort_with_hook" => panic_and_abort(),
        "abort" => std::process::abort(),
        "stack_overflow" => drop(overflow(0)),
        "exit" => std::process::exit(0),
        "sigkill" => {
            println!("ready to be killed");
            loop {
                std::thread::park();
            }
        }
        _ => drop(run(client.shutdown(LONG))),
    }
}

/// How many entries of a process are lost for good.
fn lost(kind: &str, tier: &str) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let collector = Scripted::start([]);
    let mut process = child(TEST, live_and_die)
        .env("HOPLOG_TEST_KIND", kind)
        .env("HOPLOG_TEST_TIER", tier)
        .env("HOPLOG_TEST_URL", collector.url())
        .env("HOPLOG_TEST_DIR", dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(process.stdout.take().unwrap());
    if kind == "sigkill" {
        let ready =
            told.by_ref().lines().map_while(Result::ok).any(|line| line.contains("ready to be killed"));
        assert!(ready, "{tier}");
        process.kill().unwrap();
    }
    let ended = process.wait().unwrap();
    let clean = matches!(kind, "panic_unwind" | "exit" | "end");
    assert_eq!(ended.success(), clean, "{kind} {tier}: {ended}");
    // The next start finds what there is.
    let next = client(&collector.url(), dir.path(), if tier == "memory" { "memory" } else { "spool" });
    if tier != "memory" {
        fact_blocking("what was left is delivered", || {
            kick(&next);
            let d = destination(&next);
            let idle = d.spool.is_some_and(|spool| spool.unread_bytes == 0 && spool.bytes == 0);
            (idle && d.spooled + d.in_flight == 0).then_some(())
        });
        assert_adds_up(&next);
    }
    let mut ids: Vec<_> = collector.entries().into_iter().map(|e| e["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    ENTRIES - ids.len() as u64
}

#[test]
fn what_a_process_loses_is_what_the_table_says() {
    if is_child() {
        return drop(child(TEST, live_and_die));
    }
    let of_tier = |tier: &'static str| move || KINDS.map(|kind| (kind, tier, lost(kind, tier)));
    let threads: Vec<_> = TIERS.into_iter().map(|tier| std::thread::spawn(of_tier(tier))).collect();
    let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    for (kind, tier, lost) in &all {
        println!("FIGURE crashes.{kind}.{tier}_lost {lost} of {ENTRIES}");
    }
    for (kind, tier, lost) in all {
        assert!(lost <= allowed(kind, tier), "{kind} {tier}: {lost}");
        // The control: without disk and hook it is lost.
        if allowed(kind, tier) == ENTRIES {
            assert_eq!(lost, ENTRIES, "{kind} {tier}");
        }
    }
}

#[test]
fn a_hook_that_saves_waits_no_longer_than_it_says() {
    let output = in_a_child("crashes::a_hook_that_saves_waits_no_longer_than_it_says", || {
        let gate = Gate::default();
        let collector = Scripted::start([Answer::stored().behind(&gate)]);
        let client = builder(collector.url()).build().unwrap();
        client.save_before_abort();
        client.info("without a spool, and the collector stands still").send();
        let start = Instant::now();
        let _ = std::panic::catch_unwind(|| panic!("as it happens"));
        println!("FIGURE crashes.hook_waits {} ms", start.elapsed().as_millis());
        gate.open();
    });
    let said = String::from_utf8(output.stdout).unwrap();
    let waited = said.lines().find_map(|line| line.split_once("hook_waits ")).unwrap().1;
    let waited: u64 = waited.split_once(' ').unwrap().0.parse().unwrap();
    println!("FIGURE crashes.hook_waits {waited} ms");
    assert!((450..5_000).contains(&waited), "{waited}");
}
