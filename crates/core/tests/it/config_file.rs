//! A client that is configured by a file, and told to read it again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hoplog::{Client, Output, Reloaded};
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scripted::{Answer, Scripted};

use crate::support::{LONG, send};

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{name}"));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn configure(&self, text: &str) -> PathBuf {
        let path = self.0.join("hoplog.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn lines(&self, name: &str) -> usize {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default().lines().count()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn build(path: PathBuf) -> Client {
    Client::builder().without_variables().config_file(path).build().unwrap()
}

fn reload(client: &Client) -> Result<Reloaded, hoplog::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.reload())
}

fn flushed(client: &Client) {
    assert_eq!(client.flush_blocking(LONG).unwrap().left, 0);
}

/// Name, accepted, delivered, filtered.
fn counts(client: &Client) -> Vec<(String, u64, u64, u64)> {
    let mut all = Vec::new();
    for d in client.stats().destinations {
        assert_eq!(
            d.accepted,
            d.delivered + d.dropped.total() + d.filtered + d.queued + d.in_flight,
            "{d:?}"
        );
        all.push((d.name, d.accepted, d.delivered, d.filtered));
    }
    all
}

fn counted(expected: &[(&str, u64, u64, u64)]) -> Vec<(String, u64, u64, u64)> {
    expected.iter().map(|(name, a, d, f)| ((*name).to_owned(), *a, *d, *f)).collect()
}

#[test]
fn code_goes_before_the_file_and_the_files_destinations_come_on_top() {
    let scratch = Scratch::new("order");
    let collector = Scripted::start([]);
    let path = scratch.configure(&format!(
        "service = \"from-file\"\nenvironment = \"from-file\"\n[collector]\nendpoint = \"{}\"\nmin_level = \"info\"\n\
         [[destination]]\nkind = \"file\"\npath = \"{}\"\nmin_level = \"warn\"\n",
        collector.url(),
        scratch.path("a.jsonl")
    ));
    let client = Client::builder()
        .without_variables()
        .service("from-code")
        .destination(hoplog::LogFile::new(scratch.path("b.jsonl")))
        .config_file(path)
        .build()
        .unwrap();
    client.debug("quiet").send();
    client.warn("loud").send();
    flushed(&client);
    assert_eq!(counts(&client), counted(&[("collector", 2, 1, 1), ("file", 2, 2, 0), ("file-2", 2, 1, 1)]));
    let entry: serde_json::Value =
        serde_json::from_str(std::fs::read_to_string(scratch.path("a.jsonl")).unwrap().trim()).unwrap();
    assert_eq!((&entry["service"], &entry["environment"]), (&"from-code".into(), &"from-file".into()));
}

#[test]
fn a_wrong_file_is_refused_with_its_lines_and_a_missing_one_by_name() {
    let scratch = Scratch::new("wrong");
    let path = scratch.configure("service = 1\n\n[collector]\nendpont = \"x\"\n");
    let error = Client::builder().without_variables().config_file(&path).build().unwrap_err();
    assert!(error.is_config());
    assert!(error.complaints()[0].contains("hoplog.toml:1: `service`"), "{error}");
    assert!(error.complaints()[1].contains("hoplog.toml:4: unknown key `endpont`"), "{error}");
    let error = Client::from_file(scratch.0.join("missing.toml")).unwrap_err();
    assert!(error.to_string().contains("missing.toml cannot be read"), "{error}");
}

#[test]
fn a_reload_begins_ends_replaces_and_filters_and_every_entry_is_counted_for_whom_it_was_meant() {
    let scratch = Scratch::new("reload");
    let collector = Scripted::start([]);
    let file = |name: &str, more: &str| {
        format!(
            "[[destination]]\nkind = \"file\"\nname = \"{name}\"\npath = \"{}\"\n{more}\n",
            scratch.path(name)
        )
    };
    let head = |log: &str| format!("log = \"{log}\"\n[collector]\nendpoint = \"{}\"\n", collector.url());
    let path = scratch.configure(&(head("info") + &file("a", "") + &file("b", "")));
    let client = build(path);
    assert_eq!(reload(&client).unwrap(), Reloaded::default(), "nothing has changed");

    client.debug("below the level").send();
    send(&client, 3);
    flushed(&client);
    // `a` stays but takes less, `b` changes its format, `c` is new.
    scratch.configure(
        &(head("debug")
            + &file("a", "min_level = \"warn\"")
            + &file("b", "format = \"text\"")
            + &file("c", "")),
    );
    let report = reload(&client).unwrap();
    assert_eq!((report.begun, report.ended), (vec!["b".to_owned(), "c".into()], vec!["b".to_owned()]));
    assert!(report.needs_restart.is_empty());
    client.debug("above it now").send();
    send(&client, 1);
    flushed(&client);
    assert_eq!(
        counts(&client),
        counted(&[("collector", 5, 5, 0), ("a", 5, 3, 2), ("b", 5, 5, 0), ("c", 2, 2, 0)])
    );
    assert_eq!((scratch.lines("a"), scratch.lines("b"), scratch.lines("c")), (3, 5, 2));

    // `c` goes, and what is no longer there keeps its counts.
    scratch.configure(&(head("debug") + &file("a", "") + &file("b", "format = \"text\"")));
    assert_eq!(reload(&client).unwrap().ended, ["c"]);
    send(&client, 2);
    flushed(&client);
    assert_eq!(
        counts(&client),
        counted(&[("collector", 7, 7, 0), ("a", 7, 5, 2), ("b", 7, 7, 0), ("c", 2, 2, 0)])
    );

    // It comes back, and goes on counting; what waited when the others went was theirs.
    send(&client, 1);
    scratch.configure(&(head("debug") + &file("a", "") + &file("c", "")));
    reload(&client).unwrap();
    send(&client, 1);
    flushed(&client);
    assert_eq!(
        counts(&client),
        counted(&[("collector", 9, 9, 0), ("a", 9, 7, 2), ("b", 8, 8, 0), ("c", 3, 3, 0)])
    );
    assert_eq!(client.stats().lost(), 0);
    assert_eq!(collector.entries().len(), 9);
}

#[test]
fn what_is_logged_while_the_file_is_read_again_arrives_all_the_same() {
    let scratch = Scratch::new("traffic");
    let text = |format: &str| {
        let path = scratch.path("a");
        format!(
            "overflow = \"20s\"\n[collector]\nenabled = false\n[[destination]]\nkind = \"file\"\npath = \"{path}\"\nformat = \"{format}\"\n"
        )
    };
    let client = build(scratch.configure(&text("json")));
    let (logging, done) = (client.clone(), Arc::new(AtomicBool::new(false)));
    let (until, began) = (Arc::clone(&done), Arc::new(AtomicUsize::new(0)));
    let begin = Arc::clone(&began);
    let traffic = std::thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            // It waits for room, and tells of no loss.
            logging.info("x").try_send().unwrap();
            begin.fetch_add(1, Ordering::Relaxed);
        }
    });
    for format in ["text", "json", "ecs", "wrong", "text", "json"] {
        let before = began.load(Ordering::Relaxed);
        while began.load(Ordering::Relaxed) == before {
            std::thread::yield_now();
        }
        scratch.configure(&text(format));
        match reload(&client) {
            Ok(report) => assert_eq!(report.begun, ["file"]),
            Err(error) => assert_eq!(format, "wrong", "{error}"),
        }
    }
    done.store(true, Ordering::Relaxed);
    traffic.join().unwrap();
    flushed(&client);
    let (sent, dropped) = (began.load(Ordering::Relaxed), client.stats().destinations[0].dropped.total());
    assert_eq!(dropped, 0);
    assert_eq!(counts(&client), counted(&[("file", sent as u64, sent as u64, 0)]));
    assert_eq!(scratch.lines("a"), sent);
}

#[test]
fn a_reload_of_a_wrong_file_changes_nothing() {
    let scratch = Scratch::new("refused");
    let good = format!(
        "[collector]\nenabled = false\n[[destination]]\nkind = \"file\"\npath = \"{}\"\n",
        scratch.path("a")
    );
    let client = build(scratch.configure(&good));
    scratch.configure(&good.replace("path", "pfad"));
    let error = reload(&client).unwrap_err();
    assert_eq!(error.complaints().len(), 2, "{error}");
    send(&client, 2);
    flushed(&client);
    assert_eq!(counts(&client), counted(&[("file", 2, 2, 0)]));
    scratch.configure(&good);
    assert_eq!(reload(&client).unwrap(), Reloaded::default());
}

#[test]
fn what_acts_at_the_start_only_is_reported_and_destinations_in_code_stay() {
    let scratch = Scratch::new("restart");
    let collector = Scripted::start([]);
    let text = |service: &str, endpoint: &str| {
        format!("service = \"{service}\"\n[collector]\nendpoint = \"{endpoint}\"\n")
    };
    let path = scratch.configure(&text("a", &collector.url()));
    let client = Client::builder()
        .without_variables()
        .config_file(&path)
        .destination(Output::from(hoplog::LogFile::new(scratch.path("code"))).filter(|_| true))
        .build()
        .unwrap();
    scratch.configure(&(text("b", "http://127.0.0.1:9") + "max_events_per_request = 5\n"));
    // The last line belongs to `[collector]`, which has no such key.
    assert!(reload(&client).is_err());
    scratch.configure(&("batch_size = 5\n".to_owned() + &text("b", "http://127.0.0.1:9")));
    let report = reload(&client).unwrap();
    assert_eq!(report.needs_restart, ["batch_size", "collector.endpoint", "service"]);
    assert!(report.begun.is_empty() && report.ended.is_empty(), "{report:?}");
    send(&client, 1);
    flushed(&client);
    assert_eq!((collector.entries().len(), scratch.lines("code")), (1, 1));
}

#[test]
fn a_client_without_a_file_has_nothing_to_read_again() {
    let scratch = Scratch::new("none");
    let client =
        Client::builder().without_variables().without_collector().file(scratch.path("a")).build().unwrap();
    let error = reload(&client).unwrap_err();
    assert!(error.to_string().contains("config_file"), "{error}");
    assert!(reload(&Client::disabled()).is_ok());
}

#[test]
fn a_shutdown_waits_for_a_destination_that_a_reload_sent_away() {
    let scratch = Scratch::new("leaving");
    let gate = Gate::default();
    let stored = || Answer::body("{\"status\":\"ok\"}");
    let server = Scripted::start([stored().behind(&gate)]);
    let file = format!("[[destination]]\nkind = \"file\"\npath = \"{}\"\n", scratch.path("a.jsonl"));
    let goes = format!("[[destination]]\nkind = \"log_collector\"\nendpoint = \"{}\"\n", server.url());
    let path = scratch.configure(&format!("{file}{goes}"));
    let client = Client::builder().without_variables().without_collector().config_file(path).build().unwrap();
    send(&client, 3);
    client.flush_blocking(Duration::ZERO).unwrap();
    scratch.configure(&file);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Nobody stays to see how the change goes.
        tokio::select! { biased; _ = client.reload() => unreachable!("it waits"), () = gate.arrival() => {} }
        let mut shutdown = std::pin::pin!(client.shutdown(LONG));
        let soon = tokio::time::timeout(Duration::from_millis(100), &mut shutdown).await;
        assert!(soon.is_err(), "it did not wait: {soon:?}");
        gate.open();
        let report = shutdown.await;
        assert_eq!((report.left, report.dropped), (0, 0));
    });
    assert_eq!(counts(&client), counted(&[("file", 3, 3, 0), ("log_collector", 3, 3, 0)]));
}
