//! Which route an entry names, wherever routers, scopes and log layers stand in each other.

use actix_web::web as actix;
use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use hoplog_actix::RequestLog;
use hoplog_testkit::rig::Rig;
use hoplog_testkit::scenarios::Subject;
use hoplog_testkit::wire::{Response, Wire};
use hoplog_tower::RequestLogLayer;
use tower::Layer as _;

use crate::{scenarios_actix, scenarios_tower};

/// A request line, its status, and the route of its entry; no entry where a request passes no layer.
type Row = (&'static str, u16, Logged);

#[derive(Clone, Copy)]
enum Logged {
    As(Option<&'static str>),
    Not,
}
use Logged::{As, Not};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_on_axum_is_whole_however_routers_are_nested_and_merged() {
    let table = [
        ("GET /api/items/7", 200, As(Some("/api/items/{id}"))),
        ("DELETE /api/items/7", 405, As(Some("/api/items/{id}"))),
        ("GET /api/deep/er/7", 200, As(Some("/api/deep/er/{id}"))),
        ("GET /merged/7", 200, As(Some("/merged/{id}"))),
        ("GET /files/a/b/c", 200, As(Some("/files/{*rest}"))),
        // The nested router's own answer to what it has not.
        ("GET /api/nothing", 404, As(None)),
        ("GET /nothing", 404, As(None)),
        // A layer inside of a nested router sees a path without the prefix; the entry has all of it.
        ("GET /inner/items/7?page=2", 200, As(Some("/inner/items/{id}"))),
        // Two layers: the outer one's entry.
        ("GET /twice/7", 200, As(Some("/twice/{id}"))),
        ("POST /route-layer/7", 200, As(Some("/route-layer/{id}"))),
        // `route_layer` leaves out what no route matches.
        ("GET /route-layer/7/8", 404, As(None)),
        ("GET /unlogged", 200, Not),
    ];
    let rig =
        Rig::new(async |client: Option<hoplog::Client>, _| scenarios_tower::serve(axum_app(client)).await);
    hold(rig.await, &table).await;
}

fn axum_app(client: Option<hoplog::Client>) -> Router {
    let ok = || get(async |request: Request| request.uri().to_string());
    let items = || Router::new().route("/items/{id}", ok());
    let deep = Router::new().nest("/er", Router::new().route("/{id}", ok()));
    let api = items().nest("/deep", deep).fallback(async || (http::StatusCode::NOT_FOUND, "no such thing"));
    let log = |router: Router| match client.clone() {
        Some(client) => router.layer(RequestLogLayer::new(client)),
        None => router,
    };
    let route_layer = Router::new().route("/route-layer/{id}", post(async || "posted"));
    let route_layer = match client.clone() {
        Some(client) => route_layer.route_layer(RequestLogLayer::new(client)),
        None => route_layer,
    };
    let outer = Router::new()
        .nest("/api", api)
        .merge(Router::new().route("/merged/{id}", ok()))
        .merge(log(Router::new().route("/twice/{id}", ok())))
        .route("/files/{*rest}", ok());
    Router::new().route("/unlogged", ok()).nest("/inner", log(items())).merge(route_layer).merge(log(outer))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_around_an_axum_router_sees_no_route() {
    let app = Router::new().route("/items/{id}", get(async || "item"));
    let rig = Rig::new(async |client: Option<hoplog::Client>, _| {
        let app = app.clone();
        scenarios_tower::serve(match client {
            Some(client) => Router::new().fallback_service(RequestLogLayer::new(client).layer(app)),
            None => app,
        })
        .await
    });
    hold(rig.await, &[("GET /items/7", 200, As(None))]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_on_actix_is_whole_however_scopes_and_resources_are_nested() {
    let table = [
        ("GET /api/v1/items/7", 200, As(Some("/api/v1/items/{id}"))),
        ("DELETE /api/v1/items/7", 405, As(Some("/api/v1/items/{id}"))),
        ("GET /files/a/b/c", 200, As(Some("/files/{tail:.*}"))),
        ("GET /api/nothing", 418, As(None)),
        ("GET /nothing", 418, As(None)),
    ];
    let rig = Rig::new(async |client: Option<hoplog::Client>, _| match client {
        Some(client) => scenarios_actix::serve!(move || {
            actix_web::App::new().configure(actix_app).wrap(RequestLog::new(client.clone()))
        }),
        None => scenarios_actix::serve!(|| actix_web::App::new().configure(actix_app)),
    });
    hold(rig.await, &table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_on_an_actix_scope_or_resource_logs_that_alone() {
    let table = [
        ("GET /scope/items/7", 200, As(Some("/scope/items/{id}"))),
        ("GET /resource/7", 200, As(Some("/resource/{id}"))),
        ("GET /scope/twice/7", 200, As(Some("/scope/twice/{id}"))),
        ("GET /scope/nothing", 404, As(None)),
        ("GET /unlogged", 200, Not),
    ];
    let rig = Rig::new(async |client: Option<hoplog::Client>, _| {
        actix_parts(client.unwrap_or_else(hoplog::Client::disabled))
    });
    hold(rig.await, &table).await;
}

fn actix_app(config: &mut actix::ServiceConfig) {
    let items = actix::resource("/items/{id}").route(actix::get().to(async || "item"));
    config
        .service(actix::scope("/api").service(actix::scope("/v1").service(items)))
        .route("/files/{tail:.*}", actix::get().to(async || "file"))
        .default_service(actix::to(async || actix_web::HttpResponse::ImATeapot().finish()));
}

fn actix_parts(client: hoplog::Client) -> Subject {
    scenarios_actix::serve!(move || {
        let log = || RequestLog::new(client.clone());
        let item = || actix::get().to(async || "item");
        let twice = actix::resource("/twice/{id}").wrap(log()).route(item());
        let scope = actix::scope("/scope").wrap(log()).route("/items/{id}", item()).service(twice);
        actix_web::App::new()
            .service(scope)
            .service(actix::resource("/resource/{id}").wrap(log()).route(item()))
            .route("/unlogged", item())
    })
}

async fn hold(mut rig: Rig, table: &[Row]) {
    for (line, status, logged) in table {
        let told = ask(&rig.logged.subject, line).await;
        let plain = ask(&rig.bare.subject, line).await;
        assert_eq!((told.status, &told.body), (*status, &plain.body), "{line}");
        assert_eq!(plain.status, *status, "{line}, without a layer");
        let As(route) = logged else { continue };
        let entry = rig.entry().await;
        let path = line.split([' ', '?']).nth(1);
        assert_eq!(entry["route"].as_str(), *route, "{line}");
        assert_eq!((entry["path"].as_str(), entry["status_code"].as_u64()), (path, Some((*status).into())));
    }
    rig.end().await;
}

async fn ask(subject: &Subject, line: &str) -> Response {
    let mut wire = Wire::connect(subject.address()).await;
    wire.send(format!("{line} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
    wire.response(line.split(' ').next().unwrap()).await
}
