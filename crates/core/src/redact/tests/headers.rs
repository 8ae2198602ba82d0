use super::HeaderAction::{Keep, Mask, Skip, Text, Url};
use super::*;

#[test]
fn the_listed_headers_are_kept_and_no_other() {
    let redactor = redactor();
    for name in [
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "range",
        "traceparent",
        "x-forwarded-for",
        "x-request-id",
    ] {
        assert_eq!(redactor.header(name.as_bytes()), Keep, "{name}");
    }
    assert_eq!(redactor.header(b"user-agent"), Text);
    for name in ["origin", "referer"] {
        assert_eq!(redactor.header(name.as_bytes()), Url, "{name}");
    }
    for name in [
        "authorization",
        "cookie",
        "set-cookie",
        "proxy-authorization",
        "x-api-key",
        "x-tenant",
        "location",
        "accep",
        "acceptt",
        "x",
        "",
    ] {
        assert_eq!(redactor.header(name.as_bytes()), Skip, "{name}");
    }
}

#[test]
fn all_headers_keeps_every_one_and_replaces_the_values_of_secret_ones() {
    let redactor = Redaction::default().all_headers().build().unwrap();
    for name in [
        "authorization",
        "cookie",
        "set-cookie",
        "proxy-authorization",
        "x-api-key",
        "x-auth-token",
        "x-amz-security-token",
        "x-csrf-token",
        "sec-websocket-protocol",
        "dpop",
        "x-company-secret",
    ] {
        assert_eq!(redactor.header(name.as_bytes()), Mask, "{name}");
    }
    for name in ["accept", "x-forwarded-for", "etag", "x-real-ip"] {
        assert_eq!(redactor.header(name.as_bytes()), Keep, "{name}");
    }
    for name in ["x-tenant", "www-authenticate", "sec-websocket-key", "user-agent", ""] {
        assert_eq!(redactor.header(name.as_bytes()), Text, "{name}");
    }
    for name in ["referer", "location", "x-original-url", "link"] {
        assert_eq!(redactor.header(name.as_bytes()), Url, "{name}");
    }
}

#[test]
fn names_are_known_in_any_case() {
    for redactor in [redactor(), Redaction::default().all_headers().keep_header("X-Tenant").build().unwrap()]
    {
        for name in ["Accept", "REFERER", "Authorization", "X-Api-Key", "x-TENANT", "DPoP", "Location"] {
            let lower = name.to_ascii_lowercase();
            assert_eq!(redactor.header(name.as_bytes()), redactor.header(lower.as_bytes()), "{name}");
        }
    }
}

#[test]
fn the_lists_of_the_application_go_before_the_built_in_ones_but_a_secret_stays_one() {
    let lists = Redaction::default()
        .keep_header("X-Tenant")
        .keep_header("location")
        .keep_header("x-session-count")
        .keep_header("x-session-kind")
        .keep_header("dpop")
        .deny_header("user-agent")
        .deny_header("X-Internal")
        .innocent_name("x-session-kind");

    let redactor = lists.clone().build().unwrap();
    assert_eq!(redactor.header(b"x-tenant"), Text);
    assert_eq!(redactor.header(b"location"), Url);
    assert_eq!(redactor.header(b"x-session-count"), Mask, "kept by name, secret by name");
    assert_eq!(redactor.header(b"x-session-kind"), Text, "declared innocent");
    assert_eq!(redactor.header(b"dpop"), Text, "denied by the built-in list alone");
    assert_eq!(redactor.header(b"user-agent"), Skip);
    assert_eq!(redactor.header(b"x-internal"), Skip);

    let all = lists.all_headers().build().unwrap();
    assert_eq!(all.header(b"user-agent"), Mask);
    assert_eq!(all.header(b"x-internal"), Mask);
    assert_eq!(all.header(b"x-session-kind"), Text);
}

#[test]
fn many_names_of_the_application_are_all_found() {
    let names: Vec<String> = (0..500).map(|i| format!("x-custom-header-{i}-of-many")).collect();
    let config = names.iter().fold(Redaction::default(), |r, name| r.keep_header(name));
    let redactor = config.build().unwrap();
    for name in &names {
        assert_eq!(redactor.header(name.as_bytes()), Text, "{name}");
    }
    assert_eq!(redactor.header(b"x-custom-header-500-of-many"), Skip);
}

#[test]
fn a_header_that_names_a_host_has_no_room_for_a_password() {
    let plain = Redaction::default().all_headers();
    let asking = plain.clone().custom(|_, _, _| None);
    let truncating = plain.clone().client_ip(ClientIp::Truncate);
    for redactor in [plain, asking, truncating].map(|redaction| redaction.build().unwrap()) {
        for (name, before) in
            [("x-original-host", ""), ("x-forwarded-host", ""), ("forwarded", "proto=https;host=")]
        {
            let action = redactor.header(name.as_bytes());
            let value = |host: &str| {
                let value = format!("{before}{host}");
                redactor.header_value(action, name, value.as_bytes(), &mut Vec::new())
            };
            assert_eq!(value("user:hunter2@example.org"), Verdict::Masked, "{name}");
            assert_eq!(value("example.org"), Verdict::Unchanged, "{name}");
        }
    }
}
