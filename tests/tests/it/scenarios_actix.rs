//! The scenario suite over actix-web and hoplog-actix.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorGatewayTimeout, ErrorInternalServerError};
use actix_web::http::header::{CONTENT_RANGE, ETAG, RANGE};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use hoplog_actix::RequestLog;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scenarios::{self, Deviation, Entry, Framework, Size, Subject, routes};
use routes::{BROKEN, ENDLESS_CHUNK, EVENT, FIRST, Fire, LARGE, LAST, TIMEOUT};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_on_actix_is_one_entry_that_says_how_it_went() {
    scenarios::run(&Actix).await;
}

pub(crate) struct Actix;

/// Serves an app, as a closure that makes one per worker, on a free port. Each wrap makes another type of app.
macro_rules! serve {
    ($app:expr) => {{
        let server = actix_web::HttpServer::new($app)
            .workers(2)
            .h1_allow_half_closed(false)
            .shutdown_timeout(5)
            .disable_signals()
            .bind_auto_h2c("127.0.0.1:0")
            .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        let serving = tokio::spawn(server);
        hoplog_testkit::scenarios::Subject::new(address, async move {
            handle.stop(true).await;
            serving.await.unwrap().unwrap();
        })
    }};
}
pub(crate) use serve;

impl Framework for Actix {
    const NAME: &'static str = "actix";

    async fn serve(&self, client: Option<hoplog::Client>, gate: Gate) -> Subject {
        let gate = Data::new(gate);
        match client {
            Some(client) => serve!(move || {
                App::new()
                    .app_data(gate.clone())
                    .configure(|config| app(config, client.clone()))
                    .wrap(RequestLog::new(client.clone()))
                    .wrap(Compress::default())
                    .wrap(from_fn(outside))
            }),
            None => serve!(move || {
                App::new()
                    .app_data(gate.clone())
                    .configure(|config| app(config, hoplog::Client::disabled()))
                    .wrap(Compress::default())
                    .wrap(from_fn(outside))
            }),
        }
    }

    fn deviation(&self, scenario: &str) -> Option<Deviation> {
        const ANSWERED_OUTSIDE: &str =
            "actix answers the error outside of the layer, with a status known inside";
        match scenario {
            "trailers go out behind the last chunk" => {
                Some(Deviation::Impossible("actix's message bodies have no trailers"))
            }
            "a handler's error is the answer it becomes" => Some(Deviation::Differs(
                "actix's answer has the error in it",
                Entry::of("GET", "/fails")
                    .ended("completed", Some(500), "ERROR")
                    .sized(Size::Exactly(21))
                    .error(BROKEN),
            )),
            "an error of a service inside the layer is one of the service" => Some(Deviation::Differs(
                ANSWERED_OUTSIDE,
                Entry::of("GET", "/broken")
                    .ended("service_error", Some(500), "ERROR")
                    .sized(Size::None)
                    .error(BROKEN),
            )),
            "a timeout inside the layer that fails has timed out" => Some(Deviation::Differs(
                ANSWERED_OUTSIDE,
                Entry::of("GET", "/slow-error")
                    .ended("timed_out", Some(504), "ERROR")
                    .sized(Size::None)
                    .error("timed out"),
            )),
            _ => None,
        }
    }
}

fn app(config: &mut ServiceConfig, client: hoplog::Client) {
    let user = async |id: Path<String>| format!("user {id}");
    config
        .service(web::resource("/users/{id}").route(web::get().to(user)).route(web::head().to(user)))
        .route("/echo", web::post().to(async |body: Bytes| body))
        .route("/unsized", web::get().to(unsized_body))
        .route("/tells", web::get().to(tells))
        .route(
            "/leaves",
            web::get().to(async || {
                let mut response = HttpResponse::InternalServerError().finish();
                response.extensions_mut().insert(hoplog::ErrorReport::new(&Fire));
                response
            }),
        )
        .route("/range", web::get().to(range))
        .route(
            "/refuses",
            web::post().to(async |_: web::Payload| HttpResponse::PayloadTooLarge().body("too large")),
        )
        .route("/events", web::get().to(events))
        .service(web::resource("/large-inside").wrap(Compress::default()).route(web::get().to(large)))
        .route("/large-outside", web::get().to(large))
        .service(web::resource("/twice").wrap(RequestLog::new(client)).route(web::get().to(async || "once")))
        .route("/stream", web::get().to(async |gate| late(gate, || Ok(LAST))))
        .route("/empty", web::get().to(async || HttpResponse::NoContent()))
        .route(
            "/cached",
            web::get().to(async || HttpResponse::NotModified().insert_header((ETAG, "\"v1\"")).finish()),
        )
        .route("/wait", web::get().to(wait))
        .route("/endless", web::get().to(endless))
        .route("/breaks", web::get().to(async |gate| late(gate, || Err(ErrorInternalServerError(BROKEN)))))
        .route("/fails", web::get().to(async || Err::<&str, _>(ErrorInternalServerError(BROKEN))))
        .route("/panics", web::get().to(panics))
        .route(
            "/panics-late",
            web::get().to(async |gate| late(gate, || panic!("a panic of the test's body"))),
        )
        .route("/panics-caught", web::get().to(panics))
        .route(
            "/upgrade",
            web::get().to(async || HttpResponse::SwitchingProtocols().upgrade("echo").finish()),
        )
        .route("/context", web::get().to(async || routes::current_context()))
        .route("/slow-outside", web::get().to(wait))
        .service(web::resource("/slow-inside").wrap(from_fn(answering_timeout)).route(web::get().to(wait)))
        .service(web::resource("/slow-error").wrap(from_fn(failing_timeout)).route(web::get().to(wait)))
        .service(web::resource("/broken").wrap(from_fn(broken)).route(web::get().to(wait)));
}

static ZEROS: &[u8] = &[0; ENDLESS_CHUNK];

async fn unsized_body() -> HttpResponse {
    let halves = [FIRST, LAST].map(|half| Ok::<_, Infallible>(Bytes::from_static(half.as_bytes())));
    HttpResponse::Ok().streaming(stream::iter(halves))
}

async fn endless() -> HttpResponse {
    HttpResponse::Ok().streaming(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(ZEROS))))
}

async fn wait(gate: Data<Gate>) -> &'static str {
    gate.pass().await;
    "done"
}

async fn panics() -> &'static str {
    panic!("a panic of the test's handler")
}

async fn tells() -> HttpResponse {
    hoplog::current().set_error(&Fire);
    hoplog::current().set_user_id("u1");
    HttpResponse::InternalServerError().finish()
}

async fn range(request: HttpRequest) -> HttpResponse {
    let all = [FIRST, LAST].concat();
    match request.headers().get(RANGE).map(|range| range.as_bytes()) {
        None => HttpResponse::Ok().body(all),
        Some(b"bytes=6-9") => HttpResponse::PartialContent()
            .insert_header((CONTENT_RANGE, format!("bytes 6-9/{}", all.len())))
            .body(all[6..10].to_owned()),
        Some(_) => HttpResponse::RangeNotSatisfiable()
            .insert_header((CONTENT_RANGE, format!("bytes */{}", all.len())))
            .finish(),
    }
}

async fn events(gate: Data<Gate>) -> HttpResponse {
    let second = stream::once(async move {
        gate.pass().await;
        Ok::<_, Infallible>(Bytes::from_static(EVENT.as_bytes()))
    });
    let first = stream::once(async { Ok(Bytes::from_static(EVENT.as_bytes())) });
    HttpResponse::Ok().content_type("text/event-stream").streaming(first.chain(second))
}

async fn large() -> Vec<u8> {
    vec![b'a'; LARGE]
}

/// The first half, and what `second` says once the gate is open.
fn late(gate: Data<Gate>, second: fn() -> Result<&'static str, Error>) -> HttpResponse {
    let second = stream::once(async move {
        gate.pass().await;
        second()
    });
    let halves = stream::once(async { Ok(FIRST) }).chain(second);
    HttpResponse::Ok().streaming(halves.map(|half| half.map(|half| Bytes::from_static(half.as_bytes()))))
}

type Answer<B> = Result<ServiceResponse<B>, Error>;

/// Around the log layer: a timeout, and a catcher of panics, for the routes that want them.
async fn outside<B: MessageBody + 'static>(request: ServiceRequest, next: Next<B>) -> Answer<B> {
    match request.path() {
        "/slow-outside" => failing_timeout(request, next).await,
        "/panics-caught" => {
            let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
            answer.unwrap_or_else(|_| Err(ErrorInternalServerError("caught")))
        }
        _ => next.call(request).await,
    }
}

/// A timeout that is an error.
async fn failing_timeout<B: MessageBody + 'static>(request: ServiceRequest, next: Next<B>) -> Answer<B> {
    let answer = tokio::time::timeout(TIMEOUT, next.call(request)).await;
    answer.unwrap_or_else(|_| Err(ErrorGatewayTimeout("timed out")))
}

/// A timeout that is a response.
async fn answering_timeout(request: ServiceRequest, next: Next<BoxBody>) -> Answer<BoxBody> {
    let (head, _) = request.parts();
    let head = head.clone();
    let answer = tokio::time::timeout(TIMEOUT, next.call(request)).await;
    answer.unwrap_or_else(|_| Ok(ServiceResponse::new(head, HttpResponse::GatewayTimeout().finish())))
}

async fn broken(_: ServiceRequest, _: Next<BoxBody>) -> Answer<BoxBody> {
    Err(ErrorInternalServerError(BROKEN))
}
