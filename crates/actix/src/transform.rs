//! The transform: what is put on an application.

use std::future::{Ready, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};

use crate::{RequestLogService, ResponseBody};

/// Logs every request of the application, scope or resource that it wraps.
#[derive(Debug, Clone)]
pub struct RequestLog {
    client: hoplog::Client,
}

impl RequestLog {
    /// A middleware that hands its entries to `client`. With a disabled client requests pass untouched.
    #[must_use]
    pub fn new(client: hoplog::Client) -> Self {
        Self { client }
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequestLog
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<ResponseBody<B>>;
    type Error = Error;
    type Transform = RequestLogService<S>;
    type InitError = ();
    type Future = Ready<Result<RequestLogService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequestLogService::new(inner, self.client.clone())))
    }
}
