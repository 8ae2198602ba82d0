//! Which bodies are kept: decided by content type before the first byte.

/// What is kept of bodies. Off by default; [`ClientBuilder::bodies`](crate::ClientBuilder::bodies) turns it on.
///
/// The first bytes of a body are copied as they pass; nothing is buffered, delayed or altered, and the sizes in the
/// entry are the true ones. JSON and forms are masked by key, text by what secrets look like; a body that cannot be
/// read as what its `content-type` says is not kept, only its size and a keyed hash.
///
/// | | default |
/// |---|---|
/// | `request`, `response` | both |
/// | `max_body` | 4 096 bytes of each |
/// | `budget` | 8 MiB in the whole process; a body beyond it is not kept |
/// | `content_type` | `application/json`, `application/*+json`, `application/x-ndjson`, `application/x-www-form-urlencoded`, `text/plain` |
/// | `only_errors` | off: bodies of every request |
///
/// Never kept: event streams, gRPC, what follows an upgrade, encoded bodies (`content-encoding`), and anything while
/// the queue is three quarters full.
///
/// ```
/// let bodies = hoplog::Bodies::default().only_errors().max_body(16 * 1024).content_type("text/json");
/// let client = hoplog::Client::builder().bodies(bodies).without_collector().console(hoplog::Console::Text).build()?;
/// # drop(client); Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Bodies {
    pub(super) request: bool,
    pub(super) response: bool,
    pub(super) max_body: usize,
    pub(super) budget: usize,
    types: Vec<String>,
    pub(super) only_errors: bool,
}

const TYPES: &[&str] =
    &["application/json", "application/x-ndjson", "application/x-www-form-urlencoded", "text/plain"];
/// Streams without an end, and what is no text.
const NEVER: &[&str] = &["text/event-stream", "application/grpc", "multipart/"];
/// Leaves room in a record for two of them and everything else.
const MOST: usize = 60 * 1024;

impl Default for Bodies {
    fn default() -> Self {
        Self {
            request: true,
            response: true,
            max_body: 4096,
            budget: 8 << 20,
            types: TYPES.iter().map(|&t| t.into()).collect(),
            only_errors: false,
        }
    }
}

impl Bodies {
    /// Whether request bodies are kept. Default: yes.
    #[must_use]
    pub fn request(mut self, keep: bool) -> Self {
        self.request = keep;
        self
    }

    /// Whether response bodies are kept. Default: yes.
    #[must_use]
    pub fn response(mut self, keep: bool) -> Self {
        self.response = keep;
        self
    }

    /// The most bytes kept of one body, 1 to 61 440. Default: 4 096.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The most bytes that the bodies of all open requests of the process may take. Default: 8 MiB.
    #[must_use]
    pub fn budget(mut self, bytes: usize) -> Self {
        self.budget = bytes;
        self
    }

    /// Takes bodies of this media type too, without parameters. Only other names of JSON and of JSON by line, as
    /// `text/json` and `application/ndjson`, can be masked and kept; of any other type, as `application/xml`, the entry
    /// has `request_body_hash` or `response_body_hash`, a keyed hash of the first bytes.
    #[must_use]
    pub fn content_type(mut self, media_type: impl Into<String>) -> Self {
        self.types.push(media_type.into().to_ascii_lowercase());
        self
    }

    /// Keeps bodies only of requests that end with a status from 400, or not whole. A response's is kept by its status
    /// alone, which is known before its first byte.
    #[must_use]
    pub fn only_errors(mut self) -> Self {
        self.only_errors = true;
        self
    }

    /// Everything that is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        if !(1..=MOST).contains(&self.max_body) {
            complaints.push(format!("`max_body` is {}; it must be from 1 to {MOST}", self.max_body));
        }
        if self.budget < self.max_body {
            complaints.push(format!("`budget` is {}, less than one `max_body`", self.budget));
        }
        for name in &self.types {
            let well_formed = name.split_once('/').is_some_and(|(a, b)| {
                [a, b]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(is_token) && !part.contains('*'))
            });
            if !well_formed {
                complaints
                    .push(format!("content_type({name:?}): not a media type; write `type/subtype` alone"));
            } else if NEVER.iter().any(|never| name.starts_with(never)) {
                complaints.push(format!("content_type({name:?}): bodies of this type are never kept"));
            }
        }
        complaints
    }

    /// Whether a body of this type is kept.
    pub(super) fn takes(&self, content_type: &[u8]) -> bool {
        let end = content_type.iter().position(|&b| b == b';').unwrap_or(content_type.len());
        let media_type = content_type[..end].trim_ascii();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name.as_bytes());
        if NEVER.iter().any(|n| starts_with_ignore_case(media_type, n.as_bytes())) {
            return false;
        }
        let json_suffix = starts_with_ignore_case(media_type, b"application/")
            && media_type.len() >= 5
            && media_type[media_type.len() - 5..].eq_ignore_ascii_case(b"+json");
        json_suffix || self.types.iter().any(|name| is(name))
    }
}

fn starts_with_ignore_case(text: &[u8], start: &[u8]) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// `token` of RFC 9110 §5.6.2.
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_by_name_in_any_case_and_with_any_parameters() {
        let bodies = Bodies::default().content_type("Text/JSON");
        for taken in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "text/plain;charset=utf-8",
            "text/json",
            "application/x-www-form-urlencoded",
        ] {
            assert!(bodies.takes(taken.as_bytes()), "{taken}");
        }
        for left in
            ["", "json", "text/event-stream", "application/grpc+json", "image/png", "application/jsonx"]
        {
            assert!(!bodies.takes(left.as_bytes()), "{left}");
        }
    }

    #[test]
    fn every_complaint_names_its_setter() {
        let bodies = Bodies::default().max_body(0).content_type("text/*").content_type("text/event-stream");
        let complaints = bodies.complaints();
        assert_eq!(complaints.len(), 3, "{complaints:?}");
        assert!(complaints[0].contains("`max_body` is 0") && complaints[2].contains("never kept"));
        assert_eq!(Bodies::default().budget(10).complaints().len(), 1);
        assert!(Bodies::default().complaints().is_empty());
    }
}
