//! One test per sentence of the rules. The peer is always 10.0.0.1, and 10.0.0.0/8 is trusted.

use std::net::IpAddr;

use super::*;

mod properties;

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn proxies() -> Proxies {
    Proxies::parse(["10.0.0.0/8", "2001:db8:1::/48"]).unwrap()
}

fn client<'h>(by: &ForwardedBy, lines: &[(&'h str, &'h str)]) -> Client<'h> {
    by.client(ip("10.0.0.1"), &proxies(), lines.iter().map(|(name, value)| (*name, value.as_bytes())))
}

/// The client's address and port by one `Forwarded` line.
fn forwarded(line: &str) -> (String, Option<u16>) {
    let client = client(&ForwardedBy::Forwarded, &[("forwarded", line)]);
    (client.ip.unwrap().to_string(), client.port)
}

/// The client's address and port by one `X-Forwarded-For` line.
fn x_forwarded(line: &str) -> (String, Option<u16>) {
    let client = client(&ForwardedBy::XForwarded, &[("x-forwarded-for", line)]);
    (client.ip.unwrap().to_string(), client.port)
}

mod trusted {
    use super::*;

    #[test]
    fn the_word_of_a_peer_that_is_not_trusted_counts_nothing() {
        let lines = [("x-forwarded-for", &b"203.0.113.7"[..]), ("x-forwarded-proto", b"https")];
        for peer in [ip("198.51.100.1"), ip("2001:db8:2::1"), None] {
            let client = ForwardedBy::XForwarded.client(peer, &proxies(), lines);
            assert_eq!(client, Client { ip: peer, ..Client::default() });
        }
        let client = ForwardedBy::XForwarded.client(ip("10.0.0.1"), &Proxies::default(), lines);
        assert_eq!((client.ip, client.scheme), (ip("10.0.0.1"), None), "by default nobody is trusted");
    }

    #[test]
    fn a_connection_without_an_address_is_trusted_only_where_unix_is_named() {
        let unix = Proxies::parse(["unix:"]).unwrap();
        let lines = [("x-forwarded-for", &b"203.0.113.7, 10.0.0.2"[..])];
        let client = ForwardedBy::XForwarded.client(None, &unix, lines);
        assert_eq!(client.ip, ip("10.0.0.2"), "that one is not among the trusted");
        assert_eq!(ForwardedBy::XForwarded.client(None, &unix, []), Client::default());
    }

    #[test]
    fn ipv4_in_ipv6_form_is_ipv4_in_every_place() {
        let mapped = Proxies::parse(["::ffff:10.0.0.0/104", "::ffff:192.0.2.1"]).unwrap();
        for peer in ["10.9.9.9", "::ffff:10.9.9.9", "192.0.2.1", "::ffff:192.0.2.1"] {
            assert!(mapped.trust(ip(peer)), "{peer}");
            assert!(!Proxies::default().trust(ip(peer)));
        }
        assert!(!mapped.trust(ip("11.0.0.1")) && !mapped.trust(ip("192.0.2.2")));
        assert!(proxies().trust(ip("::ffff:10.0.0.1")));
        assert_eq!(x_forwarded("::ffff:203.0.113.7").0, "203.0.113.7");
        let lines: [(&str, &[u8]); 0] = [];
        assert_eq!(ForwardedBy::default().client(ip("::ffff:1.2.3.4"), &proxies(), lines).ip, ip("1.2.3.4"));
    }

    #[test]
    fn what_is_no_network_is_named() {
        let wrong = ["10.0.0.0/33", "10.0.0/8", "example.com", "", "10.0.0.0/8,10.1.0.0/16", "unix"];
        let invalid = Proxies::parse(wrong.into_iter().chain(["10.0.0.0/8", " ::1/128 "])).unwrap_err();
        assert_eq!(invalid.len(), wrong.len());
        for (invalid, text) in invalid.iter().zip(wrong) {
            assert!(invalid.to_string().starts_with(&format!("`{text}`")), "{invalid}");
        }
    }
}

mod addresses {
    use super::*;

    #[test]
    fn the_first_from_the_right_that_is_not_trusted_is_the_client() {
        let table = [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("203.0.113.7,10.0.0.3 , 10.0.0.2", "203.0.113.7"),
            ("1.1.1.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("10.0.0.9, 203.0.113.7", "203.0.113.7"),
            ("2001:db8:2::7, 2001:db8:1::1", "2001:db8:2::7"),
            ("10.0.0.4, 10.0.0.3", "10.0.0.4"), // an inner client
            ("203.0.113.7,,10.0.0.2, ,", "203.0.113.7"),
            ("", "10.0.0.1"),
            (" , ,", "10.0.0.1"),
        ];
        for (line, expected) in table {
            assert_eq!(x_forwarded(line).0, expected, "{line}");
        }
    }

    #[test]
    fn ports_are_stripped_and_that_of_the_client_is_kept() {
        let table = [
            ("203.0.113.7:4711", "203.0.113.7", Some(4711)),
            ("203.0.113.7:4711, 10.0.0.2:80", "203.0.113.7", Some(4711)),
            ("203.0.113.7, 10.0.0.2:80", "203.0.113.7", None),
            ("[2001:db8:2::7]:443", "2001:db8:2::7", Some(443)),
            ("[2001:db8:2::7]", "2001:db8:2::7", None),
        ];
        for (line, ip, port) in table {
            assert_eq!(x_forwarded(line), (ip.into(), port), "{line}");
        }
    }

    #[test]
    fn garbage_ends_the_walk_at_the_last_good_address() {
        let garbage = [
            "unknown",
            "_hidden",
            "-",
            "proxy.example",
            "203.0.113",
            "203.0.113.256",
            "203.0.113.07",
            "é",
            "203.0.113.7:",
            "203.0.113.7:0x50",
            "203.0.113.7:+80",
            "203.0.113.7:65536",
            "203.0.113.7:123456",
            "[203.0.113.7]",
            "[2001:db8::7",
            "2001:db8::7]",
            "[2001:db8::7]80",
            "[2001:db8::7]:",
            "[]",
            "fe80::1%eth0",
            "\"203.0.113.7\"",
            "203.0.113.7 10.0.0.3",
            "<script>",
        ];
        for text in garbage {
            assert_eq!(x_forwarded(text).0, "10.0.0.1", "{text}");
            assert_eq!(x_forwarded(&format!("1.1.1.1, {text}, 10.0.0.2")).0, "10.0.0.2", "{text}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines =
            [("x-forwarded-for", "1.1.1.1, 203.0.113.7"), ("accept", "*/*"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(client(&ForwardedBy::XForwarded, &lines).ip, ip("203.0.113.7"));
        let lines =
            [("forwarded", "for=1.1.1.1, for=203.0.113.7"), ("forwarded", ""), ("forwarded", "for=10.0.0.2")];
        assert_eq!(client(&ForwardedBy::Forwarded, &lines).ip, ip("203.0.113.7"));
    }

    #[test]
    fn the_walk_ends_after_twenty_proxies_however_many_there_are() {
        let hops = |n: usize| (0..n).map(|i| format!("10.1.{}.{}", i / 250, i % 250)).collect::<Vec<_>>();
        assert_eq!(x_forwarded(&format!("203.0.113.7, {}", hops(19).join(","))).0, "203.0.113.7");
        assert_eq!(x_forwarded(&format!("203.0.113.7, {}", hops(20).join(","))).0, "10.1.0.0");
        assert_eq!(x_forwarded(&hops(1_000).join(",")).0, "10.1.3.230", "the twentieth from the right");
        let many = hops(1_000);
        let lines: Vec<_> = many.iter().map(|hop| ("x-forwarded-for", hop.as_str())).collect();
        assert_eq!(client(&ForwardedBy::XForwarded, &lines).ip, ip("10.1.3.230"), "as lines of their own");
    }

    #[test]
    fn a_header_with_the_address_alone_counts_once() {
        let by = ForwardedBy::Header("cf-connecting-ip".into());
        let of = |lines: &[(&str, &str)]| client(&by, lines).ip.unwrap().to_string();
        assert_eq!(
            of(&[("cf-connecting-ip", " 203.0.113.7 "), ("x-forwarded-for", "1.1.1.1")]),
            "203.0.113.7"
        );
        assert_eq!(of(&[("cf-connecting-ip", "10.0.0.9")]), "10.0.0.9", "nothing is to the left of it");
        assert_eq!(of(&[("cf-connecting-ip", "1.1.1.1"), ("cf-connecting-ip", "203.0.113.7")]), "10.0.0.1");
        assert_eq!(of(&[("cf-connecting-ip", "1.1.1.1, 203.0.113.7")]), "10.0.0.1");
    }

    #[test]
    fn one_kind_of_header_is_read_and_no_other() {
        let lines =
            [("x-forwarded-for", "1.1.1.1"), ("x-real-ip", "2.2.2.2"), ("forwarded", "for=203.0.113.7")];
        assert_eq!(client(&ForwardedBy::Forwarded, &lines).ip, ip("203.0.113.7"));
        assert_eq!(client(&ForwardedBy::XForwarded, &lines).ip, ip("1.1.1.1"));
        assert_eq!(client(&ForwardedBy::Header("x-real-ip".into()), &lines).ip, ip("2.2.2.2"));
    }
}

mod rfc_7239 {
    use super::*;

    #[test]
    fn nodes_are_read_in_every_form_of_the_grammar() {
        let table = [
            ("for=203.0.113.7", "203.0.113.7", None),
            ("For=203.0.113.7", "203.0.113.7", None),
            ("for=\"203.0.113.7\"", "203.0.113.7", None),
            ("for=\"203.0.113.7:4711\"", "203.0.113.7", Some(4711)),
            ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17", None),
            ("FOR=\"[2001:DB8:CAFE::17]:4711\"", "2001:db8:cafe::17", Some(4711)),
            ("for=\"203.0.113.7:_gazonk\"", "203.0.113.7", None),
            ("for=\"203\\.0.113.\\7\"", "203.0.113.7", None),
            ("for=203.0.113.7;proto=http;by=203.0.113.43", "203.0.113.7", None),
            ("proto=http;;by=\"a, for=1.1.1.1\";for=203.0.113.7;", "203.0.113.7", None),
            ("for=203.0.113.7, for=10.0.0.2", "203.0.113.7", None),
            // Not of the grammar, but written by proxies.
            ("for=203.0.113.7:80 ; proto=http", "203.0.113.7", Some(80)),
            ("for=[2001:db8:cafe::17]:80", "2001:db8:cafe::17", Some(80)),
        ];
        for (line, ip, port) in table {
            assert_eq!(forwarded(line), (ip.into(), port), "{line}");
        }
    }

    #[test]
    fn hidden_nodes_and_garbage_end_the_walk_at_the_last_good_address() {
        let garbage = [
            "for=unknown",
            "for=_hidden",
            "for=\"_SEVKISEK\"",
            "proto=https",
            "for",
            "for=",
            "for=\"203.0.113.7",
            "=1",
            "for=203.0.113.7;for=203.0.113.8",
            "for=\"203.0.113.7\"x",
            "f or=203.0.113.7",
            "for =203.0.113.7 x",
            "for=203.0.113.7;proto",
            "203.0.113.7",
            "for=\"203.0.113.7\\\"",
            "for=[2001:db8::7",
            "for=a b",
        ];
        for text in garbage {
            assert_eq!(forwarded(text).0, "10.0.0.1", "{text}");
            assert_eq!(forwarded(&format!("for=1.1.1.1, {text}, for=10.0.0.2")).0, "10.0.0.2", "{text}");
        }
    }

    #[test]
    fn a_quote_that_never_closes_does_not_swallow_what_a_proxy_added() {
        for spoofed in ["for=\"", "for=\"1.1.1.1", "\\", "\"", "for=\"\\\"", ",\",", "for=1.1.1.1;x=\""] {
            assert_eq!(forwarded(&format!("{spoofed}, for=203.0.113.7")).0, "203.0.113.7", "{spoofed}");
            let line = format!("{spoofed}, for=\"[2001:db8:cafe::17]:1\", for=10.0.0.2");
            assert_eq!(forwarded(&line).0, "2001:db8:cafe::17", "{spoofed}");
        }
    }
}

mod scheme_and_host {
    use super::*;

    fn told<'h>(by: &ForwardedBy, lines: &[(&'h str, &'h str)]) -> (Option<&'static str>, Option<String>) {
        let client = client(by, lines);
        (client.scheme, client.host.map(std::borrow::Cow::into_owned))
    }

    #[test]
    fn forwarded_has_them_from_the_proxy_nearest_to_the_client_that_says_them() {
        let of = |line| told(&ForwardedBy::Forwarded, &[("forwarded", line)]);
        let shop = Some("shop.example".to_owned());
        assert_eq!(of("for=203.0.113.7;proto=HTTPS;host=shop.example"), (Some("https"), shop.clone()));
        let line = "for=1.1.1.1;proto=http;host=evil, for=203.0.113.7;proto=https;host=shop.example, \
                    for=10.0.0.2;proto=http;host=inner";
        assert_eq!(of(line), (Some("https"), shop.clone()), "what was spoofed is not read");
        let line = "for=203.0.113.7;host=shop.example, for=10.0.0.2;proto=https;host=inner";
        assert_eq!(of(line), (Some("https"), shop.clone()), "each from the nearest that says it");
        assert_eq!(of("for=_hidden;proto=https;host=shop.example"), (Some("https"), shop));
        assert_eq!(of("for=203.0.113.7;host=\"shop.example:8443\"").1.as_deref(), Some("shop.example:8443"));
        assert_eq!(of("for=203.0.113.7;host=\"sh\\op.example\"").1.as_deref(), Some("shop.example"));
    }

    #[test]
    fn x_forwarded_has_them_from_the_last_value_of_its_headers() {
        let of = |lines: &[(&'static str, &'static str)]| told(&ForwardedBy::XForwarded, lines);
        let lines = [("x-forwarded-proto", "http, https"), ("x-forwarded-host", "evil, shop.example")];
        assert_eq!(of(&lines), (Some("https"), Some("shop.example".into())));
        let lines = [("x-forwarded-proto", "http"), ("x-forwarded-proto", "HTTPS")];
        assert_eq!(of(&lines), (Some("https"), None));
    }

    #[test]
    fn what_cannot_be_one_is_left_out() {
        for (scheme, host) in
            [("ftp", "a b"), ("https:", "u:p@shop.example"), ("", ""), ("javascript", "a/b")]
        {
            let lines = [("x-forwarded-proto", scheme), ("x-forwarded-host", host)];
            assert_eq!(told(&ForwardedBy::XForwarded, &lines), (None, None), "{scheme} {host}");
        }
        let long = "h".repeat(256);
        assert_eq!(told(&ForwardedBy::XForwarded, &[("x-forwarded-host", &long)]).1, None);
    }
}
