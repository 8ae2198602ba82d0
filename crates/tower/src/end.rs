//! Where an entry ends: with the response's body, or with its head.

use std::fmt::Debug;

use hoplog::{Exchange, Outcome};
use http_body::Body;

use crate::ResponseBody;

/// Where the entries of a [`RequestLogLayer`](crate::RequestLogLayer) end; not for others to implement.
pub trait End: Sealed + Debug + Clone + Copy + 'static {
    /// The body of a response that passes.
    type Body<B>;
}

/// An entry ends with the last byte of the response, or when it is known that none will come: the default.
#[derive(Debug, Clone, Copy)]
pub struct AtBody;

/// An entry ends with the response's head; its body is left alone.
#[derive(Debug, Clone, Copy)]
pub struct AtHead;

impl End for AtBody {
    type Body<B> = ResponseBody<B>;
}

impl End for AtHead {
    type Body<B> = B;
}

/// What only this crate needs of it.
pub trait Sealed {
    /// Of an exchange that begins.
    fn begun(exchange: &mut Exchange);

    /// Of one whose response head was seen; `None` where there is none, or it has ended.
    fn answered<B: Body>(body: B, exchange: Option<Exchange>) -> <Self as End>::Body<B>
    where
        Self: End;
}

impl Sealed for AtBody {
    #[inline]
    fn begun(_: &mut Exchange) {}

    #[inline]
    fn answered<B: Body>(body: B, exchange: Option<Exchange>) -> ResponseBody<B> {
        ResponseBody::new(body, exchange)
    }
}

impl Sealed for AtHead {
    #[inline]
    fn begun(exchange: &mut Exchange) {
        exchange.ends_with_head();
    }

    #[inline]
    fn answered<B: Body>(body: B, exchange: Option<Exchange>) -> B {
        if let Some(exchange) = exchange {
            exchange.finish(Outcome::Completed);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{HeaderValue, Request, Response};
    use http_body::Body as _;
    use http_body_util::{BodyExt as _, Full};
    use tower::{Layer as _, Service as _, service_fn};

    use crate::RequestLogLayer;

    #[tokio::test]
    async fn an_entry_that_ends_with_the_head_leaves_the_body_as_it_is() {
        let capture = hoplog::testing::capture();
        let answers =
            service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(Full::new(&b"tea"[..]))) });
        let mut service = RequestLogLayer::new(capture.client()).ends_with_head().layer(answers);
        let response: Response<Full<&[u8]>> = service.call(Request::new(())).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let entries = capture.entries();
        assert_eq!(entries.len(), 1, "its body was not read");
        assert_eq!(entries[0]["outcome"], "completed");
        assert_eq!(entries[0]["response_size"], 3);
    }

    #[tokio::test]
    async fn a_size_that_only_the_head_says_is_taken_from_there_and_else_it_is_unknown() {
        for length in [Some("7"), None] {
            let capture = hoplog::testing::capture();
            let answers = service_fn(move |_: Request<()>| async move {
                let mut response = Response::new(Full::new(&b"tea"[..]).map_frame(|frame| frame));
                assert_eq!(response.body().size_hint().exact(), None);
                if let Some(length) = length {
                    response.headers_mut().insert("content-length", HeaderValue::from_static(length));
                }
                Ok::<_, Infallible>(response)
            });
            let mut service = RequestLogLayer::new(capture.client()).ends_with_head().layer(answers);
            drop(service.call(Request::new(())).await.unwrap());
            let entries = capture.entries();
            assert_eq!(entries.len(), 1);
            assert_eq!(entries[0]["outcome"], "completed", "that its body was dropped is not seen");
            match length {
                Some(_) => assert_eq!(entries[0]["response_size"], 7),
                None => assert!(entries[0]["response_size"].is_null()),
            }
        }
    }
}
