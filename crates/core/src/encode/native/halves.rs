//! A sealed native batch in two, for a collector that refuses it whole.

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
}

/// Its entries up to the middle and how many they are, and those behind it. Losses are told by the first part alone:
/// a collector adds them up.
pub(crate) fn halves(sealed: &[u8]) -> Option<(Vec<u8>, u64, Vec<u8>)> {
    let mut first: Batch<'_> =
        serde_json::from_slice(sealed).ok().filter(|b: &Batch<'_>| b.logs.len() > 1)?;
    let (parent, all) = (std::mem::take(&mut first.batch_id), first.logs.len() as u64);
    let logs = first.logs.split_off(first.logs.len() / 2);
    let in_first = first.logs.len() as u64;
    let second = Batch {
        logs,
        batch_id: child(&parent, in_first, all),
        seq: first.seq.map(|seq| seq.saturating_add(in_first)),
        losses: None,
        ..first
    };
    let second = serde_json::to_vec(&second).ok()?;
    first.batch_id = child(&parent, 0, in_first);
    Some((serde_json::to_vec(&first).ok()?, in_first, second))
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
    fn halves_are_batches_of_their_own_with_every_entry_in_its_order() {
        for entries in 2..20 {
            let whole = batch(entries, r#","losses":{"sampled":2}"#);
            let (first, in_first, second) = halves(whole.as_bytes()).unwrap();
            assert!(String::from_utf8_lossy(&first).contains("1.50"), "entries are passed on as they are");
            let [first, second, whole] =
                [&*first, &*second, whole.as_bytes()].map(|b| serde_json::from_slice::<Json>(b).unwrap());
            let list = |batch: &Json| batch["logs"].as_array().unwrap().clone();
            assert_eq!(list(&first).len() as u64, in_first, "of {entries}");
            assert!((entries as u64 / 2..=entries as u64).contains(&in_first));
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
            let (first, _, second) = halves(whole.as_bytes()).unwrap();
            let (quarter, ..) = halves(&first).unwrap();
            [first, second, quarter]
                .map(|b| serde_json::from_slice::<Json>(&b).unwrap()["batch_id"].to_string())
        };
        let [first, second, quarter] = ids();
        assert!(first != second && second != quarter && quarter != first);
        assert_eq!([&first, &second, &quarter], ids().each_ref(), "a retry has the same ids");
        assert_eq!((first.as_bytes()[15], first.len()), (b'8', 38), "{first}");
    }

    #[test]
    fn what_is_no_batch_of_several_has_no_halves() {
        for sealed in [batch(1, ""), batch(0, ""), "{}".into(), "[".into()] {
            assert!(halves(sealed.as_bytes()).is_none(), "{sealed}");
        }
    }
}
