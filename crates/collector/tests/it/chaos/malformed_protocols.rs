//! The same for the other protocols: OTLP in both encodings, and the routes of logs-sdk.

use super::malformed::{BITS, wire};
use super::{Dice, ask, figure, payload, times};
use crate::support::{NOON, Server};
use hoplog_entry::EntryId;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SENDERS: u8 = 8;

const FORMS: [(&str, &str); 4] = [
    ("/v1/logs", "application/x-protobuf"),
    ("/v1/logs", "application/json"),
    ("/api/v1/ingest/logs", "application/json"),
    ("/api/v1/ingest/infra-logs", "application/json"),
];

/// A field of bytes of a message.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![tag << 3 | 2];
    let mut len = bytes.len();
    while len > 127 {
        out.push((len & 127 | 128) as u8);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
    out
}

fn attribute(name: &str, value: &[u8]) -> Vec<u8> {
    field(6, &[field(1, name.as_bytes()), field(2, value)].concat())
}

fn protobuf(ids: &[EntryId]) -> Vec<u8> {
    let records: Vec<u8> = ids
        .iter()
        .flat_map(|id| {
            let list = field(6, &field(1, &[field(1, b"k"), field(2, &field(1, b"v"))].concat()));
            let parts = [
                vec![9, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17],
                field(5, &field(1, payload(*id).as_bytes())),
                attribute("log.record.uid", &field(1, id.to_string().as_bytes())),
                attribute("http.response.status_code", &[24, 200, 1]),
                attribute("nested", &field(5, &field(1, &list))),
                attribute("bytes", &field(7, &[0, 255])),
                field(9, &[7; 16]),
            ];
            field(2, &parts.concat())
        })
        .collect();
    let resource = field(1, &field(1, &[field(1, b"service.name"), field(2, &field(1, b"shop"))].concat()));
    field(1, &[resource, field(2, &[field(1, &field(1, b"scope")), records].concat())].concat())
}

/// A good body of this form with these entries.
fn good(form: usize, ids: &[EntryId]) -> Vec<u8> {
    let text = |name: &str, value: String| json!({"key": name, "value": {"stringValue": value}});
    match form {
        0 => return protobuf(ids),
        1 => {
            let records: Vec<_> = ids
                .iter()
                .map(|id| {
                    json!({"timeUnixNano": (NOON * 1_000_000_000).to_string(), "severityNumber": 9,
                           "body": {"stringValue": payload(*id)}, "traceId": "07".repeat(16),
                           "attributes": [text("log.record.uid", id.to_string()), text("url.path", "/ä".into()),
                               {"key": "n", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"doubleValue": 0.5}]}}}]})
                })
                .collect();
            json!({"resourceLogs": [{"resource": {"attributes": [text("service.name", "shop".into())]},
                                     "scopeLogs": [{"scope": {"name": "s"}, "logRecords": records}]}]})
        }
        2 => {
            let entry = |id: &EntryId| {
                json!({"uuid": id.to_string().replace('-', ""), "method": "MANUAL", "path": "/_log/info",
                       "request_body": payload(*id), "request_headers": "{\"a\":\"b\"}", "tags": "{\"t\":[1]}",
                       "client_ip": "192.0.2.1, 10.0.0.1", "duration_ms": "1.5", "status_code": 0})
            };
            json!({"logs": ids.iter().map(entry).collect::<Vec<_>>()})
        }
        _ => {
            let entry = |id: &EntryId| {
                json!({"uuid": id.to_string(), "message": payload(*id), "level": "info", "metadata": "{\"a\":1}"})
            };
            json!({"logs": ids.iter().map(entry).collect::<Vec<_>>()})
        }
    }
    .to_string()
    .into_bytes()
}

/// Bends a body somewhere; the kinds take turns.
fn bent(kind: usize, mut bytes: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let at = dice.next(bytes.len());
    let end = (at + 1 + dice.next(8)).min(bytes.len());
    match kind % 9 {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << dice.next(8),
        2 => drop(bytes.splice(at..at, BITS[dice.next(BITS.len())].bytes())),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.extend_from_within(at..),
        5 => bytes[at] = 0xff,
        6 => drop(bytes.splice(at..end, BITS[dice.next(BITS.len())].bytes())),
        7 => {
            // Messages in messages, or arrays in arrays.
            let depth = 1 + dice.next(400);
            bytes = if kind.is_multiple_of(2) {
                let nested = (0..depth.min(90)).fold(field(1, b"x"), |inner, _| field(5, &field(1, &inner)));
                field(1, &field(2, &field(2, &field(5, &nested))))
            } else {
                format!("{{\"logs\":[{{\"tags\":{}1{}}}]}}", "[".repeat(depth), "]".repeat(depth))
                    .into_bytes()
            };
        }
        _ => bytes = (0..dice.next(600)).map(|_| dice.next(256) as u8).collect(),
    }
    bytes
}

#[test]
fn malformed_bodies_of_other_protocols_are_answered_and_the_good_ones_among_them_stored() {
    let server = Server::start();
    let (count, next) = (times(2_000, 160_000), AtomicUsize::new(0));
    let (statuses, stored) = (Mutex::new(BTreeMap::<String, usize>::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (next, statuses, stored, address) = (&next, &statuses, &stored, server.address);
            scope.spawn(move || {
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if n >= count {
                        return;
                    }
                    let mut dice = Dice(n as u64 ^ 0x5eed);
                    let form = n % FORMS.len();
                    let (path, content_type) = FORMS[form];
                    let ids: Vec<EntryId> = (0..3).map(|_| EntryId::generate(NOON * 1000)).collect();
                    let body = good(form, &ids);
                    // One in a hundred is left as it is.
                    let is_good = (n / FORMS.len()).is_multiple_of(100);
                    let (headers, body) = match is_good {
                        true => (String::new(), body),
                        false => wire(n / 12, bent(n / FORMS.len(), body, &mut dice), &mut dice),
                    };
                    let head = format!(
                        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                         content-type: {content_type}\r\n{headers}content-length: {}\r\n\r\n",
                        body.len()
                    );
                    let answer = ask(40 + sender, address, &[head.as_bytes(), &body].concat());
                    let status = answer.as_deref().and_then(|a| a.split(' ').nth(1)).unwrap_or("none");
                    if is_good {
                        assert_eq!(status, "200", "{answer:?}");
                        stored.lock().unwrap().extend(ids);
                    }
                    *statuses.lock().unwrap().entry(status.to_owned()).or_default() += 1;
                }
            });
        }
    });
    let (statuses, stored) = (statuses.into_inner().unwrap(), stored.into_inner().unwrap());
    figure("malformed_protocols.bodies", count, "count");
    for (status, n) in &statuses {
        figure(&format!("malformed_protocols.status_{status}"), n, "count");
    }
    assert!(statuses.keys().all(|s| s.starts_with('2') || s.starts_with('4')), "{statuses:?}");
    assert!(statuses["400"] > count / 4 && statuses["200"] > count / 100, "{statuses:?}");
    assert!(stored.len() >= count / 100 * 3, "{} of the good ones", stored.len());
    let wrong = stored
        .iter()
        .filter(|id| server.get(&format!("/api/v1/logs/{id}")).json()["message"] != json!(payload(**id)));
    assert_eq!(wrong.count(), 0);
}
