//! What the entry tells of the connection, and of a client behind a proxy.

use actix_web::web::{self, ServiceConfig};
use hoplog::testing::{capture, capture_with};
use hoplog::{Client, Trust};

use crate::rig::Rig;

fn app(config: &mut ServiceConfig, _: &Client) {
    config.route("/", web::to(async || "here"));
}

#[test]
fn the_peer_its_port_and_the_scheme_are_the_connections() {
    let (_, entry) = Rig::new(app).one("GET /", &["x-forwarded-for: 203.0.113.7", "x-user-id: u-1"]);
    assert_eq!(
        (&entry["ip"], &entry["peer"], &entry["scheme"]),
        (&"127.0.0.1".into(), &"127.0.0.1".into(), &"http".into())
    );
    assert!(entry["client_port"].as_u64().is_some_and(|port| port > 0), "{entry}");
    assert!(entry["tls_version"].is_null() && entry["user_id"].is_null(), "{entry}");
}

#[test]
fn the_tls_version_is_what_on_connect_told() {
    let (_, entry) = Rig::with(capture(), app, Some("1.3")).one("GET /", &[]);
    assert_eq!(entry["tls_version"], "1.3");
}

#[test]
fn a_trusted_proxy_says_who_the_client_and_the_user_are() {
    let trust = Trust::default().proxies(["127.0.0.0/8"]);
    let capture = capture_with(Client::builder().trust(trust)).unwrap();
    let headers = ["x-forwarded-for: 6.6.6.6, 203.0.113.7", "x-forwarded-proto: https", "x-user-id: u-1"];
    let (_, entry) = Rig::with(capture, app, None).one("GET /", &headers);
    assert_eq!((&entry["ip"], &entry["peer"]), (&"203.0.113.7".into(), &"127.0.0.1".into()));
    assert_eq!((&entry["scheme"], &entry["user_id"]), (&"https".into(), &"u-1".into()));
}
