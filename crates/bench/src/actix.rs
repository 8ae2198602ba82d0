//! The same request and handler on actix-web, and what stands around it.
#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::TestRequest;
use actix_web::{App, Error, test, web};

/// Nothing; hoplog with its defaults.
pub const SCENARIOS: [&str; 2] = ["bare", "hoplog"];

/// Answers so many requests on this thread. What makes them is not measured: the answers alone are given to the second
/// argument, which runs them.
pub type Serve = Box<dyn FnMut(u32, &mut dyn FnMut(&mut dyn FnMut()))>;

macro_rules! serve {
    ($($wrap:expr)?) => {{
        let app = App::new()$(.wrap($wrap))?;
        let app = app.route("/api/v1/users/{user}/orders", web::get().to(|| async { "ok" }));
        let app = now(test::init_service(app));
        Box::new(move |n, measure| {
            let mut requests: Vec<_> = (0..n).map(|i| request(i % 1_000).to_request()).collect();
            measure(&mut || requests.drain(..).for_each(|request| answer(&app, request)));
        })
    }};
}

/// The app of one scenario.
#[must_use]
pub fn serve(scenario: &str, client: &hoplog::Client) -> Serve {
    match scenario {
        "bare" => serve!(),
        _ => serve!(hoplog_actix::RequestLog::new(client.clone())),
    }
}

/// The request of the comparison in actix's own types.
#[must_use]
pub fn request(user: u32) -> TestRequest {
    let like = crate::request(user);
    let mut made = TestRequest::with_uri(&like.uri().to_string());
    for (name, value) in like.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).expect("a name");
        made = made.append_header((name, HeaderValue::from_bytes(value.as_bytes()).expect("a value")));
    }
    made
}

/// Answers a request, its body read to the end.
#[inline(never)] // callgrind counts from its first instruction to its last
pub fn answer<S, R, B>(app: &S, request: R)
where
    S: Service<R, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
    B::Error: std::fmt::Debug,
{
    let response = now(app.call(request)).expect("an answer");
    let (_request, response) = response.into_parts();
    let mut body = pin!(response.into_body());
    while let Some(piece) = now(poll_fn(|cx| body.as_mut().poll_next(cx))) {
        black_box(piece.expect("a piece"));
    }
}

/// Polls what waits for nothing.
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}
