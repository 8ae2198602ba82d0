//! A record like those that requests make.

use hoplog_entry::{EntryId, Field, Kind, KnownHeader, Level, Outcome, RecordWriter, SpanId, TraceId};

/// A record as the bench request makes one.
#[must_use]
pub fn record(i: u64) -> Vec<u8> {
    let ns = 1_763_600_000_000_000_000 + i * 1_234_567;
    let mut w = RecordWriter::default();
    w.begin(Kind::Request, EntryId::generate(ns / 1_000_000), ns);
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
    w.span_id(Field::ParentSpanId, &SpanId::generate());
    w.trace_id(Field::TraceId, &TraceId::generate());
    w.span_id(Field::SpanId, &SpanId::generate());
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
