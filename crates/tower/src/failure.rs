//! What a service's error says, whatever its type is.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;

use hoplog::{Exchange, Outcome, error_chain, error_sources, error_text};
use tower::timeout::error::Elapsed;

type BoxError = Box<dyn Error + Send + Sync>;

/// Writes the error into the exchange and says how it ended: an inner timeout, or a failed service.
pub(crate) fn record<E: Display + 'static>(exchange: &mut Exchange, error: &E) -> Outcome {
    // Tower's own middlewares box their errors; only then is there a chain to walk.
    let boxed = (error as &dyn Any).downcast_ref::<BoxError>();
    let chain = || error_chain(boxed.map(|e| &**e as _));
    let sources = error_sources(chain().nth(1));
    exchange.error(type_name::<E>(), &error_text(error), sources.as_deref());
    let timed_out = chain().any(|e| e.is::<Elapsed>());
    if timed_out { Outcome::TimedOut } else { Outcome::ServiceError }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use http::{Request, Response};
    use http_body_util::Empty;
    use tower::{Layer as _, Service as _, service_fn};

    use crate::RequestLogLayer;

    /// What it says is the application's code, which may be wrong.
    #[derive(Debug)]
    struct Unspeakable(fn() -> fmt::Result);

    impl fmt::Display for Unspeakable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0)()
        }
    }

    #[tokio::test]
    async fn an_error_that_cannot_be_told_passes_as_it_would_have_without_the_log() {
        for display in [|| Err(fmt::Error), || panic!("in Display")] as [fn() -> fmt::Result; 2] {
            let capture = hoplog::testing::capture();
            let fails = service_fn(move |_: Request<()>| async move {
                Err::<Response<Empty<&[u8]>>, _>(Unspeakable(display))
            });
            let answer = RequestLogLayer::new(capture.client()).layer(fails).call(Request::new(())).await;
            assert!(answer.is_err());
            let entries = capture.entries();
            assert_eq!(entries.len(), 1);
            assert_eq!(entries[0]["outcome"], "service_error");
            assert!(entries[0]["error_type"].as_str().unwrap().ends_with("Unspeakable"));
        }
    }
}
