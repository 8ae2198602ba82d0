//! Bodies: read by their content type, or not kept.

use super::rewrite::Rewrite;
use super::{Redactor, Verdict, json, query, values};

/// What a body can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Parameters,
    Text,
}

/// Masks a body. Dropped if nobody here can read its type, or it is not what its type says.
pub(super) fn mask(
    rules: &Redactor,
    content_type: &[u8],
    bytes: &[u8],
    cut: bool,
    out: &mut Vec<u8>,
) -> Verdict {
    let Some(form) = form(content_type).filter(|_| is_text(bytes, cut)) else { return Verdict::Dropped };
    match form {
        Form::Json => json::mask(rules, bytes, cut, out),
        Form::Parameters => query::mask_form(rules, bytes, cut, out),
        Form::Text => {
            let mut rewrite = Rewrite::new(bytes, out);
            values::mask(rules, &mut rewrite, 0, bytes.len(), cut);
            rewrite.finish()
        }
    }
}

/// `application/json`, `text/json`, whatever ends in `+json` (RFC 6839 §3.1), its forms by line;
/// `application/x-www-form-urlencoded`; `text/plain`. In any case, in UTF-8 or what is a part of it.
fn form(content_type: &[u8]) -> Option<Form> {
    let text = std::str::from_utf8(content_type).ok()?;
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next()?.to_ascii_lowercase();
    let charset = |part: &str| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    };
    if !parts.filter_map(charset).all(|c| matches!(c.as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii")) {
        return None;
    }
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Some(Form::Parameters),
        "text/plain" => Some(Form::Text),
        "application/json"
        | "text/json"
        | "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/json-lines"
        | "application/csp-report" => Some(Form::Json),
        json if json.ends_with("+json") => Some(Form::Json),
        _ => None,
    }
}

/// UTF-8 without NUL, but for a character that is cut off at the end.
fn is_text(bytes: &[u8], cut: bool) -> bool {
    let utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => cut && error.error_len().is_none(),
    };
    utf8 && !crate::scan::any(bytes, |b| b == 0)
}
