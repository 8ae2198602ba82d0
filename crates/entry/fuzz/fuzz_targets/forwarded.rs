//! Any header values are walked without a panic, and what a trusted proxy added at the right end decides alone.
#![no_main]

use hoplog_entry::forwarded::{ForwardedBy, Proxies};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: Vec<Vec<u8>>| {
    let proxies = Proxies::parse(["10.0.0.0/8", "unix:"]).expect("networks");
    let names = ["forwarded", "x-forwarded-for", "x-real-ip"];
    for peer in [None, Some([10, 0, 0, 1].into())] {
        for (by, name) in
            [ForwardedBy::Forwarded, ForwardedBy::XForwarded, ForwardedBy::Header("x-real-ip".into())]
                .iter()
                .zip(names)
        {
            let client = by.client(peer, &proxies, lines.iter().map(|line| (name, line.as_slice())));
            assert!(client.host.is_none_or(|host| host.bytes().all(|b| b.is_ascii_graphic())));
        }
        for (by, name, added) in [
            (ForwardedBy::XForwarded, "x-forwarded-for", &b", 203.0.113.7"[..]),
            (ForwardedBy::Forwarded, "forwarded", b", for=\"203.0.113.7\""),
        ] {
            let mut lines = lines.clone();
            match lines.last_mut() {
                Some(last) => last.extend_from_slice(added),
                None => lines.push(added.to_vec()),
            }
            let client = by.client(peer, &proxies, lines.iter().map(|line| (name, line.as_slice())));
            assert_eq!(client.ip, Some([203, 0, 113, 7].into()));
        }
    }
});
