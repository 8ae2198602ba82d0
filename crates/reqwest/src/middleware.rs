//! The middleware: begins an exchange for each call, and ends it with the response head.

use std::pin::Pin;

use hoplog::{Exchange, Outcome};
use http::Extensions;
use http::header::{Entry, HeaderMap, HeaderValue};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Middleware, Next, Result};

use crate::{failure, head};

/// Logs every call of the client that it is attached to; for a `reqwest_middleware::ClientBuilder` of your own.
///
/// ```
/// let client = hoplog::Client::disabled();
/// let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     // .with(a retry)
///     .with(hoplog_reqwest::CallLog::new(client))
///     .build();
/// # let _ = http;
/// ```
#[derive(Debug, Clone)]
pub struct CallLog {
    client: hoplog::Client,
}

impl CallLog {
    /// A middleware that hands its entries to `client`. With a disabled client calls pass untouched.
    #[must_use]
    pub fn new(client: hoplog::Client) -> Self {
        Self { client }
    }
}

// Written out, as a macro would: this is the only async method here.
impl Middleware for CallLog {
    fn handle<'s, 'e, 'n, 'a>(
        &'s self,
        mut request: Request,
        extensions: &'e mut Extensions,
        next: Next<'n>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'a>>
    where
        's: 'a,
        'e: 'a,
        'n: 'a,
        Self: 'a,
    {
        let exchange = self.client.begin_call(&head::of(&request), || head::request_headers(&request));
        let Some(mut exchange) = exchange else { return next.run(request, extensions) };
        if let Some(size) = head::request_size(&request) {
            exchange.request_bytes(size);
        }
        inject(&exchange, request.headers_mut());
        let url = request.url().clone();
        Box::pin(async move {
            let result = next.run(request, extensions).await;
            end(exchange, &url, &result);
            result
        })
    }
}

/// Adds the headers of this hop that the call does not carry already.
fn inject(exchange: &Exchange, headers: &mut HeaderMap) {
    exchange.inject(|name, value| {
        if let Entry::Vacant(entry) = headers.entry(name)
            && let Ok(value) = HeaderValue::from_str(value)
        {
            entry.insert(value);
        }
    });
}

fn end(mut exchange: Exchange, url: &Url, result: &Result<Response>) {
    let outcome = match result {
        Ok(response) => {
            let size = response.content_length();
            exchange.response(response.status().as_u16(), head::headers(response.headers()), size);
            Outcome::Completed
        }
        Err(error) => failure::record(&mut exchange, url, error),
    };
    exchange.finish(outcome);
}
