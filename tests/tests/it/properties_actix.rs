//! Any order of events through hoplog-actix, without sockets.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform as _};
use actix_web::error::{ErrorGatewayTimeout, ErrorInternalServerError, ErrorUnauthorized};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use actix_web::{Error, HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::FutureExt as _;
use hoplog_actix::RequestLog;
use hoplog_testkit::courses::{
    self, Actor, BodyState, Broken, Failing, Failure, Glue, Head, Piece, ScriptedBody, ScriptedHandler, Side,
};

#[test]
fn whatever_happens_in_whatever_order_is_one_entry_on_actix() {
    courses::run(&Actix);
}

struct Actix;

impl Glue for Actix {
    const NAME: &'static str = "actix";
    const TRAILERS: bool = false;

    fn bare(&self, actor: Actor) -> Box<dyn Side> {
        Box::new(Course::Idle(Scripted(actor.clone()), actor))
    }

    fn logged(&self, actor: Actor, client: hoplog::Client, layers: usize) -> Box<dyn Side> {
        let log = RequestLog::new(client);
        let once = log.new_transform(Scripted(actor.clone())).now_or_never().unwrap().unwrap();
        match layers {
            1 => Box::new(Course::Idle(once, actor)),
            _ => {
                let twice = log.new_transform(once).now_or_never().unwrap().unwrap();
                Box::new(Course::Idle(twice, actor))
            }
        }
    }

    fn failed(how: Failing) -> (&'static str, Option<u16>) {
        match how {
            Failing::Broken => ("service_error", Some(500)),
            Failing::TimedOut => ("timed_out", Some(504)),
            Failing::Refused => ("completed", Some(401)),
        }
    }
}

struct Scripted(Actor);
struct Answering(ScriptedHandler, Option<HttpRequest>);
struct Scroll(ScriptedBody);

impl Service<ServiceRequest> for Scripted {
    type Response = ServiceResponse<Scroll>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, request: ServiceRequest) -> Answering {
        Answering(self.0.call(), Some(request.into_parts().0))
    }
}

impl Future for Answering {
    type Output = Result<ServiceResponse<Scroll>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let body = std::task::ready!(self.0.poll(cx));
        Poll::Ready(match body {
            Ok(body) => {
                let plan = self.0.plan();
                let mut response = HttpResponse::build(StatusCode::from_u16(plan.status).unwrap());
                if let Some(length) = plan.content_length() {
                    response.insert_header((CONTENT_LENGTH, length));
                }
                if plan.grpc {
                    response.insert_header((CONTENT_TYPE, "application/grpc"));
                }
                if let Some(status) = plan.grpc_status {
                    response.insert_header(("grpc-status", status.to_string()));
                }
                let response = response.finish().set_body(Scroll(body));
                Ok(ServiceResponse::new(self.1.take().unwrap(), response))
            }
            Err(Failing::Broken) => Err(ErrorInternalServerError(Broken)),
            Err(Failing::TimedOut) => Err(ErrorGatewayTimeout(Broken)),
            Err(Failing::Refused) => Err(ErrorUnauthorized(Broken)),
        })
    }
}

impl MessageBody for Scroll {
    type Error = Broken;

    fn size(&self) -> BodySize {
        match self.0.length() {
            None => BodySize::Stream,
            Some(0) => BodySize::None,
            Some(length) => BodySize::Sized(length),
        }
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        self.0.poll(cx).map_ok(|piece| match piece {
            Piece::Data(bytes) => bytes.into(),
            Piece::Trailers(_) => unreachable!("a message body has none"),
        })
    }
}

/// A request from its call to its last chunk.
enum Course<S: Service<ServiceRequest>, B> {
    Idle(S, Actor),
    Called(Pin<Box<S::Future>>, Actor),
    Answered(Pin<Box<B>>, StatusCode),
}

impl<S, B> Side for Course<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    fn call(&mut self) {
        let Self::Idle(service, actor) = self else { panic!("called twice") };
        let method = Method::from_bytes(actor.plan().method.as_bytes()).unwrap();
        let future = Box::pin(service.call(TestRequest::with_uri("/").method(method).to_srv_request()));
        *self = Self::Called(future, actor.clone());
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Failure>> {
        let Self::Called(future, actor) = self else { panic!("not called") };
        let response = match std::task::ready!(future.as_mut().poll(cx)) {
            Ok(response) => response.into_parts().1,
            Err(error) => return Poll::Ready(Err(Failure(error.to_string()))),
        };
        let status = response.status().as_u16();
        let header = || response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
        let head = Head {
            status,
            headers: pairs(response.headers()),
            promised: match response.body().size() {
                BodySize::None => Some(0),
                BodySize::Sized(size) => Some(size),
                BodySize::Stream => header(),
            },
            sent: actor.plan().method != "HEAD" && !matches!(status, 204 | 304),
        };
        *self = Self::Answered(Box::pin(response.into_body()), StatusCode::from_u16(status).unwrap());
        Poll::Ready(Ok(head))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, String>>> {
        let Self::Answered(body, _) = self else { panic!("not answered") };
        body.as_mut()
            .poll_next(cx)
            .map_err(|error| Into::<Box<dyn std::error::Error>>::into(error).to_string())
            .map_ok(|bytes| Piece::Data(bytes.to_vec()))
    }

    fn body(&self) -> BodyState {
        let Self::Answered(body, status) = self else { panic!("not answered") };
        let size = body.size();
        BodyState {
            size: format!("{size:?}"),
            // Known from the start or never: actix asks no more. Behind 101 comes another protocol.
            ended: matches!(size, BodySize::None | BodySize::Sized(0))
                || *status == StatusCode::SWITCHING_PROTOCOLS,
        }
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}
