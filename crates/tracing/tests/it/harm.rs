//! What must not happen: own traffic logged, clients kept alive, deadlocks, recursion, panics.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex};

use hoplog::testing::capture;
use hoplog::{Batch, Client, Delivery, Destination, Output, is_worker_thread};
use serde_json::json;
use tracing::{Dispatch, info, info_span, warn};
use tracing_subscriber::prelude::*;

use super::{logged, messages, rig};

#[test]
fn the_layer_does_not_keep_its_client_alive_and_events_after_it_do_nothing() {
    let capture = capture();
    let client = capture.client();
    let subscriber = tracing_subscriber::registry().with(hoplog_tracing::layer(client.clone()));
    let dispatch = Dispatch::new(subscriber);
    let weak = client.downgrade();
    tracing::dispatcher::with_default(&dispatch, || {
        let span = info_span!("s", a = tracing::field::Empty).entered();
        info!("before");
        assert_eq!(client.stats().accepted, 1);
        drop((capture, client));
        assert!(!weak.is_alive());
        info!("after");
        span.record("a", 1);
        drop(info_span!("new"));
        drop(span);
    });
}

#[test]
fn what_hoplogs_crates_say_is_not_logged() {
    let entries = logged(|| {
        info!(target: "hoplog", "own");
        info!(target: "hoplog::worker", "own");
        info!(target: "hoplog_reqwest::middleware", "own");
        info!(target: "hoplogger", "another's");
        info!(target: "hoplog_demo", "another's");
    });
    assert_eq!(messages(&entries), ["another's", "another's"]);
}

/// Says what it does where it does it, as HTTP clients and destinations do.
struct Talks(Dispatch, Arc<Mutex<u64>>);

impl Destination for Talks {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        assert!(is_worker_thread());
        tracing::dispatcher::with_default(&self.0, || {
            let span = info_span!(target: "hyper", "connection", n = tracing::field::Empty).entered();
            span.record("n", 1);
            info!(target: "hyper", "sent a batch");
            warn!(target: "h2::codec", "frame");
        });
        *self.1.lock().unwrap() += batch.len() as u64;
        Delivery::Delivered
    }
}

#[test]
fn what_libraries_do_on_hoplogs_own_threads_is_not_logged() {
    let delivered = Arc::new(Mutex::new(0));
    // The destination needs the dispatch, and the dispatch the client: the layer is put in place afterwards.
    let (layer, handle) = tracing_subscriber::reload::Layer::new(None::<hoplog_tracing::EventLayer>);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let client = Client::builder()
        .without_variables()
        .without_collector()
        .destination(Output::own(Talks(dispatch.clone(), Arc::clone(&delivered))))
        .build()
        .unwrap();
    let (layer, _) = hoplog_tracing::builder(&client).build_parts().unwrap();
    handle.reload(Some(layer)).unwrap();
    for n in 0..3 {
        tracing::dispatcher::with_default(&dispatch, || info!(n, "the application's"));
        client.flush_blocking(std::time::Duration::from_secs(10)).unwrap();
    }
    assert_eq!((client.stats().accepted, *delivered.lock().unwrap()), (3, 3));
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("a panic of the test's value")
    }
}

#[test]
fn a_value_that_panics_while_it_is_read_does_no_harm() {
    let entries = logged(|| {
        let _span = info_span!("s", bad = %Panics, good = 1).entered();
        info!(worse = %Panics, fine = 2, "{}", Panics);
        info!("later");
    });
    assert_eq!(messages(&entries), ["[its text cannot be told: it panicked]", "later"]);
    let fields = &entries[0]["metadata"];
    assert_eq!((&fields["good"], &fields["fine"]), (&json!(1), &json!(2)));
    assert_eq!(fields["bad"], fields["worse"]);
}

#[test]
fn of_a_text_that_no_entry_has_room_for_the_size_is_told_and_no_more_is_read() {
    let text = "x ".repeat(4 << 20);
    let entries = logged(|| {
        let _span = info_span!("s", text = text.as_str()).entered();
        info!(bytes = text.as_bytes(), "m");
    });
    let note = json!("[left out: 8388608 bytes]");
    assert_eq!((&entries[0]["metadata"]["text"], &entries[0]["metadata"]["bytes"]), (&note, &note));
}

struct Farewell(Dispatch);

impl Drop for Farewell {
    fn drop(&mut self) {
        tracing::dispatcher::with_default(&self.0, || {
            let _span = info_span!("last", a = 1).entered();
            warn!(b = 2, "farewell");
        });
    }
}

thread_local! {
    static FAREWELL: RefCell<Vec<Farewell>> = const { RefCell::new(Vec::new()) };
}

#[test]
fn events_at_a_threads_very_end_do_no_harm() {
    for first in [true, false] {
        let (capture, dispatch) = rig();
        let thread = std::thread::spawn(move || {
            // Before or after the thread-locals of the others, which go in the opposite order.
            let say = |dispatch: &Dispatch| tracing::dispatcher::with_default(dispatch, || info!("hello"));
            if !first {
                say(&dispatch);
            }
            FAREWELL.with_borrow_mut(|farewell| farewell.push(Farewell(dispatch.clone())));
            if first {
                say(&dispatch);
            }
        });
        thread.join().unwrap();
        let entries = capture.entries();
        assert!(messages(&entries).contains(&"hello"), "{entries:?}");
    }
}
