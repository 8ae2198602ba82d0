//! Logs every hop an HTTP request makes: capture, redaction, a bounded queue, batching and delivery.

mod redact;

pub use redact::Redaction;
