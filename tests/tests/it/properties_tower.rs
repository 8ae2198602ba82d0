//! Any order of events through hoplog-tower, without sockets.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hoplog_testkit::courses::{
    self, Actor, BodyState, Broken, Failing, Failure, Glue, Head, Piece, ScriptedBody, ScriptedHandler, Side,
};
use hoplog_tower::RequestLogLayer;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::timeout::error::Elapsed;
use tower::{BoxError, Layer as _, Service};

#[test]
fn whatever_happens_in_whatever_order_is_one_entry_on_tower() {
    courses::run(&Tower);
}

struct Tower;

impl Glue for Tower {
    const NAME: &'static str = "tower";
    const TRAILERS: bool = true;

    fn bare(&self, actor: Actor) -> Box<dyn Side> {
        Box::new(Course::Idle(Scripted(actor.clone()), actor))
    }

    fn logged(&self, actor: Actor, client: hoplog::Client, layers: usize) -> Box<dyn Side> {
        let layer = RequestLogLayer::new(client);
        let once = layer.layer(Scripted(actor.clone()));
        match layers {
            1 => Box::new(Course::Idle(once, actor)),
            _ => Box::new(Course::Idle(layer.layer(once), actor)),
        }
    }

    fn failed(how: Failing) -> (&'static str, Option<u16>) {
        match how {
            Failing::TimedOut => ("timed_out", None),
            Failing::Broken | Failing::Refused => ("service_error", None),
        }
    }
}

struct Scripted(Actor);
struct Answering(ScriptedHandler);
struct Scroll(ScriptedBody);

impl Service<Request<()>> for Scripted {
    type Response = Response<Scroll>;
    type Error = BoxError;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Answering {
        Answering(self.0.call())
    }
}

impl Future for Answering {
    type Output = Result<Response<Scroll>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let body = std::task::ready!(self.0.poll(cx));
        Poll::Ready(match body {
            Ok(body) => {
                let plan = self.0.plan();
                let mut response = Response::new(Scroll(body));
                *response.status_mut() = http::StatusCode::from_u16(plan.status).unwrap();
                let headers = response.headers_mut();
                if let Some(length) = plan.content_length() {
                    headers.insert(CONTENT_LENGTH, length.into());
                }
                if plan.grpc {
                    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                }
                if let Some(status) = plan.grpc_status {
                    headers.insert("grpc-status", status.into());
                }
                Ok(response)
            }
            Err(Failing::TimedOut) => Err(Elapsed::new().into()),
            Err(Failing::Broken | Failing::Refused) => Err(Broken.into()),
        })
    }
}

impl Body for Scroll {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.0.poll(cx).map_ok(|piece| match piece {
            Piece::Data(bytes) => Frame::data(bytes.into()),
            Piece::Trailers(trailers) => {
                let pair = |(name, value): (String, String)| {
                    (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
                };
                Frame::trailers(trailers.into_iter().map(pair).collect())
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end()
    }

    fn size_hint(&self) -> SizeHint {
        let (lower, upper) = self.0.hint();
        let mut hint = SizeHint::new();
        hint.set_lower(lower);
        if let Some(upper) = upper {
            hint.set_upper(upper);
        }
        hint
    }
}

/// A request from its call to its last frame.
enum Course<S: Service<Request<()>>, B> {
    Idle(S, Actor),
    Called(Pin<Box<S::Future>>),
    Answered(Pin<Box<B>>),
}

impl<S, B> Side for Course<S, B>
where
    S: Service<Request<()>, Response = Response<B>, Error = BoxError>,
    B: Body<Data = Bytes, Error = Broken>,
{
    fn call(&mut self) {
        let Self::Idle(service, actor) = self else { panic!("called twice") };
        let request = Request::builder().method(actor.plan().method).uri("/").body(()).unwrap();
        let future = Box::pin(service.call(request));
        *self = Self::Called(future);
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Failure>> {
        let Self::Called(future) = self else { panic!("not called") };
        let response = match std::task::ready!(future.as_mut().poll(cx)) {
            Ok(response) => response,
            Err(error) => return Poll::Ready(Err(Failure(error.to_string()))),
        };
        let (parts, body) = response.into_parts();
        let header = || parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        let head = Head {
            status: parts.status.as_u16(),
            headers: pairs(&parts.headers),
            promised: body.size_hint().exact().or_else(header),
            sent: true,
        };
        *self = Self::Answered(Box::pin(body));
        Poll::Ready(Ok(head))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, String>>> {
        let Self::Answered(body) = self else { panic!("not answered") };
        body.as_mut().poll_frame(cx).map_err(|error| error.to_string()).map_ok(|frame| {
            match frame.into_data() {
                Ok(bytes) => Piece::Data(bytes.to_vec()),
                Err(frame) => Piece::Trailers(pairs(&frame.into_trailers().unwrap())),
            }
        })
    }

    fn body(&self) -> BodyState {
        let Self::Answered(body) = self else { panic!("not answered") };
        BodyState { size: format!("{:?}", body.size_hint()), ended: body.is_end_stream() }
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}
