//! From heads and headers to entries. 10.0.0.1 is a trusted proxy, 203.0.113.7 is anyone.

use std::collections::HashMap;

use hoplog_entry::Outcome;
use serde_json::Value;

use super::*;
use crate::testing::{Capture, capture_with};
use crate::{Client, Exchange};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const TRACEPARENT: (&str, &str) = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
const PROXY: &str = "10.0.0.1";
const ANYONE: &str = "203.0.113.7";

fn trusting() -> Trust {
    Trust::default().proxies(["10.0.0.0/8"])
}

fn capture(trust: Trust) -> Capture {
    capture_with(Client::builder().trust(trust)).unwrap()
}

fn head(peer: &str) -> RequestHead<'static> {
    RequestHead {
        method: "GET",
        path: "/",
        scheme: Some("http"),
        http_version: "1.1",
        peer: Some(peer.parse().unwrap()),
        peer_port: Some(4711),
        ..RequestHead::default()
    }
}

fn begin(capture: &Capture, head: &RequestHead<'_>, headers: &[(&str, &str)]) -> Exchange {
    let pairs = || headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    capture.client().begin_request(head, pairs).unwrap()
}

/// The entry of one request.
fn entry(trust: Trust, head: &RequestHead<'_>, headers: &[(&str, &str)]) -> Value {
    let capture = capture(trust);
    begin(&capture, head, headers).finish(Outcome::Completed);
    capture.entries().remove(0)
}

mod client {
    use super::*;

    const FORWARDED: [(&str, &str); 4] = [
        ("host", "inner:8080"),
        ("x-forwarded-for", "1.1.1.1, 198.51.100.9:5000, 10.0.0.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
    ];

    #[test]
    fn by_default_the_client_is_the_peer_whatever_the_headers_say() {
        let entry = entry(Trust::default(), &head(PROXY), &FORWARDED);
        assert_eq!((&entry["ip"], &entry["peer"]), (&PROXY.into(), &PROXY.into()));
        assert_eq!((&entry["scheme"], &entry["host_header"]), (&"http".into(), &"inner:8080".into()));
        assert_eq!(entry["client_port"], 4711);
    }

    #[test]
    fn a_trusted_proxy_says_who_the_client_is_and_what_it_asked_for() {
        let entry = entry(trusting(), &head(PROXY), &FORWARDED);
        assert_eq!((&entry["ip"], &entry["peer"]), (&"198.51.100.9".into(), &PROXY.into()));
        assert_eq!((&entry["scheme"], &entry["host_header"]), (&"https".into(), &"shop.example".into()));
        assert_eq!(entry["client_port"], 5000);
    }

    #[test]
    fn the_port_of_a_proxy_is_not_taken_for_the_clients() {
        let entry = entry(trusting(), &head(PROXY), &[("x-forwarded-for", "198.51.100.9")]);
        assert_eq!((&entry["ip"], &entry["client_port"]), (&"198.51.100.9".into(), &Value::Null));
    }

    #[test]
    fn anyone_else_says_nothing() {
        let entry = entry(trusting(), &head(ANYONE), &FORWARDED);
        assert_eq!((&entry["ip"], &entry["scheme"]), (&ANYONE.into(), &"http".into()));
    }

    #[test]
    fn the_configured_header_is_read_and_no_other() {
        let lines = [("forwarded", "for=\"[2001:db8::7]:443\";proto=https"), ("x-real-ip", "198.51.100.9")];
        let lines = [lines[0], lines[1], FORWARDED[1]];
        let by = |by| entry(trusting().forwarded_by(by), &head(PROXY), &lines)["ip"].clone();
        assert_eq!(by(ForwardedBy::Forwarded), "2001:db8::7");
        assert_eq!(by(ForwardedBy::Header("X-Real-IP".into())), "198.51.100.9");
    }

    #[test]
    fn without_an_address_only_unix_makes_a_proxy() {
        let head = RequestHead { peer: None, peer_port: None, ..head(PROXY) };
        let told = entry(Trust::default().proxies(["unix:"]), &head, &FORWARDED);
        assert_eq!((&told["ip"], &told["peer"]), (&"10.0.0.2".into(), &Value::Null));
        let not = entry(trusting(), &head, &FORWARDED);
        assert_eq!((&not["ip"], &not["peer"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn an_ipv4_peer_in_ipv6_form_is_written_as_ipv4() {
        let entry = entry(trusting(), &head("::ffff:10.0.0.1"), &FORWARDED);
        assert_eq!((&entry["ip"], &entry["peer"]), (&"198.51.100.9".into(), &PROXY.into()));
    }

    #[test]
    fn the_tls_version_is_what_the_server_says() {
        let head = RequestHead { tls_version: Some("1.3"), ..head(ANYONE) };
        assert_eq!(entry(Trust::default(), &head, &[])["tls_version"], "1.3");
    }
}

mod traces {
    use super::*;

    const LINES: [(&str, &str); 4] =
        [TRACEPARENT, ("tracestate", "a=1"), ("x-request-id", "r-1"), ("x-trace-id", "order-1")];

    /// What goes on to the next hop, and the entry.
    fn of(trust: Trust, peer: &str, lines: &[(&str, &str)]) -> (HashMap<&'static str, String>, Value) {
        let capture = capture(trust);
        let exchange = begin(&capture, &head(peer), lines);
        let mut sent = HashMap::new();
        exchange.inject(|name, value| {
            sent.insert(name, value.to_owned());
        });
        exchange.finish(Outcome::Completed);
        (sent, capture.entries().remove(0))
    }

    #[test]
    fn continued_everything_of_the_callers_goes_on() {
        for peer in [PROXY, ANYONE] {
            let (sent, entry) = of(trusting(), peer, &LINES);
            assert_eq!((&entry["trace_id"], &entry["parent_span_id"]), (&TRACE.into(), &SPAN.into()));
            assert_eq!((&entry["request_id"], &entry["x_trace_id"]), (&"r-1".into(), &"order-1".into()));
            assert_eq!(entry["linked_trace_id"], Value::Null);
            assert_eq!((sent["tracestate"].as_str(), sent["x-trace-id"].as_str()), ("a=1", "order-1"));
        }
    }

    #[test]
    fn restarted_the_callers_trace_is_linked_and_nothing_of_it_goes_on() {
        let (sent, entry) = of(trusting().traces_from_others(TraceMode::Restart), ANYONE, &LINES);
        assert_eq!((&entry["linked_trace_id"], &entry["linked_span_id"]), (&TRACE.into(), &SPAN.into()));
        assert_ne!(entry["trace_id"], TRACE);
        assert_eq!((&entry["parent_span_id"], &entry["x_trace_id"]), (&Value::Null, &Value::Null));
        assert_eq!(entry["request_id"], entry["id"]);
        assert!(!sent.contains_key("tracestate") && !sent.values().any(|v| v.contains(TRACE)), "{sent:?}");
        assert_eq!(sent["x-trace-id"], entry["trace_id"].as_str().unwrap());
        assert!(sent["traceparent"].ends_with("-03"), "a random id, and sampled: {}", sent["traceparent"]);
    }

    #[test]
    fn ignored_the_caller_leaves_no_mark() {
        let (sent, entry) = of(trusting().traces_from_others(TraceMode::Ignore), ANYONE, &LINES);
        assert_ne!(entry["trace_id"], TRACE);
        assert_eq!((&entry["linked_trace_id"], &entry["linked_span_id"]), (&Value::Null, &Value::Null));
        assert_eq!(entry["request_id"], entry["id"]);
        assert!(!sent.contains_key("tracestate") && !sent.values().any(|v| v.contains(TRACE)), "{sent:?}");
    }

    #[test]
    fn each_zone_has_its_mode() {
        let trust =
            || trusting().traces_from_proxies(TraceMode::Ignore).traces_from_others(TraceMode::Restart);
        assert_eq!(of(trust(), PROXY, &LINES).1["linked_trace_id"], Value::Null);
        assert_eq!(of(trust(), ANYONE, &LINES).1["linked_trace_id"], TRACE);
        let trust = || trusting().traces_from_others(TraceMode::Ignore);
        assert_eq!(of(trust(), PROXY, &LINES).1["trace_id"], TRACE);
    }

    #[test]
    fn b3_is_continued_and_its_decision_goes_on() {
        let (sent, entry) = of(Trust::default(), ANYONE, &[("b3", &format!("{TRACE}-{SPAN}-0"))]);
        assert_eq!((&entry["trace_id"], &entry["parent_span_id"]), (&TRACE.into(), &SPAN.into()));
        assert!(sent["traceparent"].ends_with("-00"), "{}", sent["traceparent"]);
        let lines = [("x-b3-traceid", &TRACE[16..]), ("x-b3-spanid", SPAN), ("x-b3-sampled", "1")];
        let (sent, entry) = of(Trust::default(), ANYONE, &lines);
        assert_eq!(entry["trace_id"], format!("0000000000000000{}", &TRACE[16..]));
        assert!(sent["traceparent"].ends_with("-01"), "{}", sent["traceparent"]);
    }
}

mod identity {
    use super::*;

    const LINES: [(&str, &str); 3] =
        [("x-user-id", "u-1"), ("x-session-id", "s-1"), ("x-tenant-id", "Größe")];

    fn ids(trust: Trust, peer: &str, lines: &[(&str, &str)]) -> [Value; 3] {
        let entry = entry(trust, &head(peer), lines);
        ["user_id", "session_id", "tenant_id"].map(|name| entry[name].clone())
    }

    #[test]
    fn it_is_taken_from_trusted_proxies_only() {
        assert_eq!(ids(trusting(), PROXY, &LINES), ["u-1", "s-1", "Größe"].map(Value::from));
        let nobody = [Value::Null, Value::Null, Value::Null];
        assert_eq!(ids(trusting(), ANYONE, &LINES), nobody);
        assert_eq!(ids(Trust::default(), PROXY, &LINES), nobody, "by default nobody is trusted");
    }

    #[test]
    fn what_is_not_printable_or_too_long_or_stands_twice_is_not_taken() {
        let (longest, long) = ("u".repeat(255), "u".repeat(256));
        let user = |lines: &[(&str, &str)]| ids(trusting(), PROXY, lines)[0].clone();
        assert_eq!(user(&[("x-user-id", &longest)]), longest);
        for id in ["", "a\tb", "a\u{1b}[31m", "\u{85}", &long] {
            assert_eq!(user(&[("x-user-id", id)]), Value::Null, "{id:?}");
        }
        assert_eq!(user(&[("x-user-id", "a"), ("x-user-id", "b")]), Value::Null);
    }

    #[test]
    fn an_id_that_has_the_shape_of_a_secret_is_masked() {
        let jwt =
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(ids(trusting(), PROXY, &[("x-user-id", jwt)])[0], "[redacted]");
    }

    #[test]
    fn the_handlers_word_goes_before_the_headers() {
        let capture = capture(trusting());
        let mut exchange = begin(&capture, &head(PROXY), &LINES);
        exchange.poll(|| crate::current().set_user_id("u-2"));
        exchange.finish(Outcome::Completed);
        assert_eq!(capture.entries()[0]["user_id"], "u-2");
    }
}

mod configuration {
    use super::*;

    fn complaints(trust: &Trust, variable: Option<&str>) -> Vec<String> {
        let mut complaints = Vec::new();
        trust.build(variable, &mut complaints);
        complaints
    }

    #[test]
    fn a_wrong_network_or_header_is_named_with_its_setting() {
        let trust = Trust::default()
            .proxies(["10.0.0.0/8", "10.0.0/8", "proxy.example"])
            .forwarded_by(ForwardedBy::Header("X Real IP".into()));
        let complaints = complaints(&trust, Some("never read"));
        assert_eq!(complaints.len(), 3, "{complaints:?}");
        for (complaint, wrong) in complaints.iter().zip(["10.0.0/8", "proxy.example", "X Real IP"]) {
            assert!(complaint.contains("`Trust::") && complaint.contains(wrong), "{complaint}");
        }
        let error = capture_with(Client::builder().trust(trust).batch_size(0)).unwrap_err();
        assert_eq!(error.complaints().len(), 4, "together with all others: {error}");
    }

    #[test]
    fn the_variable_counts_where_code_named_no_proxies() {
        let none = complaints(&Trust::default(), Some("10.0.0.0/8, ::1,unix:"));
        assert!(none.is_empty(), "{none:?}");
        let wrong = complaints(&Trust::default(), Some("10.0.0.0/8,nonsense"));
        assert!(
            matches!(&wrong[..], [one] if one.contains("HOPLOG_TRUSTED_PROXIES") && one.contains("nonsense"))
        );
        assert!(complaints(&trusting(), Some("nonsense")).is_empty());
        let rules = Trust::default().build(Some("10.0.0.0/8"), &mut Vec::new());
        assert!(rules.caller(&head(PROXY), std::iter::empty).trusted);
        let nobody = Trust::default().proxies(None::<String>).build(Some("10.0.0.0/8"), &mut Vec::new());
        assert!(!nobody.caller(&head(PROXY), std::iter::empty).trusted);
    }
}
