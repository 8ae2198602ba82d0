//! Properties: any bytes are read, and nothing to the left of the client's address changes the answer.

use proptest::prelude::*;

use super::{client, ip, proxies};
use crate::forwarded::*;

/// What a trusted chain writes for a client that is not trusted, and what it says.
fn genuine() -> impl Strategy<Value = (String, String, String, Option<u16>)> {
    let address = prop_oneof![
        (1u8..=9, any::<[u8; 3]>()).prop_map(|(a, [b, c, d])| (format!("{a}.{b}.{c}.{d}"), false)),
        any::<[u16; 2]>().prop_map(|[a, b]| (format!("2001:db8:2::{a:x}:{b:x}"), true)),
    ];
    let port = prop::option::of(1u16..);
    (address, port, prop::collection::vec(any::<[u8; 3]>(), 0..5)).prop_map(|((address, v6), port, inner)| {
        let node = match (v6, port) {
            (true, Some(port)) => format!("[{address}]:{port}"),
            (true, None) => format!("[{address}]"),
            (false, Some(port)) => format!("{address}:{port}"),
            (false, None) => address.clone(),
        };
        let (mut list, mut elements) = (node.clone(), format!("for=\"{node}\";proto=https"));
        for [a, b, c] in inner {
            list += &format!(", 10.{a}.{b}.{c}");
            elements += &format!(",for=10.{a}.{b}.{c};proto=http");
        }
        (list, elements, address, port)
    })
}

proptest! {
    #[test]
    fn what_stands_left_of_the_client_never_changes_the_answer(
        (list, elements, address, port) in genuine(),
        spoofed in prop_oneof![
            "[ -~\\t\\x80-\\xff]{0,60}",
            "((for|proto|host|by)=\"?[0-9.:\\[\\]\\\\_a-z]{0,12}\"?[;, ]?){0,6}",
            "(10\\.0\\.0\\.[0-9], ?){0,30}",
        ],
        own_line in any::<bool>(),
    ) {
        for (by, name, genuine, scheme) in [
            (ForwardedBy::XForwarded, "x-forwarded-for", &list, None),
            (ForwardedBy::Forwarded, "forwarded", &elements, Some("https")),
        ] {
            let together = format!("{spoofed},{genuine}");
            let found = if own_line {
                client(&by, &[(name, &spoofed), (name, genuine)])
            } else {
                client(&by, &[(name, &together)])
            };
            let expected = Client { ip: ip(&address), port, scheme, host: None, forwarded: true };
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic_and_what_they_say_is_sound(
        lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..30),
        name in prop::sample::select(vec!["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"]),
    ) {
        for by in [ForwardedBy::Forwarded, ForwardedBy::XForwarded, ForwardedBy::Header("x-real-ip".into())] {
            let lines = lines.iter().map(|line| (name, line.as_slice()));
            let client = by.client(ip("10.0.0.1"), &proxies(), lines);
            prop_assert!(client.ip.is_some());
            prop_assert!(client.host.is_none_or(|host| host.bytes().all(|b| b.is_ascii_graphic() && b != b'@')));
        }
    }
}
