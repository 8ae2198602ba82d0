//! Logs every hop an HTTP request makes: capture, redaction, a bounded queue, batching and delivery.
