//! The receipt that a logs-sdk client waits for.

use crate::http::{Answer, json};
use crate::ingest::answer::{Receipt, with_encodings};
use hoplog_entry::EntryId;
use hyper::StatusCode;

/// 200, with an object as `data`: a client that finds null there sends all again. The ids are in the form that the
/// clients have them in, in the order of what was sent; an entry that was refused has none.
pub(crate) fn accepted(receipt: &Receipt, ids: &[EntryId]) -> Answer {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970")]
    let batch = EntryId::generate((receipt.server_time * 1000.0) as u64);
    let hex = |id: &EntryId| id.to_string().replace('-', "");
    let body = serde_json::json!({
        "code": 0,
        "message": "ok",
        "data": {
            "received": receipt.count,
            "uuids": ids.iter().map(hex).collect::<Vec<_>>(),
            "batch_id": hex(&batch),
            "accepted": receipt.accepted,
            "duplicates": receipt.duplicates,
            "rejected": receipt.rejected,
        },
    });
    with_encodings(json(StatusCode::OK, &body))
}
