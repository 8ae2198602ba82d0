//! What waits on the disk beside what comes now, and what both may take.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hoplog::{Client, Durability, NotDurable, Spool};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scripted::{Answer, Received, Scripted};
use serde_json::json;

use crate::spool::{dead, ids, run, spooled};
use crate::support::{LONG, assert_adds_up, builder, destination, in_a_child, kick};

/// Leaves so many entries in a spool.
fn leave(dir: &Path, entries: usize, text: &str) {
    let client = spooled(dead(), dir).queue_entries(1 << 20).build().unwrap();
    for _ in 0..entries {
        client.info(text).send();
    }
    let report = run(client.shutdown(Duration::from_secs(2)));
    assert_eq!((report.dropped, report.spooled), (0, entries as u64));
}

#[test]
fn live_entries_go_first_and_every_fifth_batch_comes_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    leave(dir.path(), 400, "old");
    let gate = Gate::default();
    let collector = Scripted::start((0..4).map(|_| Answer::stored().behind(&gate)));
    let client = spooled(collector.url(), dir.path()).batch_size(10).build().unwrap();
    let first = collector.wait_for(4);
    assert!(first.iter().all(|batch| batch.entries()[0]["message"] == "old"), "nothing else is there");
    for _ in 0..400 {
        client.info("new").send();
    }
    // The worker has seen all of them when it has seen this one.
    run(client.info("new").durable()).unwrap();
    kick(&client);
    (0..4).for_each(|_| gate.open());
    fact_blocking("all are delivered", || (destination(&client).delivered == 801).then_some(()));
    let old = |batch: &Received| batch.entries()[0]["message"] == "old";
    let batches = collector.received();
    assert!(
        batches.iter().all(|batch| batch.entries().iter().all(|e| (e["message"] == "old") == old(batch)))
    );
    let mixed = &batches[4..44];
    let from_disk = mixed.iter().filter(|batch| old(batch)).count();
    assert!((7..=9).contains(&from_disk), "{from_disk} of 40");
    assert_eq!(ids(&collector).len(), 801);
    assert_adds_up(&client);
}

#[test]
fn a_batch_from_the_disk_that_is_refused_goes_out_in_halves_down_to_the_entry_at_fault() {
    let dir = tempfile::tempdir().unwrap();
    let client = spooled(dead(), dir.path()).build().unwrap();
    for i in 0..40 {
        client.info(if i == 17 { "poison" } else { "an entry" }).send();
    }
    assert_eq!(run(client.shutdown(Duration::from_millis(500))).spooled, 40);
    let collector = Scripted::judging([], |request| {
        let poison = request.entries().iter().any(|entry| entry["message"] == "poison");
        if poison { Answer::status(400) } else { Answer::stored() }
    });
    let client = spooled(collector.url(), dir.path()).build().unwrap();
    let stats = fact_blocking("each has its fate", || {
        kick(&client);
        Some(destination(&client)).filter(|d| d.delivered == 39 && d.dropped.total() == 1)
    });
    assert_eq!((stats.recovered, stats.spooled), (40, 0));
    assert_adds_up(&client);
    assert_eq!(run(client.shutdown(LONG)).spooled, 0);
}

#[test]
fn a_stretch_of_losses_becomes_one_entry() {
    let gate = Gate::default();
    let collector = Scripted::start((0..4).map(|_| Answer::stored().behind(&gate)));
    let interval = Duration::from_millis(20);
    let client = builder(collector.url()).queue_bytes(1 << 20).flush_interval(interval).build().unwrap();
    let text = "x".repeat(1_000);
    fact_blocking("the queue is full", || {
        (0..100).for_each(|_| client.info(&text).send());
        (collector.received().len() == 4 && client.stats().refused.total() > 0).then_some(())
    });
    (0..4).for_each(|_| gate.open());
    let lost = client.stats().refused.total();
    let told = fact_blocking("it is told of", || {
        collector.entries().into_iter().find(|entry| entry["metadata"]["dropped"].is_number())
    });
    assert_eq!(told["message"], format!("{lost} entries were dropped"));
    assert_eq!((&told["level"], &told["metadata"]["dropped_by"]), (&json!("WARN"), &json!("queue")));
    assert_eq!(told["metadata"]["reasons"], json!({"queue_full_newest": lost}));
    for at in ["first_at", "last_at"] {
        assert!(told["metadata"][at].as_str().unwrap().ends_with('Z'), "{told}");
    }
    client.flush_blocking(LONG).unwrap();
    assert_adds_up(&client);
}

/// Bytes of this process in memory, at most so far.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_below_its_ceiling_while_the_collector_stands_still_and_the_disk_is_full_of_backlog() {
    let test = "backlog::memory_stays_below_its_ceiling_while_the_collector_stands_still_and_the_disk_is_full_of_backlog";
    in_a_child(test, || {
        let dir = tempfile::tempdir().unwrap();
        let text = "a line of text that is somewhat like others, ".repeat(40);
        let gate = Gate::default();
        let collector = Scripted::start((0..8).map(|_| Answer::stored().behind(&gate)));
        let before = peak();
        leave(dir.path(), 7_000, &text);
        let spool = Spool::new(dir.path()).leave_free(0).keep_oldest().max_bytes(17 << 20);
        let client = builder(collector.url()).spool(spool).flush_interval(Duration::from_millis(10));
        let client = client.build().unwrap();
        let ceiling = client.stats().memory_ceiling;
        assert!((20 << 20..64 << 20).contains(&ceiling), "{ceiling}");
        fact_blocking("the queue is full", || {
            (0..1_000).for_each(|_| client.info(&text).send());
            (client.stats().refused.total() > 0).then_some(())
        });
        // Threads, buffers of sockets, and what the test itself keeps of 4 batches.
        let rise = peak() - before;
        println!("FIGURE memory.rise_of_ceiling {:.2}", rise as f64 / ceiling as f64);
        assert!(rise < ceiling + (16 << 20), "{rise} of {ceiling}");
        (0..8).for_each(|_| gate.open());
        assert_adds_up(&client);
    });
}

#[test]
fn a_full_disk_is_survived_counted_and_forgotten_when_there_is_room_again() {
    let root = tempfile::tempdir().unwrap();
    let at = root.path().join("disk");
    std::fs::create_dir(&at).unwrap();
    let size = "size=1m,mode=0700";
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(&at).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        println!("SKIPPED a_full_disk_is_survived: no tmpfs can be mounted here");
        return;
    }
    let _unmount = Unmount(at.clone());
    let address = crate::support::nobody();
    let builder = spooled(format!("http://{address}"), &at.join("spool"));
    let client: Client = builder.durability(Durability::WriteThrough).build().unwrap();
    let text = "x".repeat(10_000);
    let mut sent = 0;
    let refused = fact_blocking("the disk is full", || {
        sent += 1;
        run(client.info(&text).durable()).err()
    });
    assert_eq!(refused, NotDurable::Disk);
    assert!(sent > 50, "{sent} fit");
    fact_blocking("it says so", || destination(&client).spool.filter(|spool| spool.degraded));
    assert_eq!(run(client.info("still").durable()), Err(NotDurable::Disk), "never success without a disk");
    assert_adds_up(&client);
    let (collector, begun) = (Scripted::start_on(address, []), Instant::now());
    kick(&client);
    fact_blocking("all are delivered", || {
        kick(&client);
        (destination(&client).delivered == sent + 1).then_some(())
    });
    assert_eq!(ids(&collector).len() as u64, sent + 1);
    fact_blocking("the disk is used again", || run(client.info("again").durable()).ok());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    fact_blocking("it is well again", || destination(&client).spool.filter(|spool| !spool.degraded));
    assert_eq!(destination(&client).dropped.total(), 0);
    assert_adds_up(&client);
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[cfg(feature = "toml")]
fn a_file_names_the_spool_and_a_reload_leaves_what_is_in_it_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (file, spool) = (dir.path().join("hoplog.toml"), dir.path().join("spool"));
    let configure = |kinds: &str, endpoint: &str| {
        let text = format!(
            "flush_interval = \"60s\"\ndurability = \"spool\"\n[collector]\nenabled = false\n\
             [spool]\ndir = {spool:?}\nmax_bytes = \"32MiB\"\nmax_age = \"1d\"\nleave_free = 0\n\
             [[destination]]\nkind = \"log_collector\"\nname = \"it\"\nendpoint = \"{endpoint}\"\nkinds = [{kinds}]\n"
        );
        std::fs::write(&file, text).unwrap();
    };
    configure("\"event\"", &dead());
    let client = Client::builder().without_variables().config_file(&file).build().unwrap();
    run(async {
        for _ in 0..7 {
            client.info("an entry").durable().await.unwrap();
        }
    });
    assert!(spool.join("it").is_dir(), "each destination has a folder of its own");
    let collector = Scripted::judging([], |request| {
        Answer::saying(200, format!("{{\"status\":\"ok\",\"count\":{}}}", request.entries().len()))
    });
    configure("\"event\"", &collector.url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(client.reload()).unwrap();
    assert_eq!(
        (report.begun.as_slice(), report.ended.as_slice()),
        (&["it".to_owned()][..], &["it".to_owned()][..])
    );
    let stats =
        fact_blocking("the next one delivers it", || Some(destination(&client)).filter(|d| d.delivered == 7));
    assert_eq!((stats.recovered, stats.left_behind, stats.dropped.total()), (7, 7, 0));
    assert_adds_up(&client);
    assert_eq!(run(client.shutdown(LONG)).spooled, 0);
    std::fs::write(&file, "[spool]\nmax_byte = 7\n").unwrap();
    let error = Client::builder().without_variables().config_file(&file).build().unwrap_err().to_string();
    assert!(error.contains("max_byte") && error.contains("needs `dir`"), "{error}");
}
