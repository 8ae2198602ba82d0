//! A request that has no response head yet.
//!
//! actix-web knows a request's route after routing, and tells it by the response. Nobody tells it for a request that is
//! cancelled, panics or fails: then it is looked up by path, at the end, so that the others do not pay for it. The
//! request itself cannot be kept: the router needs to be its only owner.

use std::cell::OnceCell;
use std::rc::Rc;

use actix_web::HttpRequest;
use actix_web::dev::ResourceMap;
use actix_web::http::Uri;
use hoplog::Exchange;

/// The application's routes, copied at the first request. Nodes are shared, so it is small.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes(Rc<OnceCell<ResourceMap>>);

#[derive(Debug)]
pub(crate) struct Pending {
    /// `None` once answered.
    exchange: Option<Exchange>,
    uri: Uri,
    routes: Routes,
}

impl Pending {
    pub(crate) fn new(exchange: Exchange, routes: &Routes, request: &HttpRequest) -> Self {
        routes.0.get_or_init(|| request.resource_map().clone());
        Self { exchange: Some(exchange), uri: request.uri().clone(), routes: routes.clone() }
    }

    /// See [`Exchange::poll`].
    pub(crate) fn poll<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        match &mut self.exchange {
            Some(exchange) => exchange.poll(poll),
            None => poll(),
        }
    }

    /// The response to `request` is there.
    pub(crate) fn answered(&mut self, request: &HttpRequest) -> Option<Exchange> {
        let mut exchange = self.exchange.take()?;
        if let Some(route) = request.match_pattern() {
            exchange.set_route(&route);
        }
        Some(exchange)
    }

    /// There is none, and the request is gone.
    pub(crate) fn failed(&mut self) -> Option<Exchange> {
        let mut exchange = self.exchange.take()?;
        let route = self.routes.0.get().and_then(|routes| routes.match_pattern(self.uri.path()));
        if let Some(route) = route {
            exchange.set_route(&route);
        }
        Some(exchange)
    }
}

impl Drop for Pending {
    /// The exchange ends itself: `panicked` while unwinding, else `cancelled`.
    fn drop(&mut self) {
        drop(self.failed());
    }
}
