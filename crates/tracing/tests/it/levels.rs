//! Which events are taken, and what the others cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hoplog::testing::{Capture, capture_with};
use hoplog::{Client, ClientBuilder, Level};
use serde_json::json;
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, debug, error, info, info_span, trace, warn};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry, layer::Context, reload};

use super::messages;

fn captured(with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Capture {
    capture_with(with(Client::builder().service("test"))).unwrap()
}

fn under(subscriber: impl Subscriber + Send + Sync, run: impl FnOnce()) {
    tracing::subscriber::with_default(subscriber, run);
}

fn some_of_each() {
    trace!(target: "shop::db", "trace db");
    debug!(target: "shop", "debug shop");
    debug!(target: "other", "debug other");
    info!(target: "other", "info other");
    warn!(target: "noisy::part", "warn noisy");
    error!(target: "other", "error other");
}

#[test]
fn info_is_enough_where_nobody_says_a_level_and_the_logger_takes_all() {
    let capture = captured(|b| b);
    under(tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client())), some_of_each);
    assert_eq!(messages(&capture.entries()), ["info other", "warn noisy", "error other"]);
    capture.client().trace("said to hoplog itself").send();
    assert_eq!(capture.entries().len(), 4);

    let capture = captured(|b| b.min_level_of("shop", Level::Trace));
    under(tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client())), some_of_each);
    assert_eq!(messages(&capture.entries())[..2], ["trace db", "debug shop"]);
    assert_eq!(capture.entries().len(), 5);

    let capture = captured(|b| b);
    let layer = hoplog_tracing::builder(capture.client()).levels("debug").build().unwrap();
    under(tracing_subscriber::registry().with(layer), some_of_each);
    assert_eq!(capture.entries().len(), 5);
}

#[test]
fn the_clients_levels_hold_by_target() {
    let capture = captured(|b| {
        b.min_level(Level::Info).min_level_of("shop", Level::Debug).min_level_of("noisy", Level::Error)
    });
    under(tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client())), some_of_each);
    assert_eq!(messages(&capture.entries()), ["debug shop", "info other", "error other"]);
}

#[test]
fn the_layers_own_levels_narrow_them() {
    let capture = captured(|b| b.min_level(Level::Debug));
    let layer =
        hoplog_tracing::builder(capture.client()).levels("warn,shop=trace,noisy=off").build().unwrap();
    under(tracing_subscriber::registry().with(layer), some_of_each);
    assert_eq!(messages(&capture.entries()), ["debug shop", "error other"]);
    capture.client().info("the logger goes by the client alone").send();
    assert_eq!(capture.entries().len(), 3);
}

#[test]
fn every_wrong_directive_is_a_complaint() {
    let wrong = hoplog_tracing::builder(Client::disabled()).levels("loud,shop=,info").build::<Registry>();
    let error = wrong.map(|_| ()).unwrap_err();
    assert!(error.is_config());
    assert_eq!(error.complaints().len(), 2, "{error}");
}

#[test]
fn the_most_verbose_level_of_client_and_layer_is_told() {
    let hint = |client: &str, layer: &str| {
        let levels = client.parse::<hoplog::LevelFilter>().unwrap().least();
        let capture = captured(|b| match levels {
            Some(level) => b.min_level(level),
            None => b,
        });
        let layer = hoplog_tracing::builder(capture.client()).levels(layer).build().unwrap();
        tracing_subscriber::registry().with(layer).max_level_hint().unwrap()
    };
    assert_eq!(hint("trace", ""), LevelFilter::TRACE);
    assert_eq!(hint("trace", "warn,shop=debug"), LevelFilter::DEBUG);
    assert_eq!(hint("error", ""), LevelFilter::INFO, "for the spans around errors");
    assert_eq!(hint("debug", "off"), LevelFilter::OFF);
    assert_eq!(hint("fatal", ""), LevelFilter::OFF);
}

#[test]
fn a_warning_has_the_fields_of_spans_that_lie_below_its_level() {
    let capture = captured(|b| b.min_level(Level::Warn).min_level_of("h2", Level::Fatal));
    under(tracing_subscriber::registry().with(hoplog_tracing::layer(capture.client())), || {
        let _request = info_span!("request", id = 7).entered();
        let _muted = info_span!(target: "h2", "frame").entered();
        let _debug = tracing::debug_span!("fine").entered();
        info!("not taken");
        warn!("taken");
    });
    let entries = capture.entries();
    assert_eq!(messages(&entries), ["taken"]);
    assert_eq!(entries[0]["metadata"], json!({"id": 7, "spans": ["request"]}));
}

/// Counts events.
#[derive(Clone, Default)]
struct Counts(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Counts {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn other_layers_see_what_they_would_see_without_it() {
    let capture = captured(|b| b.min_level(Level::Error));
    let (below, above) = (Counts::default(), Counts::default());
    let subscriber = tracing_subscriber::registry()
        .with(below.clone())
        .with(hoplog_tracing::layer(capture.client()))
        .with(above.clone().with_filter(LevelFilter::INFO));
    under(subscriber, some_of_each);
    assert_eq!(messages(&capture.entries()), ["error other"]);
    assert_eq!((below.0.load(Ordering::Relaxed), above.0.load(Ordering::Relaxed)), (6, 3));
}

#[test]
fn filters_on_top_of_it_and_boxes_work() {
    let capture = captured(|b| b.min_level(Level::Debug));
    let filtered = hoplog_tracing::layer(capture.client()).with_filter(EnvFilter::new("warn,shop=trace"));
    under(tracing_subscriber::registry().with(filtered.boxed()), some_of_each);
    assert_eq!(messages(&capture.entries()), ["debug shop", "warn noisy", "error other"]);

    let capture = captured(|b| b.min_level(Level::Debug));
    let (layer, _) = hoplog_tracing::builder(capture.client()).build_parts().unwrap();
    under(tracing_subscriber::registry().with(layer.with_filter(LevelFilter::WARN)), some_of_each);
    assert_eq!(messages(&capture.entries()), ["warn noisy", "error other"]);

    let capture = captured(|b| b.min_level(Level::Warn));
    let (layer, _) = hoplog_tracing::builder(capture.client()).levels("noisy=off").build_parts().unwrap();
    under(tracing_subscriber::registry().with(Some(layer)), some_of_each);
    assert_eq!(messages(&capture.entries()), ["error other"], "by itself it takes the same ones");
}

#[test]
fn two_layers_with_two_clients_each_have_their_own() {
    let (one, two) = (captured(|b| b.min_level(Level::Error)), captured(|b| b.min_level(Level::Info)));
    let subscriber = tracing_subscriber::registry()
        .with(hoplog_tracing::layer(one.client()))
        .with(hoplog_tracing::layer(two.client()));
    under(subscriber, || {
        let span = info_span!("s", a = 1, b = tracing::field::Empty).entered();
        span.record("b", 2);
        some_of_each();
    });
    let (one, two) = (one.entries(), two.entries());
    assert_eq!(messages(&one), ["error other"]);
    assert_eq!(messages(&two), ["info other", "warn noisy", "error other"]);
    for entry in one.iter().chain(&two) {
        assert_eq!(entry["metadata"], json!({"a": 1, "b": 2, "spans": ["s"]}));
    }
}

#[test]
fn reloads_change_the_filter_and_the_client() {
    let (first, second) = (captured(|b| b), captured(|b| b));
    let parts = |capture: &Capture| hoplog_tracing::builder(capture.client()).build_parts().unwrap().0;
    let (filter, levels) = reload::Layer::new(LevelFilter::WARN);
    let (layer, clients) = reload::Layer::new(parts(&first));
    under(tracing_subscriber::registry().with(layer.with_filter(filter)), || {
        let _span = info_span!("made by the first", a = 1).entered();
        info!("one");
        warn!("two");
        levels.reload(LevelFilter::INFO).unwrap();
        let _span = info_span!("seen", b = 2).entered();
        info!("three");
        clients.reload(parts(&second)).unwrap();
        info!("four");
    });
    assert_eq!(messages(&first.entries()), ["two", "three"]);
    assert_eq!(messages(&second.entries()), ["four"]);
    assert_eq!(second.entries()[0]["metadata"], json!(null), "judged by the first client's rules");
}

#[test]
fn a_whole_layer_behind_a_reload_handle_is_modified_in_its_parts() {
    let (first, second) = (captured(|b| b), captured(|b| b));
    let (layer, handle) = reload::Layer::new(hoplog_tracing::layer(first.client()));
    under(tracing_subscriber::registry().with(layer), || {
        info!("one");
        handle
            .modify(|layer| {
                let (other, filter) =
                    hoplog_tracing::builder(second.client()).levels("warn").build_parts().unwrap();
                (*layer.inner_mut(), *layer.filter_mut()) = (other, filter);
            })
            .unwrap();
        info!("two");
        warn!("three");
    });
    assert_eq!(messages(&first.entries()), ["one"]);
    assert_eq!(messages(&second.entries()), ["three"]);
}
