//! Secrets known by their shape, and what looks like one and is none.

use super::*;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLTQy";

fn text(raw: &str) -> String {
    RULES.text(raw).into_owned()
}

/// Each row: a text with the secret between `«` and `»`.
fn check(table: &[&str]) {
    for row in table {
        let raw = row.replace(['«', '»'], "");
        let (before, rest) = row.split_once('«').expect("a secret");
        let (_, after) = rest.split_once('»').expect("its end");
        assert_eq!(text(&raw), format!("{before}[redacted]{after}"));
        assert_eq!(text(&text(&raw)), text(&raw), "what is masked stays as it is");
    }
}

#[test]
fn tokens_and_credentials_go_whole_and_nothing_else_does() {
    check(
        &[
            &format!("token «{JWT}» refused"),
            &format!("«{JWT}.e30.abcd»"),
            "got «eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.» from peer",
            "Authorization: Bearer «abc-DEF_123.456~7/8+9==», then more",
            "authorization: bearer «0123456789»",
            "BEARER   «mF_9.B5f-4.1JqM» x",
            "sent Basic «dXNlcjpwYXNzd29yZA==» to it",
            "basic «OnNlY3JldDE=»",
            "x «-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----» y",
            "«-----BEGIN PRIVATE KEY-----\nMIIEvQ\nno end",
            "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----»",
        ]
        .map(|row| if row.contains('»') { row.to_owned() } else { format!("{row}»") })
        .each_ref()
        .map(String::as_str),
    );
}

#[test]
fn keys_of_services_go_by_their_first_letters() {
    check(&[
        "id «AKIAIOSFODNN7EXAMPLE» used",
        "(«ASIAIOSFODNN7EXAMPLE»)",
        "key=«AIzaSyA-1234567890abcdefghijklmnopqrstu»;",
        "«ya29.a0AfH6SMBx-1234567890abcdef» expired",
        "«GOCSPX-1234567890abcdefghij_-kl»",
        "push with «ghp_0123456789abcdefghijABCDEFGHIJ012345»",
        "«github_pat_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz»",
        "«glpat-0123456789abcdefghij»",
        "«npm_0123456789abcdefghijABCDEFGHIJ012345»",
        "«xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx»",
        "«xapp-1-A0123456789-1234567890123-abcdef»",
        "«sk_live_0123456789abcdefABCDEF01»",
        "«rk_test_0123456789abcdefABCDEF01»",
        "«whsec_0123456789abcdefABCDEF0123456789»",
        "«hl_0123456789abcdefABCDEF»",
        "post to https://hooks.slack.com/services/«T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX» failed",
    ]);
}

#[test]
fn urls_lose_their_userinfo_and_pairs_their_values() {
    check(&[
        "connect postgres://«app:hunter2»@db.internal:5432/shop failed",
        "redis://«:hunter2»@cache:6379",
        "GET https://example.com/cb?a=1&access_token=«abc-def»&b=2 timed out",
        "host=db user=app password=«hunter2» dbname=shop",
        "Server=db;Password=«hunter2;!»;User=app",
        "login(password=«hunter2»)",
        "{\"user\":\"bob\",\"password\":\"«hunter2»\"}",
        "{\\\"password\\\":\\\"«hunter2»\\\"}",
        "User { name: \"bob\", password: \"«hun\\\"ter2»\", age: 7 }",
        "User { api_key: Some(\"«k»\") }",
        "your otp: «123456».",
        "{\"pin\": «1234»}",
        "cookie: session=«abc»; theme=dark",
        "password => '«hunter2»'",
    ]);
}

#[test]
fn card_numbers_go_in_one_piece_and_in_groups() {
    check(&[
        "card «4111111111111111» declined",
        "«4111 1111 1111 1111»",
        "«4111-1111-1111-1111», 12/27",
        "«378282246310005»",
        "«3782 822463 10005»",
        "«30569309025904»",
        "«5555555555554444»",
        "«2223003122003222»",
        "«6011111111111117»",
        "«3530111333300000»",
        "«4222222222222»",
        "«4000 0000 0000 0000 006»",
        "{\"n\":«4111111111111111»}",
        "_«4111111111111111»_",
        "«4111 1111 1111 1111» 123",
    ]);
}

#[test]
fn mail_and_ip_addresses_go_only_if_asked_for() {
    let raw = "bob.x+y@example.co.uk from 203.0.113.7:443, [2001:db8::1]; v1.2.3 at 12:30:45. ::";
    assert_eq!(text(raw), raw);
    let asked = Redaction::default()
        .detect(Detector::Email, Treatment::Mask)
        .detect(Detector::IpAddress, Treatment::Mask)
        .build()
        .unwrap();
    let expected = "[redacted] from [redacted]:443, [[redacted]]; v1.2.3 at 12:30:45. ::";
    assert_eq!(asked.text(raw), expected);
}

#[test]
fn a_detector_that_is_turned_off_finds_nothing() {
    let redactor = Redaction::default().ignore(Detector::Card).ignore(Detector::Jwt).build().unwrap();
    let raw = format!("4111111111111111 {JWT}");
    assert_eq!(redactor.text(&raw), raw);
    assert_eq!(redactor.text("xoxb-123456789012-abc"), "[redacted]", "the others look");
}

#[test]
fn query_values_path_segments_and_headers_are_looked_into() {
    assert_eq!(query(&format!("next=1&q={JWT}&b=2")).unwrap(), "next=1&q=[redacted]&b=2");
    assert_eq!(query("q=Bearer%20mF_9.B5f-4.1JqM").unwrap(), "q=[redacted]");
    assert_eq!(query("q=pay+4111+1111+1111+1111+now").unwrap(), "q=[redacted]");
    assert_eq!(query("4111111111111111&a=1").unwrap(), "[redacted]&a=1");
    assert_eq!(path(&format!("/reset/{JWT}/x")), "/reset/[redacted]/x");
    assert_eq!(path("/cards/4111111111111111"), "/cards/[redacted]");
    assert_eq!(path("/cards/4111%2D1111%2D1111%2D1111"), "/cards/[redacted]");
    assert_eq!(url(&format!("https://x/reset/{JWT}")), "https://x/reset/[redacted]");
    let redactor = redactor();
    for _ in 0..2 {
        let value = format!("agent/1.0 {JWT}");
        assert!(!redactor.is_plain(value.as_bytes()));
        let mut out = Vec::new();
        let verdict = redactor.header_value(HeaderAction::Text, "user-agent", value.as_bytes(), &mut out);
        assert_eq!((verdict, out), (Verdict::Masked, b"agent/1.0 [redacted]".to_vec()));
        assert!(redactor.is_plain(b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"));
    }
}

/// One per line.
const INNOCENT: &str = r#"
the author tokenized the keyboard of a passenger
order 4711 placed, 3 items, total 19.90 EUR
order number 1234567890123456
order 4111111111111112
invoice 4111-1111-1111-1112
id 0190f3f2-7d9c-7c1e-9f3a-2b5c6d7e8f90
41111111-1111-4111-8111-111111111111
etag "33a64df551425fcc55e4d42a148795d9f25f89d4"
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
at 1763600000000 ms
at 1763600000000000 us
at 1763600000000000000 ns
at 2026-11-20T16:07:39.123456789Z
took 0.4111111111111111 s
ratio 1.4111111111111111
call +49 1511 1234567 or +4915112345678
call (555) 123-4567
iso 4006381333931 in stock
isbn 978-3-16-148410-0
snowflake 1234567890123456789
ip 203.0.113.7 and 2001:db8::1
mac 00:1b:44:11:3a:b7
version 1.2.3-beta.4+build.5
bearer of bad news
Bearer authentication required
Bearer token expired
WWW-Authenticate: Bearer realm="shop", error="invalid_token"
Basic information about the service
Basic realm="shop"
basic auth failed
the token: unexpected end of input
invalid session: expired
auth: failed
token == other
std::token::Token
max_tokens=4096, prompt_tokens=17
sort=created_at&status=open&limit=20
https://example.com/a@b/c?page=2#top
https://medium.com/@author/post
see https://auth.example.com:8443/login
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
pk_live_0123456789abcdefABCDEF01
sk_live_ is a prefix, ghp_ too
whl_0123456789abcdefABCDEF
cursor eyJpZCI6MTIzfQ== next
cursor eyJpZCI6MTIzNDU2Nzg5fQ. Then more
eyJ is how they begin
thread 'main' panicked at src/main.rs:12:5: index out of bounds
   3: core::panicking::panic_fmt
GET /users/{id} 200
bob@example.com wrote
user@host:~/projects
a=b, c: d, e => f
{"name":"bob","age":41,"zip":"12345"}
Kundennummer 123456
비밀번호를 잊으셨나요
"#;

#[test]
fn what_only_looks_like_a_secret_stays() {
    let lines: Vec<&str> = INNOCENT.lines().filter(|line| !line.is_empty()).collect();
    for line in &lines {
        assert_eq!(text(line), *line);
    }
    assert!(lines.len() >= 50);
    assert_eq!(text(INNOCENT), INNOCENT, "neither together");
}
