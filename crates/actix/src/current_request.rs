//! The current request as an argument of actix-web's handlers.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use hoplog::Context;

/// The request being handled, for handlers that take their tools as arguments: the same as [`hoplog::current()`], and
/// as such a [`Context`]. Never fails; without the middleware it is an empty one, on which all calls are no-ops.
///
/// ```
/// use actix_web::{App, web};
/// use hoplog::Level;
/// use hoplog_actix::CurrentRequest;
///
/// async fn charge(request: CurrentRequest) -> &'static str {
///     request.set_user_id("u-1");
///     request.set_field("cart", ["tea", "cake"]);
///     request.set_level(Level::Warn); // of the request's own entry
///     "thanks"
/// }
///
/// let app = App::new().route("/charges", web::post().to(charge));
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

impl FromRequest for CurrentRequest {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(hoplog::current())))
    }
}
