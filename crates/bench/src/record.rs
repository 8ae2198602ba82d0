//! A record like those that requests make.

use hoplog_entry::{EntryId, Field, Kind, KnownHeader, Level, Outcome, RecordWriter, SpanId, TraceId};

/// A record as the bench request makes one: the same for the same number, so that what becomes of it can be counted.
#[must_use]
#[expect(clippy::expect_used, reason = "no hash of a number is zero")]
pub fn record(i: u64) -> Vec<u8> {
    let ns = 1_763_600_000_000_000_000 + i * 1_234_567;
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, entry_id(ns / 1_000_000, i), ns);
    let span = |n: u64| SpanId::from_bytes(scattered(3 * i + n).to_be_bytes()).expect("not zero");
    w.text(Field::Method, "GET");
    w.text(Field::Path, &format!("/api/v1/users/{i}/orders"));
    w.text(Field::Query, "status=open&limit=20&sort=created_at");
    w.text(Field::Route, "/api/v1/users/{user}/orders");
    w.text(Field::HttpVersion, "1.1");
    for (name, value) in [
        (KnownHeader::Host, "shop.example.com"),
        (KnownHeader::UserAgent, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        (KnownHeader::Accept, "application/json, text/plain, */*"),
        (KnownHeader::AcceptEncoding, "gzip, deflate, br, zstd"),
        (KnownHeader::AcceptLanguage, "en-US,en;q=0.5"),
        (KnownHeader::XRequestId, "0190f3f2-7d9c-7c1e-9f3a-2b5c6d7e8f90"),
        (KnownHeader::XForwardedFor, "203.0.113.7, 10.0.0.2"),
        (KnownHeader::TraceParent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ] {
        w.known_header(Field::RequestHeader, name, value.as_bytes());
    }
    w.text(Field::HostHeader, "shop.example.com");
    w.span_id(Field::ParentSpanId, &span(0));
    w.trace_id(Field::TraceId, &TraceId::from_bytes(two(7 * i)).expect("not zero"));
    w.span_id(Field::SpanId, &span(1));
    w.text(Field::RequestId, "0190f3f2-7d9c-7c1e-9f3a-2b5c6d7e8f90");
    w.known_header(Field::ResponseHeader, KnownHeader::ContentType, b"text/plain; charset=utf-8");
    w.known_header(Field::ResponseHeader, KnownHeader::ContentLength, b"2");
    w.uint(Field::StatusCode, 200);
    w.nanos(Field::Ttfb, 812_345 + i);
    w.uint(Field::ResponseSize, 2);
    w.uint(Field::RequestSize, 0);
    w.ip(Field::Ip, [203, 0, 113, 7].into());
    w.ip(Field::Peer, [10, 0, 0, 2].into());
    w.nanos(Field::Duration, 901_234 + i);
    w.end(Level::Info, Some(Outcome::Completed)).to_vec()
}

/// An id of that time; the rest of its bits is as good as random.
fn entry_id(unix_ms: u64, i: u64) -> EntryId {
    let mut id = two(11 * i);
    id[..6].copy_from_slice(&unix_ms.to_be_bytes()[2..]);
    id[6] = 0x70 | id[6] & 0xf;
    id[8] = 0x80 | id[8] & 0x3f;
    EntryId::from_bytes(id)
}

fn two(i: u64) -> [u8; 16] {
    (u128::from(scattered(i)) << 64 | u128::from(scattered(!i))).to_be_bytes()
}

/// Numbers one after the other become numbers that look random (the finaliser of splitmix64).
const fn scattered(i: u64) -> u64 {
    let mut z = i.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
