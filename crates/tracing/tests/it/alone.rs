//! What a subscriber of the whole process does; each in a process of its own, as there is one for good.

use std::fmt;
use std::process::Command;

use hoplog::testing::{Capture, capture_with};
use hoplog::{Client, ClientBuilder, DropReason, Level, Outcome, Redaction, RequestHead};
use serde_json::json;
use tracing::{debug, info, info_span, warn};
use tracing_subscriber::prelude::*;

use super::messages;

/// Runs a test of this module again, in a process without others.
fn alone(test: &str, run: fn()) {
    const HERE: &str = "HOPLOG_TEST_ALONE";
    if std::env::var_os(HERE).is_some() {
        return run();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", &format!("alone::{test}")]).env(HERE, "1").output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success() && said[0].contains("1 passed"), "{}", said.concat());
}

/// A client, and the subscriber of this process.
fn global(with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Capture {
    let capture = capture_with(with(Client::builder().service("test"))).unwrap();
    tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client())).init();
    capture
}

#[test]
fn what_nobody_takes_costs_no_more_than_a_look() {
    alone("what_nobody_takes_costs_no_more_than_a_look", || {
        let capture = global(|b| b.min_level(Level::Info).min_level_of("noisy", Level::Fatal));
        assert_eq!(tracing::level_filters::LevelFilter::current(), tracing::level_filters::LevelFilter::INFO);
        let mut read = 0;
        let mut one_more = || {
            read += 1;
            read
        };
        debug!(read = one_more(), "below the level");
        warn!(target: "noisy", read = one_more(), "by its target");
        info!(target: "hoplog::worker", read = one_more(), "hoplog's own");
        info!(read = one_more(), "taken");
        let muted = info_span!(target: "noisy", "muted", read = one_more());
        assert!(muted.is_disabled());
        assert_eq!(read, 1, "values of what is not taken are not even made");
        assert_eq!(messages(&capture.entries()), ["taken"]);
    });
}

#[test]
fn a_disabled_client_wants_nothing() {
    alone("a_disabled_client_wants_nothing", || {
        tracing_subscriber::registry().with(hoplog_tracing::layer(Client::disabled())).init();
        assert!(!tracing::enabled!(tracing::Level::ERROR) && tracing::error_span!("s").is_disabled());
        tracing::error!("nothing");
    });
}

#[test]
fn a_subscriber_for_good_does_not_keep_the_client_alive() {
    alone("a_subscriber_for_good_does_not_keep_the_client_alive", || {
        let client = global(|b| b).client();
        info!("before");
        let weak = client.downgrade();
        assert!(weak.is_alive());
        drop(client);
        assert!(!weak.is_alive(), "its last handle was the end of it");
        let span = info_span!("after", a = tracing::field::Empty).entered();
        span.record("a", 1);
        info!("after");
    });
}

/// Logs when it is asked what it is, itself among the values.
struct Chatty(u8);

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(again = ?self, "asked");
        write!(f, "chatty {}", self.0)
    }
}

#[test]
fn values_that_log_while_they_are_read_neither_hang_nor_recurse() {
    alone("values_that_log_while_they_are_read_neither_hang_nor_recurse", || {
        let capture = global(|b| b);
        let span = info_span!("s", made = ?Chatty(0), later = tracing::field::Empty).entered();
        span.record("later", tracing::field::debug(Chatty(1)));
        info!(value = ?Chatty(2), "event");
        let entries = capture.entries();
        // One for each value; what those values write in turn is left out.
        assert_eq!(messages(&entries), ["asked", "asked", "asked", "event"]);
        assert_eq!(capture.client().stats().refused.of(DropReason::RateLimitedLocal), 3);
        let fields = json!({"made": "chatty 0", "later": "chatty 1", "value": "chatty 2", "spans": ["s"]});
        assert_eq!(entries[3]["metadata"], fields);
    });
}

#[test]
fn a_redaction_hook_that_logs_does_no_harm() {
    alone("a_redaction_hook_that_logs_does_no_harm", || {
        let hook = |_, name: &str, _: &str| {
            info!(hook = name, "judging");
            None
        };
        let capture = global(|b| b.redaction(Redaction::default().custom(hook)));
        let span = info_span!("s", a = 1).entered();
        info!(b = 2, "event");
        drop(span);
        let entries = capture.entries();
        let event = entries.iter().find(|entry| entry["message"] == "event").unwrap();
        assert_eq!((&event["metadata"]["a"], &event["metadata"]["b"]), (&json!(1), &json!(2)));
        assert!((2..10).contains(&entries.len()), "{entries:?}");
    });
}

#[test]
fn init_brings_records_of_log_along() {
    alone("init_brings_records_of_log_along", || {
        let capture = global(|b| b.min_level(Level::Info));
        assert_eq!(log::max_level(), log::LevelFilter::Info);
        log::debug!("not taken");
        log::warn!(target: "legacy", "taken");
        let entries = capture.entries();
        assert_eq!(messages(&entries), ["taken"]);
        assert_eq!(entries[0]["target"], "legacy");
    });
}

#[test]
fn levels_that_a_reload_changes_count_from_then_on() {
    alone("levels_that_a_reload_changes_count_from_then_on", || {
        let file = tempfile::NamedTempFile::new().unwrap();
        let console = "[collector]\nenabled = false\n[[destination]]\nkind = \"console\"\n";
        let levels =
            |levels: &str| std::fs::write(file.path(), format!("log = \"{levels}\"\n{console}")).unwrap();
        levels("warn");
        let capture = global(|b| b.config_file(file.path()));
        let event = || debug!("event");
        let reload = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(capture.client().reload()).unwrap();
        };
        event();
        log::debug!("record");
        levels("debug");
        reload();
        event();
        log::debug!("record");
        levels("error");
        reload();
        event();
        log::debug!("record");
        assert_eq!(capture.client().stats().accepted, 2);
    });
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a panic of the test's value")
    }
}

#[test]
fn a_value_that_panics_while_it_is_read_is_not_the_panic_of_its_request() {
    alone("a_value_that_panics_while_it_is_read_is_not_the_panic_of_its_request", || {
        let capture = global(|b| b);
        let client = capture.client();
        client.install_panic_hook();
        let head = RequestHead { method: "GET", path: "/", ..RequestHead::default() };
        let mut request = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
        request.poll(|| {
            let _span = info_span!("s", value = ?Panics).entered();
            info!(value = ?Panics, "event");
            client.info("own").field("value", 1).send();
        });
        request.response(200, std::iter::empty::<(&str, &[u8])>(), Some(0));
        request.finish(Outcome::Completed);
        let entries = capture.entries();
        let request = entries.iter().find(|entry| entry["kind"] == "request").unwrap();
        assert_eq!(
            (&request["level"], &request["error_type"]),
            (&json!("INFO"), &json!(null)),
            "{entries:?}"
        );
        // It is told all the same, as an entry of its own.
        assert!(messages(&entries).contains(&"a panic of the test's value"), "{entries:?}");
    });
}
