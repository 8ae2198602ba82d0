//! Why no answer came.

use std::fmt;

use super::answer::{Cause, Verdict};

/// No answer came; the batch may have arrived or not.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) kind: Failure,
    /// The innermost cause: the outer ones repeat the URL, which may hold credentials of a proxy.
    pub(crate) cause: String,
}

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no address, nobody listens, or it is not said in time.
    Unreachable,
    /// The server is not who it should be, or does not take who we are.
    Certificate,
    /// It was connected to, and did not answer in time.
    Silent,
    /// The connection ended before there was an answer.
    Lost,
    /// It ended within the answer.
    BrokeOff,
    /// The request could not be made.
    Impossible,
}

impl Failure {
    /// With the name of the server before it.
    fn what(self) -> &'static str {
        match self {
            Self::Unreachable => "cannot be reached",
            Self::Certificate => {
                "cannot be trusted; check its certificate, `Network::root_certificates` and the clock"
            }
            Self::Silent => "did not answer in time",
            Self::Lost => "lost the connection",
            Self::BrokeOff => "broke off its answer",
            Self::Impossible => "could not be asked",
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.what(), self.cause)
    }
}

impl Verdict {
    /// What it means for a batch that nothing was heard of it; `peer` is the server for messages.
    pub(crate) fn of_failure(failure: Failure, peer: &str) -> Self {
        let why = format!("{peer} {}", failure.what()).into();
        match failure {
            // It is a person's to repair, and no request gets so far as to carry anything.
            Failure::Certificate => Self::Paused { why },
            Failure::Unreachable => Self::Retry { after: None, cause: Cause::Unreachable, why },
            _ => Self::Retry { after: None, cause: Cause::Away, why },
        }
    }
}
