//! Who wrote the entries, as JSON.

use super::json;
use crate::destination::Source;

/// `,"service":…` and so on, to be put into an object that has a member already.
pub(crate) fn write_source(out: &mut Vec<u8>, source: &Source) {
    let mut text = |key: &str, value: &str| {
        out.extend_from_slice(key.as_bytes());
        json::string(out, value);
    };
    text(",\"service\":", &source.service);
    text(",\"environment\":", &source.environment);
    text(",\"service_version\":", &source.service_version);
    if let Some(log_type) = &source.log_type {
        text(",\"log_type\":", log_type);
    }
    text(",\"host\":", &source.host);
    text(",\"sdk\":", &source.sdk);
    text(",\"sdk_version\":", &source.sdk_version);
    out.extend_from_slice(b",\"pid\":");
    json::uint(out, source.pid.into());
}
