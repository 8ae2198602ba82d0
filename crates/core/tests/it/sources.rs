//! Entries of dead processes go out under the name of the process that wrote them.

use std::collections::BTreeSet;
#[cfg(feature = "otlp")]
use std::path::Path;
use std::time::Duration;

use hoplog::{ClientBuilder, LogCollector};
#[cfg(feature = "otlp")]
use hoplog::{Compression, Otlp};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::old_server::{judge, rows};
use hoplog_testkit::scripted::{Answer, Scripted};
use serde_json::{Value, json};

use crate::spool::{dead, run, spooled};
use crate::support::{LONG, assert_adds_up, builder, destination, kick};

/// Processes that found nobody: one of each version, with so many entries.
fn leave(versions: &[&str], of: impl Fn() -> ClientBuilder) {
    for version in versions {
        let client = of().service_version(*version).build().unwrap();
        (0..30).for_each(|_| client.info(format!("by {version}")).send());
        // What those before it left is there as well, as far as it was read.
        assert!(run(client.shutdown(Duration::from_secs(2))).spooled >= 30);
    }
}

/// A process of version `v3` delivers what they left, and 30 of its own.
fn deliver(of: ClientBuilder) -> hoplog::Client {
    let client = of.service_version("v3").build().unwrap();
    (0..30).for_each(|_| client.info("by v3").send());
    fact_blocking("everything is delivered", || {
        kick(&client);
        (destination(&client).delivered == 90).then_some(())
    });
    assert_eq!(destination(&client).recovered, 60);
    assert_adds_up(&client);
    client
}

/// Every text of an entry is of the version that its batch names.
fn agree(version: &Value, messages: impl Iterator<Item = String>) {
    let expected = format!("by {}", version.as_str().unwrap());
    messages.for_each(|message| assert_eq!(message, expected));
}

#[test]
fn a_batch_for_the_collector_is_of_one_process_and_says_which() {
    let dir = tempfile::tempdir().unwrap();
    leave(&["v1", "v2"], || spooled(dead(), dir.path()));
    // Of a batch that is refused whole the halves say it, too.
    let collector = Scripted::judging([Answer::status(413), Answer::status(413)], |_| Answer::stored());
    let client = deliver(spooled(collector.url(), dir.path()));
    run(client.shutdown(LONG));
    let (mut spans, mut seen, mut boots) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for batch in collector.received() {
        let body = batch.json.clone();
        let source = &body["source"];
        seen.insert(source["service_version"].as_str().unwrap().to_owned());
        let messages = batch.entries().iter().map(|e| e["message"].as_str().unwrap().to_owned());
        agree(&source["service_version"], messages);
        assert_eq!((&source["service"], &source["sdk"]), (&json!("shop"), &json!("hoplog-rust")));
        assert!(source["pid"].is_u64() && source["host"].is_string() && body["batch_id"].is_string());
        let own = source["service_version"] == "v3";
        assert_eq!(body["ledger"].is_null(), !own, "{body}");
        // What was under way at the end has the place that it had; what was not, none.
        boots.insert(
            body["boot_id"].as_str().map(|boot| (source["service_version"].to_string(), boot.to_owned())),
        );
        assert_eq!(body["boot_id"].is_null(), body["seq"].is_null(), "{body}");
        if own {
            spans.push((body["seq"].as_u64().unwrap(), batch.entries().len() as u64));
        }
    }
    assert_eq!(seen, ["v1", "v2", "v3"].map(str::to_owned).into());
    let (named, processes): (Vec<_>, BTreeSet<_>) = boots.into_iter().flatten().unzip();
    assert_eq!(named.len(), processes.len(), "each process has an id of its own: {named:?}");
    spans.sort_unstable();
    let end = spans.iter().fold(0, |at, (seq, entries)| {
        assert!(*seq <= at, "no gap before {seq}: {spans:?}");
        at.max(seq + entries)
    });
    assert_eq!(end, 30, "its own, and nobody else's");
    let last = collector.received().pop().unwrap().json;
    assert_eq!((&last["closing"], &last["ledger"]["delivered"]), (&json!(true), &json!(30)), "{last}");
}

#[cfg(feature = "otlp")]
#[test]
fn an_opentelemetry_backend_hears_which_resource_they_are_of() {
    let dir = tempfile::tempdir().unwrap();
    let of = |url: String, dir: &Path, pod: &str| {
        let otlp = Otlp::new().endpoint(url).compression(Compression::None).resource("k8s.pod.name", pod);
        spooled("http://unused", dir).without_collector().otlp(otlp)
    };
    leave(&["v1", "v2"], || of(dead(), dir.path(), "old-pod"));
    let server = Scripted::judging([Answer::status(413), Answer::status(413)], |_| Answer::saying(200, ""));
    let _client = deliver(of(server.url(), dir.path(), "new-pod"));
    let mut seen = BTreeSet::new();
    for batch in server.received() {
        let body = &batch.sent;
        let says = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
        let versions: Vec<_> = ["v1", "v2", "v3"].into_iter().filter(|v| says(&format!("by {v}"))).collect();
        let [version] = versions[..] else { panic!("a batch of {versions:?}") };
        assert!(says(version) && says("k8s.pod.name"));
        assert_eq!((says("new-pod"), says("old-pod")), (version == "v3", version != "v3"), "{version}");
        seen.insert(version);
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_log_collector_server_hears_it_with_every_entry() {
    let dir = tempfile::tempdir().unwrap();
    let of = |url: String| builder("http://unused").without_collector().log_collector(LogCollector::new(url));
    let of = |url: String| of(url).spool(hoplog::Spool::new(dir.path()).leave_free(0));
    leave(&["v1", "v2"], || of(dead()));
    let server = Scripted::judging([], judge);
    let _client = deliver(of(server.url()));
    let rows = rows(&server.received());
    assert_eq!(rows.len(), 90);
    for row in rows {
        agree(&row["service_version"], [row["message"].as_str().unwrap().to_owned()].into_iter());
        assert!(row["metadata"]["pid"].is_u64());
    }
}
