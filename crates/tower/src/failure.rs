//! What a service's error says, whatever its type is.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;

use hoplog::{Exchange, Outcome};
use tower::timeout::error::Elapsed;

type BoxError = Box<dyn Error + Send + Sync>;

/// Writes the error into the exchange and says how it ended: an inner timeout, or a failed service.
pub(crate) fn record<E: Display + 'static>(exchange: &mut Exchange, error: &E) -> Outcome {
    // Tower's own middlewares box their errors; only then is there a chain to walk.
    let boxed = (error as &dyn Any).downcast_ref::<BoxError>();
    let sources = boxed.and_then(|e| e.source()).map(chain);
    exchange.error(type_name::<E>(), &error.to_string(), sources.as_deref());
    let mut next: Option<&(dyn Error + 'static)> = boxed.map(|e| &**e as _);
    while let Some(error) = next {
        if error.is::<Elapsed>() {
            return Outcome::TimedOut;
        }
        next = error.source();
    }
    Outcome::ServiceError
}

fn chain(first: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(first);
    // A chain that bites its own tail must not hang the service.
    for _ in 0..32 {
        let Some(error) = next else { break };
        text.push_str("caused by: ");
        text.push_str(&error.to_string());
        text.push('\n');
        next = error.source();
    }
    text
}
