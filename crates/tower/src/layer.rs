//! The layer: what is put on a router.

use tower_layer::Layer;

use crate::RequestLog;

/// Logs every request of the service that it wraps.
#[derive(Debug, Clone)]
pub struct RequestLogLayer {
    client: hoplog::Client,
}

impl RequestLogLayer {
    /// A layer that hands its entries to `client`. With a disabled client requests pass untouched.
    #[must_use]
    pub fn new(client: hoplog::Client) -> Self {
        Self { client }
    }
}

impl<S> Layer<S> for RequestLogLayer {
    type Service = RequestLog<S>;

    fn layer(&self, inner: S) -> RequestLog<S> {
        RequestLog::new(inner, self.client.clone())
    }
}
