//! Parts of a sealed native batch, for a collector that refuses it whole.

use std::ops::Range;

use hoplog_entry::EntryId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A batch, its parts as they are written.
#[derive(Deserialize, Serialize)]
struct Batch<'a> {
    #[serde(borrow)]
    logs: Vec<&'a RawValue>,
    batch_id: String,
    // Of a batch that another process left there is no more than its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    boot_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(borrow)]
    source: &'a RawValue,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    ledger: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    losses: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    closing: Option<&'a RawValue>,
}

/// Some of its entries as a batch of their own; `None` where it does not have them. Losses are to be told by one part alone:
/// a collector adds them up.
pub(crate) fn part(sealed: &[u8], entries: Range<u64>, tell_losses: bool) -> Option<Vec<u8>> {
    let whole: Batch<'_> = serde_json::from_slice(sealed).ok()?;
    let (from, to) = (usize::try_from(entries.start).ok()?, usize::try_from(entries.end).ok()?);
    let part = Batch {
        logs: whole.logs.get(from..to).filter(|logs| !logs.is_empty())?.to_vec(),
        batch_id: child(&whole.batch_id, entries.start, entries.end),
        seq: whole.seq.map(|seq| seq.saturating_add(entries.start)),
        losses: whole.losses.filter(|_| tell_losses),
        ..whole
    };
    serde_json::to_vec(&part).ok()
}

/// The id of a part, which is the same however often the batch is parted: of SHA-256 over the parent and the range, as
/// a UUIDv8 (RFC 9562 §5.8).
fn child(parent: &str, from: u64, to: u64) -> String {
    let mut hash = hmac_sha256::Hash::new();
    hash.update(parent);
    hash.update(from.to_be_bytes());
    hash.update(to.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    EntryId::from_bytes(id).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn batch(entries: usize, losses: &str) -> String {
        let logs: Vec<String> =
            (0..entries).map(|i| format!(r#"{{"message":"a ],{{\" {i}","n":1.50}}"#)).collect();
        format!(
            r#"{{"logs":[{}],"batch_id":"b-1","boot_id":"p-1","seq":40,"source":{{"pid":7}},"ledger":{{"accepted":9}}{losses}}}"#,
            logs.join(",")
        )
    }

    #[test]
    fn parts_are_batches_of_their_own_with_every_entry_in_its_order() {
        for entries in 2..20 {
            let whole = batch(entries, r#","losses":{"sampled":2}"#);
            let (all, in_first) = (entries as u64, entries as u64 / 2);
            let first = part(whole.as_bytes(), 0..in_first, true).unwrap();
            let second = part(whole.as_bytes(), in_first..all, false).unwrap();
            assert!(String::from_utf8_lossy(&first).contains("1.50"), "entries are passed on as they are");
            let [first, second, whole] =
                [&*first, &*second, whole.as_bytes()].map(|b| serde_json::from_slice::<Json>(b).unwrap());
            let list = |batch: &Json| batch["logs"].as_array().unwrap().clone();
            assert_eq!(list(&first).len() as u64, in_first, "of {entries}");
            assert_eq!([list(&first), list(&second)].concat(), list(&whole), "of {entries}");
            for same in ["boot_id", "source", "ledger"] {
                assert_eq!((&first[same], &second[same]), (&whole[same], &whole[same]));
            }
            assert_eq!((&first["seq"], &second["seq"]), (&json!(40), &json!(40 + in_first)));
            assert_eq!((&first["losses"], &second["losses"]), (&whole["losses"], &Json::Null));
        }
    }

    #[test]
    fn parts_have_ids_that_depend_on_nothing_but_the_batch_and_the_range() {
        let whole = batch(4, "");
        let ids = || {
            let first = part(whole.as_bytes(), 0..2, true).unwrap();
            let second = part(whole.as_bytes(), 2..4, true).unwrap();
            let quarter = part(&first, 0..1, true).unwrap();
            [first, second, quarter]
                .map(|b| serde_json::from_slice::<Json>(&b).unwrap()["batch_id"].to_string())
        };
        let [first, second, quarter] = ids();
        assert!(first != second && second != quarter && quarter != first);
        assert_eq!([&first, &second, &quarter], ids().each_ref(), "a retry has the same ids");
        assert_eq!((first.as_bytes()[15], first.len()), (b'8', 38), "{first}");
    }

    #[test]
    fn what_a_batch_does_not_have_is_no_part_of_it() {
        for sealed in [batch(1, ""), batch(0, ""), "{}".into(), "[".into()] {
            for entries in [0..0, 0..2, 1..2] {
                assert!(part(sealed.as_bytes(), entries, true).is_none(), "{sealed}");
            }
        }
    }
}
