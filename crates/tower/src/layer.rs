//! The layer: what is put on a router.

use std::marker::PhantomData;

use tower_layer::Layer;

use crate::{AtBody, AtHead, End, RequestLog};

/// Logs every request of the service that it wraps.
#[derive(Debug, Clone)]
pub struct RequestLogLayer<E = AtBody> {
    client: hoplog::Client,
    end: PhantomData<E>,
}

impl RequestLogLayer {
    /// A layer that hands its entries to `client`. With a disabled client requests pass untouched.
    #[must_use]
    pub fn new(client: hoplog::Client) -> Self {
        Self { client, end: PhantomData }
    }

    /// Ends each entry with the response's head, and leaves its body as it is: for services where that is all that
    /// counts, as nothing is allocated for the body then. Default: the entry ends with the body.
    ///
    /// Entries lack what only the body shows: `duration` is that to the head, `response_size` is what the head or the
    /// body says of it (null where neither does), a body that breaks off is `completed`, trailers with their
    /// `grpc-status` are not seen, and [`hoplog::current`] is empty while the body is polled. Response bodies are not
    /// kept.
    #[must_use]
    pub fn ends_with_head(self) -> RequestLogLayer<AtHead> {
        RequestLogLayer { client: self.client, end: PhantomData }
    }
}

impl<S, E: End> Layer<S> for RequestLogLayer<E> {
    type Service = RequestLog<S, E>;

    fn layer(&self, inner: S) -> RequestLog<S, E> {
        RequestLog::of(inner, self.client.clone())
    }
}
