//! The answers of an OTLP/HTTP server (OpenTelemetry protocol, "OTLP/HTTP Response").

use std::time::SystemTime;

use hoplog_entry::DropReason;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use super::{Answer, Cause, Verdict};

/// Characters of a server's message that are passed on.
const LONGEST_REMARK: usize = 200;

impl Verdict {
    /// The answer to a batch of `entries`. What the server rejected must not be sent again; nor a batch that it
    /// refused with a status other than those that ask for it. Where it refuses whoever asks, or is no OTLP server at
    /// all, it has judged no batch: what is kept then is asked about rarely, until a person has put it right.
    pub(crate) fn of_otlp(answer: &Answer, entries: u64, now: SystemTime) -> Self {
        match answer.status {
            200..=299 => {
                let rejected = rejected(&answer.body).min(entries);
                Self::Delivered { stored: entries - rejected, duplicates: 0, rejected }
            }
            429 => Self::retry(answer.wait(now), Cause::Throttled, "the OTLP server asks to slow down"),
            502..=504 => Self::retry(answer.wait(now), Cause::Away, "the OTLP server is not available"),
            401 | 403 => {
                Self::paused("the OTLP server refused the credentials; check OTEL_EXPORTER_OTLP_HEADERS")
            }
            300..=399 | 404 | 405 | 501 | 505 => Self::paused(
                "there is no OTLP/HTTP server at the endpoint; check OTEL_EXPORTER_OTLP_ENDPOINT",
            ),
            // Halves are requests of their own.
            413 => Self::Spoiled {
                why: "the OTLP server found an entry too large",
                sure: true,
                reason: DropReason::EntryTooLarge,
            },
            400 | 422 => {
                let why = "the OTLP server refused an entry";
                Self::Spoiled { why, sure: true, reason: DropReason::Poison }
            }
            _ => {
                Self::Refused { why: "the OTLP server refused the batch", reason: DropReason::ServerRejected }
            }
        }
    }
}

/// `partial_success.rejected_log_records` of an `ExportLogsServiceResponse`. 0 where the body is none: a 2xx says that
/// the batch was taken, and some servers answer in JSON, or with nothing.
fn rejected(body: &[u8]) -> u64 {
    match partial_success(body).and_then(|partial| field(partial, 1, WireType::Varint)).flatten() {
        // An int64; a negative one would be nonsense.
        Some(Field::Varint(n)) => u64::try_from(n as i64).unwrap_or(0),
        _ => 0,
    }
}

/// What is to be told of the answer to a batch that was taken, in one line: `partial_success.error_message`, which says
/// why entries were rejected, or warns where none was; and that it is no answer of OTLP's, not even one in JSON.
pub(crate) fn remark(body: &[u8]) -> Option<String> {
    if field(body, 1, WireType::LengthDelimited).is_none() && !body.trim_ascii_start().starts_with(b"{") {
        return Some("its answer is not one of OTLP; check OTEL_EXPORTER_OTLP_ENDPOINT".into());
    }
    let message = field(partial_success(body)?, 2, WireType::LengthDelimited).flatten();
    let Some(Field::Bytes(message)) = message.filter(|m| !matches!(m, Field::Bytes([]))) else { return None };
    let text = String::from_utf8_lossy(message);
    let line: String = text.chars().take(LONGEST_REMARK).flat_map(char::escape_debug).collect();
    Some(format!("it says: {line}"))
}

fn partial_success(body: &[u8]) -> Option<&[u8]> {
    match field(body, 1, WireType::LengthDelimited).flatten()? {
        Field::Bytes(partial) => Some(partial),
        Field::Varint(_) => None,
    }
}

enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
}

/// The last field of that tag and type; the outer `None` where the message cannot be read.
fn field(mut message: &[u8], tag: u32, ty: WireType) -> Option<Option<Field<'_>>> {
    let mut found = None;
    while !message.is_empty() {
        let (this, wire) = decode_key(&mut message).ok()?;
        match (this == tag && wire == ty, wire) {
            (true, WireType::Varint) => found = Some(Field::Varint(decode_varint(&mut message).ok()?)),
            (true, WireType::LengthDelimited) => {
                let len = usize::try_from(decode_varint(&mut message).ok()?).ok()?;
                let (bytes, rest) = message.split_at_checked(len)?;
                found = Some(Field::Bytes(bytes));
                message = rest;
            }
            _ => skip_field(wire, this, &mut message, DecodeContext::default()).ok()?,
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn verdict(status: u16, retry_after: Option<&str>, body: &[u8]) -> Verdict {
        let answer = Answer {
            status,
            retry_after: retry_after.map(Into::into),
            #[cfg(feature = "zstd")]
            accept_encoding: None,
            body: body.to_vec(),
        };
        Verdict::of_otlp(&answer, 5, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn what_is_rejected_in_part_is_counted_and_nothing_else_is_lost() {
        for (body, expected) in [
            (&b""[..], 0),
            (b"{}", 0),
            (b"{\"partialSuccess\":{}}", 0),
            (b"\x0a\x00", 0),
            (b"\x0a\x02\x08\x02", 2),
            (b"\x0a\x07\x08\x02\x12\x03bad", 2),
            (b"\x0a\x07\x12\x03bad\x08\x02", 2),
            (b"\x12\x01x\x0a\x02\x08\x03", 3),
            (b"\x0a\x02\x08\x63", 5), // more than there were
            (b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0), // -1
            (b"\x0a\x7f\x08\x02", 0), // cut
            (b"\x0a\x02\x08", 0),
            (b"\xff\xff\xff\xff\xff\xff", 0),
        ] {
            let expected = Verdict::Delivered { stored: 5 - expected, duplicates: 0, rejected: expected };
            assert_eq!(verdict(200, None, body), expected, "{body:?}");
        }
    }

    #[test]
    fn what_the_server_remarks_is_one_line_of_a_bounded_length() {
        let long = [b"\x0a\xc8\x01\x12\xc5\x01".to_vec(), vec![b'x'; 197]].concat();
        let longer = [b"\x0a\xf7\x02\x12\xf4\x02".to_vec(), vec![b'x'; 372]].concat();
        let [x197, x200] = [197, 200].map(|n| format!("it says: {}", "x".repeat(n)));
        let other = "its answer is not one of OTLP; check OTEL_EXPORTER_OTLP_ENDPOINT";
        for (body, expected) in [
            (&b"\x0a\x07\x08\x02\x12\x03bad"[..], Some("it says: bad")),
            (b"\x0a\x05\x12\x03bad", Some("it says: bad")),
            (b"\x0a\x07\x12\x05a\nb\x1b\xff", Some("it says: a\\nb\\u{1b}\u{fffd}")),
            (b"\x0a\x02\x12\x00", None),
            (b"\x0a\x02\x08\x02", None),
            (b"", None),
            (b" {\"partialSuccess\":{}}", None),
            (b"<html>It works!</html>", Some(other)),
            (&long, Some(x197.as_str())),
            (&longer, Some(x200.as_str())),
        ] {
            assert_eq!(remark(body).as_deref(), expected, "{body:?}");
        }
    }

    #[test]
    fn only_what_the_protocol_names_is_sent_again() {
        for status in 100..600 {
            let retried = matches!(verdict(status, None, b""), Verdict::Retry { after: None, .. });
            assert_eq!(retried, [429, 502, 503, 504].contains(&status), "{status}");
            let delivered = matches!(verdict(status, None, b""), Verdict::Delivered { .. });
            assert_eq!(delivered, (200..300).contains(&status), "{status}");
        }
        for status in [429, 503] {
            let Verdict::Retry { after, .. } = verdict(status, Some("7"), b"") else { panic!("{status}") };
            assert_eq!(after, Some(Duration::from_secs(7)));
        }
        for status in [401, 403, 404, 405, 301, 501] {
            assert!(matches!(verdict(status, None, b""), Verdict::Paused { .. }), "{status} loses nothing");
        }
    }
}
