//! Bodies that were good before they were bent: whatever they are, an answer comes that is not the collector's fault.

use super::{Dice, ask, figure, payload, post, times};
use crate::support::{NOON, Server, gzip};
use hoplog_entry::EntryId;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SENDERS: u8 = 8;

/// Texts that batches are bent with.
pub(super) const BITS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "NaN",
    "-Infinity",
    "1e999",
    "-0",
    "0x10",
    "\\ud800",
    "\\u0000",
    "18446744073709551616",
    "\u{feff}",
    "\u{202e}",
    "\"logs\":",
    "\"id\":17,",
    "true",
    "//",
    "\"\\",
    "1e-400",
];

/// A good batch of three, and its ids.
fn good(dice: &mut Dice) -> (Vec<EntryId>, String) {
    let ids: Vec<EntryId> = (0..3).map(|_| EntryId::generate(NOON * 1000)).collect();
    let logs: Vec<_> = ids
        .iter()
        .map(|id| {
            json!({"id": id.to_string(), "message": payload(*id), "level": "INFO", "created_at": NOON, "duration_ms": 1.5,
            "status_code": dice.next(600), "metadata": {"a": [1, {"b": "ä\u{1f980}"}]}})
        })
        .collect();
    let batch =
        json!({"logs": logs, "batch_id": "b", "boot_id": "", "seq": 1, "source": {"service": "shop"}});
    (ids, batch.to_string())
}

/// Bends it somewhere; the kinds take turns.
fn bent(kind: usize, text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let at = dice.next(bytes.len());
    // Enormous ones are rare: they cost seconds, and say the same each time.
    let enormous = kind % 10_000 < 12;
    match kind % 12 {
        0 => bytes.truncate(at),
        1 => bytes[at] ^= 1 << dice.next(8),
        2 => drop(bytes.splice(at..at, BITS[dice.next(BITS.len())].bytes())),
        3 => drop(bytes.drain(at..(at + 1 + dice.next(40)).min(bytes.len()))),
        4 => bytes.extend_from_within(at..),
        5 => bytes[at] = 0xff,
        6 => {
            let end = (at + 1 + dice.next(8)).min(bytes.len());
            drop(bytes.splice(at..end, BITS[dice.next(BITS.len())].bytes()));
        }
        7 => {
            bytes = format!("{{\"logs\":{}", "[".repeat(if enormous { 100_000 } else { 1 + dice.next(300) }))
                .into_bytes()
        }
        8 => {
            bytes = format!("{{\"logs\":[{{\"metadata\":{}1{}}}]}}", "{\"k\":".repeat(at), "}".repeat(at))
                .into_bytes()
        }
        9 => {
            let count = if enormous { 1_000_000 } else { dice.next(600) };
            let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
            bytes = format!("{{\"logs\":[{{{}}}]}}", keys.join(",")).into_bytes();
        }
        10 => {
            bytes = format!("{{\"logs\":[{{\"duration_ms\":{}}}]}}", "9".repeat(1 + dice.next(5_000)))
                .into_bytes()
        }
        _ => bytes = text.replacen("\"logs\"", BITS[dice.next(BITS.len())], 1).into_bytes(),
    }
    bytes
}

/// Headers and body on their way: plain, or compressed and then sometimes bent once more.
pub(super) fn wire(kind: usize, body: Vec<u8>, dice: &mut Dice) -> (String, Vec<u8>) {
    let (name, mut packed) = match kind % 5 {
        0 => ("gzip", gzip(&body)),
        1 => ("zstd", zstd::encode_all(body.as_slice(), 1).unwrap()),
        _ => return (String::new(), body),
    };
    if dice.next(3) > 0 {
        let at = dice.next(packed.len());
        match dice.next(3) {
            0 => packed.truncate(at),
            1 => packed[at] ^= 1 << dice.next(8),
            _ => packed.extend_from_slice(b"trailing"),
        }
    }
    (format!("content-encoding: {name}\r\n"), packed)
}

#[test]
fn malformed_bodies_are_answered_and_the_good_ones_among_them_stored() {
    let server = Server::start();
    let (count, next) = (times(10_000, 200_000), AtomicUsize::new(0));
    let (statuses, stored) = (Mutex::new(BTreeMap::<String, usize>::new()), Mutex::new(HashMap::new()));
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (next, statuses, stored, address) = (&next, &statuses, &stored, server.address);
            scope.spawn(move || {
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if n >= count {
                        return;
                    }
                    let mut dice = Dice(n as u64);
                    let (ids, text) = good(&mut dice);
                    // One in a hundred is left as it is.
                    let is_good = n % 100 == 0;
                    let request = match is_good {
                        true => post("", text.as_bytes()),
                        false => {
                            let body = bent(n, &text, &mut dice);
                            let (headers, body) = wire(n / 12, body, &mut dice);
                            post(&headers, &body)
                        }
                    };
                    let answer = ask(20 + sender, address, &request);
                    let status = answer.as_deref().and_then(|a| a.split(' ').nth(1)).unwrap_or("none");
                    if is_good {
                        assert_eq!(status, "200", "{answer:?}");
                        stored.lock().unwrap().extend(ids.into_iter().map(|id| (id, payload(id))));
                    }
                    *statuses.lock().unwrap().entry(status.to_owned()).or_default() += 1;
                }
            });
        }
    });
    let (statuses, stored) = (statuses.into_inner().unwrap(), stored.into_inner().unwrap());
    figure("malformed.bodies", count, "count");
    for (status, n) in &statuses {
        figure(&format!("malformed.status_{status}"), n, "count");
    }
    assert!(statuses.keys().all(|s| s.starts_with('2') || s.starts_with('4')), "{statuses:?}");
    assert!(statuses["400"] > count / 3 && statuses["200"] > count / 100, "{statuses:?}");
    assert_eq!(stored.len(), count.div_ceil(100) * 3);
    let wrong = stored.iter().filter(|(id, message)| {
        server.get(&format!("/api/v1/logs/{id}")).json()["message"] != json!(message)
    });
    assert_eq!(wrong.count(), 0);
}
