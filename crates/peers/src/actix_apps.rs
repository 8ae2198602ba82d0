//! An App of actix-web with the same handler, and what stands around it.

use std::hint::black_box;
use std::io::Write as _;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Logger;
use actix_web::{App, Error, test, web};
use hoplog_bench::request;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::axum_apps::{PATIENCE, hoplog_client, now};
use crate::sinks::{Count, Delivered, Envelopes};
use crate::{Measure, Subject, answer};

macro_rules! app {
    ($($wrap:expr)?) => {
        now(test::init_service(
            App::new()$(.wrap($wrap))?
                .route("/api/v1/users/{user}/orders", web::get().to(|| async { answer() })),
        ))
    };
}

pub(crate) fn subject(name: &str) -> Subject {
    let count = Count::default();
    match name {
        "actix_bare" => of(app!(), None),
        "actix" => {
            let client = hoplog_client(count.clone());
            let wrap = hoplog_actix::RequestLog::new(client.clone());
            let delivered = move || {
                client.flush_blocking(PATIENCE).expect("an open client");
                count.get()
            };
            of(app!(wrap), Some(Box::new(delivered)))
        }
        "actix_logger" => {
            // As env_logger is, without the terminal.
            log::set_boxed_logger(Box::new(Lines(count.clone()))).expect("no other logger");
            log::set_max_level(log::LevelFilter::Info);
            of(app!(Logger::default()), Some(Box::new(move || count.get())))
        }
        "tracing_actix_web" => {
            let sink = count.clone();
            // A line at the end of each span, which is what its users see of a request.
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
                .with_writer(move || sink.clone());
            tracing_subscriber::registry().with(layer).init();
            of(app!(tracing_actix_web::TracingLogger::default()), Some(Box::new(move || count.get())))
        }
        _ => {
            let options = sentry::ClientOptions::new()
                .dsn("https://public@sentry.invalid/1")
                .traces_sample_rate(1.0)
                .transport(std::sync::Arc::new(Envelopes::new(count.clone())));
            std::mem::forget(sentry::init(options));
            let wrap = sentry_actix::Sentry::builder().start_transaction(true).finish();
            let delivered = move || {
                let flushed = sentry::Hub::main().client().is_some_and(|client| client.flush(Some(PATIENCE)));
                assert!(flushed, "sentry delivers in time");
                count.get()
            };
            of(app!(wrap), Some(Box::new(delivered)))
        }
    }
}

struct Lines(Count);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut line = Vec::with_capacity(256);
        let _ = writeln!(line, "[{} {}] {}", record.level(), record.target(), record.args());
        let _ = self.0.clone().write_all(&line);
    }

    fn flush(&self) {}
}

/// The request of the comparison in actix's own types.
fn made(user: u32) -> actix_http::Request {
    let like = request(user);
    let mut made = test::TestRequest::with_uri(&like.uri().to_string());
    for (name, value) in like.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).expect("a name");
        made = made.append_header((name, HeaderValue::from_bytes(value.as_bytes()).expect("a value")));
    }
    made.to_request()
}

fn of<S, B>(app: S, delivered: Option<Delivered>) -> Subject
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    B::Error: std::fmt::Debug,
{
    let serve = move |n: u32, measure: Measure<'_>| {
        let mut requests: Vec<_> = (0..n).map(|i| made(i % 1_000)).collect();
        measure(&mut || requests.drain(..).for_each(|request| call(&app, request)));
    };
    Subject { serve: Box::new(serve), delivered }
}

/// Answers a request, its body read to the end.
#[inline(never)]
fn call<S, B>(app: &S, request: actix_http::Request)
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
    B::Error: std::fmt::Debug,
{
    let response = now(app.call(request)).expect("an answer");
    let (_request, response) = response.into_parts();
    let mut body: std::pin::Pin<&mut B> = std::pin::pin!(response.into_body());
    let next = |body: &mut std::pin::Pin<&mut B>| now(std::future::poll_fn(|cx| body.as_mut().poll_next(cx)));
    while let Some(piece) = next(&mut body) {
        black_box(piece.expect("a piece"));
    }
}
