//! What the rules say of a request, where its route is known only with the response.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, error};
use hoplog::testing::capture_with;
use hoplog::{Client, Level, Requests, RouteRules};

use crate::rig::Rig;

fn app(config: &mut ServiceConfig, _: &Client) {
    config
        .route("/healthz", web::to(async || HttpResponse::Ok()))
        .route("/readyz", web::to(async || HttpResponse::ServiceUnavailable()))
        .service(
            web::scope("/internal")
                .route("/{id}", web::to(async || "hidden"))
                .route("/{id}/fails", web::to(async || Err::<&str, _>(error::ErrorForbidden("hidden")))),
        )
        .route("/assets/{file}", web::to(async || "body{}"))
        .route("/upload/{id}", web::to(async || HttpResponse::PayloadTooLarge()))
        .route("/last", web::to(async || "seen"));
}

#[test]
fn skipped_routes_and_healthy_checks_leave_nothing_and_others_follow_their_rules() {
    let rules = RouteRules::default().level(413, Level::Info).request_headers(false);
    let requests = Requests::default()
        .skip_prefix("/assets")
        .skip_route("/internal/{id}")
        .skip_route("/internal/{id}/fails")
        .route("/upload/{id}", rules);
    let capture = capture_with(Client::builder().requests(requests)).unwrap();
    let client = capture.client();
    let rig = Rig::with(capture, app, None);
    for (path, status, has_ids) in [
        ("/healthz", 200, true),
        ("/internal/7", 200, true), // its route came too late to leave the response alone
        ("/internal/7/fails", 403, true),
        ("/assets/a.css", 200, false),
        ("/readyz", 503, true),
        ("/upload/7", 413, true),
        ("/last", 200, true),
    ] {
        let answer = rig.server.ask(&format!("GET {path}"), &["accept: */*"]);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-request-id").is_some(), has_ids, "{path}");
    }
    let entries = rig.entries(3);
    let seen: Vec<_> =
        entries.iter().map(|e| (e["path"].as_str().unwrap(), e["level"].as_str().unwrap())).collect();
    assert_eq!(seen, [("/readyz", "ERROR"), ("/upload/7", "INFO"), ("/last", "INFO")]);
    assert!(entries[1]["request_headers"].get("accept").is_none(), "{}", entries[1]);
    assert_eq!(entries[2]["request_headers"]["accept"][0], "*/*");
    let stats = client.stats();
    assert_eq!((stats.accepted, stats.refused.total()), (3, 0), "what is skipped is not counted");
}
