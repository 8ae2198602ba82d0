//! What a framework's test provides.

use std::task::{Context, Poll};

use super::act::{Actor, Piece};
use super::plan::Failing;

/// A web framework's traits, and hoplog's middleware for them.
pub trait Glue {
    /// `tower`, `actix`: the figure's name.
    const NAME: &'static str;
    /// Whether bodies have trailers.
    const TRAILERS: bool;

    /// The service alone.
    fn bare(&self, actor: Actor) -> Box<dyn Side>;

    /// The service in the log layer, or in two of them.
    fn logged(&self, actor: Actor, client: hoplog::Client, layers: usize) -> Box<dyn Side>;

    /// Outcome and status of the entry for a request whose service failed.
    fn failed(how: Failing) -> (&'static str, Option<u16>);
}

/// A service, the future of its answer, the body of that: whatever is there now. Dropped, that is dropped.
pub trait Side {
    /// Calls the service.
    fn call(&mut self);

    /// Polls the future.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Failure>>;

    /// Polls the body; an error is what it says.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, String>>>;

    /// What the body says of itself.
    fn body(&self) -> BodyState;
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// In any order.
    pub headers: Vec<(String, String)>,
    /// The length that it promises to the client, by body or by header.
    pub promised: Option<u64>,
    /// Whether the server sends, and so counts, what the body gives.
    pub sent: bool,
}

/// A service that gave no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub String);

/// What a body says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct BodyState {
    /// In the framework's words.
    pub size: String,
    /// Servers do not poll it any more.
    pub ended: bool,
}
