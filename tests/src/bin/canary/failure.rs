//! Errors that say what they are told.

use std::error::Error;
use std::fmt;

use actix_web::ResponseError;
use serde::ser::{Error as _, Serialize, Serializer};

/// An error and its sources, a line for each.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    message: String,
    source: Option<Box<Failure>>,
}

impl Failure {
    pub(crate) fn new(text: &str) -> Self {
        let chain = text
            .lines()
            .rev()
            .fold(None, |source, line| Some(Box::new(Self { message: line.to_owned(), source })));
        chain.map_or(Self { message: String::new(), source: None }, |first| *first)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// actix-web answers with what the error says.
impl ResponseError for Failure {}

/// A value that cannot be serialized, and says why.
pub(crate) struct Unserializable<'a>(pub(crate) &'a str);

impl Serialize for Unserializable<'_> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom(self.0))
    }
}
