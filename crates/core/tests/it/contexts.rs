//! Wherever an application logs from, and whatever it holds longer than the client.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::time::Duration;

use hoplog::{Batch, Client, Delivery, Destination, DropReason, Output, Redaction, RequestHead};
use hoplog_testkit::facts::fact_blocking;
use hoplog_testkit::scripted::Scripted;
use serde::Serialize;
use tokio::runtime::Builder;

use crate::support::{LONG, assert_adds_up, builder, client_of};

const WATCHDOG: Duration = Duration::from_secs(5);

/// What does not end by then hangs; what panics has failed.
fn watched(name: &'static str, act: impl FnOnce() + Send + 'static) {
    let (done, over) = channel();
    std::thread::spawn(move || {
        act();
        let _ = done.send(());
    });
    over.recv_timeout(WATCHDOG).unwrap_or_else(|why| panic!("{name}: {why}"));
}

/// Logs as it goes.
struct Last(Client, &'static str);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.info(self.1).send();
    }
}

/// Logs as it is written into an entry.
struct Telling(Client);

impl Serialize for Telling {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.info("in a value").send();
        serializer.serialize_str("told")
    }
}

thread_local! {
    static AT_THE_END: RefCell<Option<Last>> = const { RefCell::new(None) };
}

type Context = (&'static str, fn(Client));

const CONTEXTS: [Context; 10] = [
    ("without a runtime", |client| client.info("without a runtime").send()),
    ("in a runtime of one thread", |client| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { client.info("in a runtime of one thread").send() });
    }),
    ("in a task", |client| {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            tokio::spawn(async move { client.info("in a task").send() }).await.unwrap();
        });
    }),
    ("in block_on in a runtime", |client| {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current()
                    .block_on(async { client.info("in block_on in a runtime").send() });
                client.flush_blocking(LONG).unwrap();
            });
        });
    }),
    ("as a runtime shuts down", |client| {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let last = Last(client, "as a runtime shuts down");
        runtime.spawn(async move {
            std::future::pending::<()>().await;
            drop(last);
        });
        drop(runtime);
    }),
    ("as a thread ends", |client| {
        std::thread::spawn(move || AT_THE_END.set(Some(Last(client, "as a thread ends")))).join().unwrap();
    }),
    ("in a drop", |client| drop(Last(client, "in a drop"))),
    ("in a drop by a panic", |client| {
        let unwound = catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _last = Last(client, "in a drop by a panic");
            panic!("by the test");
        }));
        assert!(unwound.is_err());
    }),
    ("in a value", |client| client.info("around a value").field("v", Telling(client.clone())).send()),
    ("in a blocking task", |client| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            tokio::task::spawn_blocking(move || client.info("in a blocking task").send()).await.unwrap();
        });
    }),
];

#[test]
fn an_entry_may_be_sent_from_anywhere() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    for (name, send) in CONTEXTS {
        let handle = client.clone();
        watched(name, move || send(handle));
    }
    client.flush_blocking(LONG).unwrap();
    let messages: BTreeSet<String> =
        collector.entries().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect();
    for (name, _) in CONTEXTS {
        assert!(messages.contains(name), "`{name}` is missing in {messages:?}");
    }
    assert_adds_up(&client);
    println!("FIGURE contexts.passed {} contexts", CONTEXTS.len());
}

#[test]
fn the_last_handle_may_go_as_a_thread_ends_and_delivers() {
    let collector = Scripted::start([]);
    let url = collector.url();
    watched("the last handle", move || {
        let client = builder(url).build().unwrap();
        std::thread::spawn(move || AT_THE_END.set(Some(Last(client, "the very last")))).join().unwrap();
    });
    fact_blocking("it is delivered", || (collector.entries().len() == 1).then_some(()));
}

/// Logs while it delivers.
struct Echo(OnceLock<Client>);

impl Destination for &'static Echo {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        if let Some(client) = self.0.get() {
            (0..batch.len()).for_each(|_| client.info("echo").send());
        }
        Delivery::Delivered
    }
}

#[test]
fn what_a_destination_or_a_hook_logs_does_not_come_back_to_it() {
    static ECHO: Echo = Echo(OnceLock::new());
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }
    static HOOKED: OnceLock<Client> = OnceLock::new();
    let hook = |_, _: &str, _: &str| {
        DEPTH.set(DEPTH.get() + 1);
        assert!(DEPTH.get() <= 1, "a hook is not asked about what it says itself");
        if let Some(client) = HOOKED.get() {
            client.info("in a hook").field("seen", "by nobody").send();
        }
        DEPTH.set(DEPTH.get() - 1);
        None
    };
    let client = builder("http://127.0.0.1:9")
        .without_collector()
        .redaction(Redaction::default().custom(hook))
        .destination(Output::own(&ECHO))
        .build()
        .unwrap();
    assert!(ECHO.0.set(client.clone()).is_ok() && HOOKED.set(client.clone()).is_ok());
    let sender = client.clone();
    watched("a destination that logs", move || {
        (0..10).for_each(|_| sender.info("an entry").field("order", "a-17").send());
        sender.flush_blocking(LONG).unwrap();
    });
    let stats = client.stats();
    println!("FIGURE contexts.entries_with_echo {} entries", stats.accepted);
    assert!((10..=30).contains(&stats.accepted), "ten, and what a hook said of them: {stats:?}");
    assert_adds_up(&client);
}

#[test]
fn whatever_goes_after_the_client_has_ended_is_counted() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let begin = || client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
    let call = client.begin_call(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
    let held: Vec<(&str, Box<dyn std::any::Any>)> = vec![
        ("a request", Box::new(begin())),
        ("a call", Box::new(call)),
        ("a timer", Box::new(client.timer("a step"))),
        ("an entry in a drop", Box::new(Last(client.clone(), "late"))),
    ];
    // One that is never let go of holds up nothing.
    std::mem::forget(begin());
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let report = runtime.block_on(client.shutdown(LONG));
    assert_eq!((report.left, report.dropped), (0, 0));
    let late = || client.stats().refused.of(DropReason::AfterClose);
    let kinds = held.len() as u64;
    for (name, thing) in held {
        let before = late();
        drop(thing);
        assert_eq!(late(), before + 1, "{name}");
    }
    println!("FIGURE ends.after_close {} entries", late());
    assert_eq!((late(), client.stats().accepted), (kinds, 0));
    assert!(collector.entries().is_empty());
}
