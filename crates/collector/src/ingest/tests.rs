//! Batches that are almost ones: whatever comes in, each entry has one verdict, and what is kept is JSON again.

use super::entry::EntryLimits;
use super::envelope::{BatchLimits, Form, Parsed, Unreadable, parse};
use super::non_numbers::nulled;
use serde_json::Value;

const LIMITS: BatchLimits = BatchLimits { entries: 100, entry: EntryLimits { bytes: 4096, depth: 8 } };
const NOW: i64 = 1_773_144_000_000_000;
const RETENTION: i64 = 30 * 86_400 * 1_000_000;

const SEED: &str = r#"{"batch_id":"b","boot_id":"x","seq":3,"source":{"service":"s","host":"h","pid":1,"zone":"z"},
 "ledger":{"a":1},"logs":[{"id":"019cd79e-4600-7444-b57a-9c4a988035fd","level":"warning","message":"a\u0000\"b\\",
 "created_at":1773144000.25,"timestamp":"2026-03-10T12:00:00Z","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",
 "span_id":"00f067aa0ba902b7","status_code":"404","duration_ms":1e3,"stack_trace":["a","b"],"kind":"request",
 "request_headers":{"accept":["*/*"]},"metadata":{"k":[1,{"x":null}],"e":1e999},"unknown":{"a":"\ud83d\ude00"}},
 17, {"metadata":"{\"text\":{\"a\":[1]}}","text":2}, {"x":[[[[[[[[1]]]]]]]]}, {}]}"#;

fn read(body: &[u8]) -> Result<Parsed, Unreadable> {
    parse(body, &[], Form::Logs, LIMITS, NOW, RETENTION).or_else(|unreadable| {
        let body = nulled(std::str::from_utf8(body).map_err(|_| unreadable)?);
        parse(body.text.as_bytes(), &body.at, Form::Logs, LIMITS, NOW, RETENTION)
    })
}

#[test]
fn the_seed_is_read_as_it_says() {
    let parsed = read(SEED.as_bytes()).unwrap();
    assert_eq!((parsed.count, parsed.batch.rows.len(), parsed.rejected.len()), (5, 3, 2));
    let metadata = |n: usize| parsed.batch.text(parsed.batch.rows[n].metadata.unwrap());
    let expected = r#"{"k":[1,{"x":null}],"e":"1e999","unknown":{"a":"\ud83d\ude00"},"timestamp":"2026-03-10T12:00:00Z","hoplog_flags":["replaced_values"]}"#;
    assert_eq!(metadata(0), expected);
    assert_eq!(metadata(1), r#"{"text":{"a":[1]},"entry.text":2}"#);
}

#[test]
fn no_change_of_a_batch_leads_to_a_panic_or_to_something_that_is_not_json() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64; // xorshift64: the same changes at every run
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    };
    let tokens = [
        "\"", "\\", "\\u", "d800", "{", "}", "[", "]", ",", ":", "null", "1e999", "-", "0", "e", " ",
        "\u{0}", "é", "id", "NaN", "Infinity",
    ];
    let (mut read_well, mut entries) = (0, 0);
    for round in 0..30_000 {
        let mut body = SEED.as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(body.len());
            let token = tokens[random(tokens.len())].as_bytes();
            match random(4) {
                0 => drop(body.splice(at..at, token.iter().copied())),
                1 => drop(body.splice(at..(at + token.len()).min(body.len()), token.iter().copied())),
                2 => body[at] ^= 1 << random(8),
                _ => drop(body.drain(at..(at + random(20)).min(body.len()))),
            }
        }
        let Ok(parsed) = read(&body) else { continue };
        read_well += 1;
        entries += parsed.count;
        let shown = String::from_utf8_lossy(&body);
        assert_eq!(parsed.batch.rows.len() + parsed.rejected.len(), parsed.count, "round {round}: {shown}");
        for row in &parsed.batch.rows {
            for slice in [row.detail, row.metadata].into_iter().flatten() {
                let text = parsed.batch.text(slice);
                let value: Result<Value, _> = serde_json::from_str(text);
                assert!(value.is_ok_and(|v| v.is_object()), "round {round}: {text} from {shown}");
            }
        }
    }
    assert!(read_well > 2_500 && entries > 10_000, "{read_well} batches with {entries} entries were read");
}
