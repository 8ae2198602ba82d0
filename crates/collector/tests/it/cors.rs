//! Browsers on pages of other origins: what they may do, and that they may do nothing where nobody said so.

use crate::support::{Response, Server, request};

const SHOP: &str = "https://shop.example";
const PATHS: [&str; 6] = [
    "/logs",
    "/api/v1/logs",
    "/api/v1/logs/batch",
    "/api/v1/ingest/logs",
    "/api/v1/ingest/infra-logs",
    "/v1/logs",
];

fn preflight(server: &Server, path: &str, origin: &str, method: &str) -> Response {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        ("access-control-request-headers", "content-type"),
        ("sec-fetch-site", "cross-site"),
    ];
    request(server.address, "OPTIONS", path, &headers, b"")
}

fn post(server: &Server, origin: &str, key: &str) -> Response {
    let headers = [("origin", origin), ("sec-fetch-site", "cross-site"), ("x-api-key", key)];
    server.post("/logs", &headers, br#"{"logs":[{}]}"#)
}

#[test]
fn a_page_of_a_named_origin_may_send_and_nothing_else() {
    for key in ["", "hl_key"] {
        let server = Server::with(|config| {
            config.api_key(key).allow_origin(SHOP).allow_origin("http://localhost:3000")
        });
        for path in PATHS {
            let may = preflight(&server, path, SHOP, "POST");
            assert_eq!((may.status, may.header("access-control-allow-origin")), (204, Some(SHOP)), "{path}");
            assert_eq!(may.header("access-control-allow-methods"), Some("POST"));
            assert!(may.header("access-control-allow-headers").unwrap().contains("x-api-key"));
            assert_eq!(may.header("vary"), Some("origin"));
        }
        let sent = post(&server, SHOP, "hl_key");
        assert_eq!((sent.status, sent.header("access-control-allow-origin")), (200, Some(SHOP)), "{sent:?}");
        let refused = server.post("/logs", &[("origin", SHOP), ("x-api-key", "hl_key")], b"{");
        assert_eq!((refused.status, refused.header("access-control-allow-origin")), (400, Some(SHOP)));

        let headers = [("origin", SHOP), ("x-api-key", "hl_key")];
        let asked = request(server.address, "GET", "/api/v1/logs", &headers, b"");
        assert_eq!(
            (asked.status, asked.header("access-control-allow-origin")),
            (200, None),
            "questions are not for pages"
        );
        for (path, origin, method) in [
            ("/logs", "https://evil.example", "POST"),
            ("/logs", "null", "POST"),
            ("/logs", SHOP, "DELETE"),
            ("/api/v1/logs", SHOP, "GET"),
            ("/api/v1/routes", SHOP, "GET"),
            ("/", SHOP, "POST"),
        ] {
            let may_not = preflight(&server, path, origin, method);
            assert_eq!(may_not.header("access-control-allow-origin"), None, "{method} {path} of {origin}");
            assert!(may_not.status >= 400, "{method} {path} of {origin}: {may_not:?}");
        }
        let foreign = post(&server, "https://evil.example", "hl_key");
        assert_eq!(foreign.header("access-control-allow-origin"), None);
        for header in [&sent, &refused, &asked, &foreign]
            .map(|answer| answer.header("access-control-allow-credentials"))
        {
            assert_eq!(header, None);
        }
    }
}

#[test]
fn without_a_named_origin_no_page_is_told_anything() {
    let server = Server::start();
    for path in PATHS {
        let may_not = preflight(&server, path, SHOP, "POST");
        assert!(
            may_not.status >= 400 && may_not.header("access-control-allow-origin").is_none(),
            "{may_not:?}"
        );
    }
    let sent = post(&server, SHOP, "");
    assert_eq!((sent.status, sent.header("access-control-allow-origin")), (403, None));
}
