//! What the sender of OTLP is told: `ExportLogsServiceResponse`, or `google.rpc.Status`, in the encoding of its request.

use super::Encoding;
use crate::http::{Answer, with_type};
use crate::ingest::answer::{Receipt, Refusal, with_encodings};
use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use prost::encoding::{WireType, encode_key, encode_varint};

/// Of so many records it is said why they were refused.
const REASONS: usize = 5;

/// 200; of refused records how many, and why.
pub(crate) fn accepted(encoding: Encoding, receipt: &Receipt) -> Answer {
    let rejected = receipt.rejected.len();
    let reasons = receipt.rejected.iter().take(REASONS);
    let mut message =
        reasons.map(|each| format!("record {}: {}", each.index, each.reason)).collect::<Vec<_>>().join("; ");
    if rejected > REASONS {
        message.push_str(&format!("; and {} more", rejected - REASONS));
    }
    let body = match encoding {
        Encoding::Protobuf if rejected == 0 => Vec::new(),
        Encoding::Protobuf => {
            let mut partial = Vec::new();
            varint(1, rejected as u64, &mut partial);
            bytes(2, message.as_bytes(), &mut partial);
            let mut response = Vec::new();
            bytes(1, &partial, &mut response);
            response
        }
        Encoding::Json if rejected == 0 => b"{}".to_vec(),
        Encoding::Json => {
            let partial =
                serde_json::json!({"rejectedLogRecords": rejected.to_string(), "errorMessage": message});
            serde_json::json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    };
    with_encodings(with_type(StatusCode::OK, encoding.content_type(), body))
}

/// The status with a `google.rpc.Status` that says why. Senders try again after 429, 502, 503 and 504 alone, so what
/// may go well later is 503.
pub(crate) fn refused(encoding: Encoding, refusal: Refusal) -> Answer {
    let (status, detail) = refusal.status();
    let (status, code) = match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => {
            (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE)
        }
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => (status, RESOURCE_EXHAUSTED),
        StatusCode::UNAUTHORIZED => (status, UNAUTHENTICATED),
        StatusCode::FORBIDDEN => (status, PERMISSION_DENIED),
        _ => (status, INVALID_ARGUMENT),
    };
    let body = match encoding {
        Encoding::Protobuf => {
            let mut body = Vec::new();
            varint(1, code, &mut body);
            bytes(2, detail.as_bytes(), &mut body);
            body
        }
        Encoding::Json => serde_json::json!({"code": code, "message": detail}).to_string().into_bytes(),
    };
    let mut answer = with_type(status, encoding.content_type(), body);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, crate::http::retry_after());
    }
    with_encodings(answer)
}

// Of google.rpc.Code.
const INVALID_ARGUMENT: u64 = 3;
const PERMISSION_DENIED: u64 = 7;
const RESOURCE_EXHAUSTED: u64 = 8;
const UNAVAILABLE: u64 = 14;
const UNAUTHENTICATED: u64 = 16;

fn varint(tag: u32, value: u64, out: &mut Vec<u8>) {
    encode_key(tag, WireType::Varint, out);
    encode_varint(value, out);
}

fn bytes(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
