//! What PostgreSQL's errors mean to us, by their SQLSTATE.

use crate::store::StoreError;
use tokio_postgres::error::{Error, SqlState};

/// What to do about a failed write.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection is gone, or what happened on it is not known: the same again on another one.
    Gone(StoreError),
    /// Somebody was in the way: the same again.
    Again(StoreError),
    /// A day's partition is missing: make it, then the same again.
    NoDay(StoreError),
    /// An id is there already.
    Twice(StoreError),
    /// A value that no column holds: find its entry.
    Value(StoreError),
    /// Nothing that trying again now would mend.
    Refused(StoreError),
}

impl Trouble {
    pub(super) fn of(error: &Error) -> Self {
        let said = explain(error);
        let Some(state) = error.code() else { return Self::Gone(said) };
        match state.code().as_bytes() {
            b"40001" | b"40P01" => Self::Again(said),
            // Shut down, crashed, or a backend that was ended.
            [b'5', b'7', b'P', ..] | [b'0', b'8', ..] => Self::Gone(said),
            // A standby, since the primary moved: another connection may lead to it.
            b"25006" => Self::Gone(said),
            b"23514" => Self::NoDay(said),
            b"23505" => Self::Twice(said),
            [b'2', b'2', ..] => Self::Value(said),
            _ => Self::Refused(said),
        }
    }

    pub(super) fn into_error(self) -> StoreError {
        let (Self::Gone(error)
        | Self::Again(error)
        | Self::NoDay(error)
        | Self::Twice(error)
        | Self::Value(error)
        | Self::Refused(error)) = self;
        error
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

/// What an error means to whoever asked.
pub(super) fn explain(error: &Error) -> StoreError {
    let said = error.as_db_error().map_or_else(|| chain(error), |db| db.message().to_owned());
    match error.code() {
        Some(state) if *state == SqlState::QUERY_CANCELED => {
            StoreError::TooSlow("the query took too long: narrow it with from, to or service".to_owned())
        }
        Some(state) if *state == SqlState::DISK_FULL => {
            StoreError::Full(format!("no room on PostgreSQL's disk ({said}): free some"))
        }
        Some(state) => StoreError::Unavailable(format!("PostgreSQL: {said} (SQLSTATE {})", state.code())),
        None => StoreError::Unavailable(format!("PostgreSQL cannot be reached: {said}")),
    }
}

/// An error and its causes; the outermost one says little.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_said = cause.to_string();
        if !said.ends_with(&cause_said) {
            said = said + ": " + &cause_said;
        }
        source = cause.source();
    }
    said
}
