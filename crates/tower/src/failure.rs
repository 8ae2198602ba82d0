//! What a service's error says, whatever its type is.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;

use hoplog::{Exchange, Outcome, error_chain, error_sources};
use tower::timeout::error::Elapsed;

type BoxError = Box<dyn Error + Send + Sync>;

/// Writes the error into the exchange and says how it ended: an inner timeout, or a failed service.
pub(crate) fn record<E: Display + 'static>(exchange: &mut Exchange, error: &E) -> Outcome {
    // Tower's own middlewares box their errors; only then is there a chain to walk.
    let boxed = (error as &dyn Any).downcast_ref::<BoxError>();
    let sources = error_sources(boxed.and_then(|e| e.source()));
    exchange.error(type_name::<E>(), &error.to_string(), sources.as_deref());
    let timed_out = error_chain(boxed.map(|e| &**e as _)).any(|e| e.is::<Elapsed>());
    if timed_out { Outcome::TimedOut } else { Outcome::ServiceError }
}
