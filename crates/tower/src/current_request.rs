//! The current request as an argument of axum's handlers.

use std::convert::Infallible;
use std::ops::Deref;

use axum::extract::FromRequestParts;
use hoplog::Context;
use http::request::Parts;

/// The request being handled, for handlers that take their tools as arguments: the same as [`hoplog::current()`], and
/// as such a [`Context`]. Never fails; without the layer it is an empty one, on which all calls are no-ops.
///
/// ```
/// use axum::{Router, routing::get};
/// use hoplog::Level;
/// use hoplog_tower::CurrentRequest;
///
/// async fn order(request: CurrentRequest) -> &'static str {
///     request.set_user_id("u-1");
///     request.set_field("cart", ["tea", "cake"]);
///     request.set_level(Level::Warn); // of the request's own entry
///     "thanks"
/// }
///
/// let app: Router = Router::new().route("/orders", get(order));
/// # let _ = app;
/// ```
#[derive(Debug, Clone, Default)]
pub struct CurrentRequest(pub Context);

impl Deref for CurrentRequest {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentRequest {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(hoplog::current()))
    }
}
