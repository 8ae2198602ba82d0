use hoplog_entry::Outcome;
use serde_json::Value;

use super::*;
use crate::testing::capture_with;
use crate::{Client, Redaction, RequestHead, Trust};

const FIREFOX: (&str, &str) =
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
const WECHAT: (&str, &str) = (
    "user-agent",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0.42(0x18002a2f)",
);

fn entry(redaction: Redaction, path: &str, headers: &[(&str, &str)]) -> Value {
    let capture =
        capture_with(Client::builder().redaction(redaction).trust(Trust::default().client_types())).unwrap();
    let head = RequestHead { method: "GET", path, http_version: "1.1", ..RequestHead::default() };
    let pairs = || headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    capture.client().begin_request(&head, pairs).unwrap().finish(Outcome::Completed);
    capture.entries().remove(0)
}

/// Client type and origin; an unknown origin is left out.
fn client(headers: &[(&str, &str)]) -> (String, Option<String>) {
    let entry = entry(Redaction::default(), "/", headers);
    (entry["client_type"].as_str().unwrap().to_owned(), entry["origin"].as_str().map(Into::into))
}

#[test]
fn the_first_sign_in_the_order_of_the_rules_decides() {
    let (referer, service) = (("referer", "https://shop.example/"), ("x-caller-service", "billing"));
    let table: [(&[(&str, &str)], &str); 13] = [
        (&[], "other"),
        (&[("user-agent", "curl/8.5.0")], "other"),
        (&[FIREFOX], "other"),
        (&[("user-agent", "curl/8.5.0"), referer], "other"),
        (&[FIREFOX, referer], "web"),
        (&[FIREFOX, ("origin", "https://shop.example")], "web"),
        (&[FIREFOX, referer, service], "server"),
        (&[WECHAT, referer, service], "miniprogram"),
        (&[("user-agent", "x MINIPROGRAM y")], "miniprogram"),
        (&[("user-agent", "miniprogram")], "miniprogram"),
        (&[("user-agent", "minimal/1.0 mini")], "other"),
        (&[WECHAT, ("x-client-type", "app")], "app"),
        (&[WECHAT, ("x-client-type", "no word")], "miniprogram"),
    ];
    for (headers, kind) in table {
        assert_eq!(client(headers).0, kind, "{headers:?}");
    }
}

#[test]
fn a_mini_program_is_found_at_every_place_of_the_user_agent() {
    for before in 0..50 {
        for after in [0, 1, 15, 16, 17, 40] {
            let agent = format!("{}MiniProgram{}", "x".repeat(before), "y".repeat(after));
            assert_eq!(client(&[("user-agent", &agent)]).0, "miniprogram", "{agent}");
            let agent = agent.replace("Mini", "Nimi");
            assert_eq!(client(&[("user-agent", &agent)]).0, "other", "{agent}");
        }
    }
}

#[test]
fn each_kind_of_client_has_its_origin() {
    let of = |headers: &[(&str, &str)]| client(headers).1;
    let origin = ("origin", "https://shop.example");
    assert_eq!(of(&[FIREFOX, origin]).as_deref(), Some("https://shop.example"));
    assert_eq!(
        of(&[FIREFOX, origin, ("referer", "https://shop.example/cart")]).unwrap(),
        "https://shop.example/cart"
    );
    let mini =
        [WECHAT, ("x-miniprogram-appid", "wx123"), ("x-miniprogram-path", "/pages/cart?id=7&token=hunter2")];
    assert_eq!(of(&mini).unwrap(), "miniprogram:wx123/pages/cart?id=7&token=[redacted]");
    let app =
        [("x-client-type", "app"), ("x-app-name", "shop"), ("x-app-version", "2.1"), ("x-app-scene", "push")];
    assert_eq!(of(&app).unwrap(), "app:shop/2.1/push");
    assert_eq!(
        of(&[("x-caller-service", "billing"), ("x-caller-version", "1.4")]).unwrap(),
        "server:billing/1.4"
    );
    for unknown in [&[][..], &[FIREFOX], &[WECHAT], &[("x-client-type", "app")], &[("x-client-type", "tv")]] {
        assert_eq!(of(unknown), None, "{unknown:?}");
    }
}

#[test]
fn an_origin_is_masked_as_the_referer_is_and_is_not_told_where_that_is_denied() {
    let headers = [FIREFOX, ("referer", "https://u:hunter2@shop.example/?q=1&password=hunter2")];
    let masked = entry(Redaction::default(), "/", &headers);
    let (origin, referer) =
        (masked["origin"].as_str().unwrap(), masked["request_headers"]["referer"][0].as_str());
    assert!(!origin.contains("hunter2") && origin.contains("q=1"), "{origin}");
    assert_eq!(Some(origin), referer);
    let denied = entry(Redaction::default().deny_header("referer"), "/", &headers);
    assert_eq!((&denied["client_type"], &denied["origin"]), (&"web".into(), &Value::Null));
}

#[test]
fn the_api_version_is_the_second_part_of_an_api_path() {
    for (path, version) in [
        ("/api/v1/users", Some("v1")),
        ("/api/v12", Some("v12")),
        ("/api/v1/", Some("v1")),
        ("/api/v/users", None),
        ("/api/v1beta/users", None),
        ("/api/v123456/users", None),
        ("/api/users", None),
        ("/v1/api/v2", None),
        ("/api", None),
        ("/", None),
    ] {
        assert_eq!(api_version(path), version, "{path}");
        assert_eq!(entry(Redaction::default(), path, &[])["api_version"].as_str(), version, "{path}");
    }
}
