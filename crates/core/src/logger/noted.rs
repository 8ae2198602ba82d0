//! Errors that are noted in passing, of whatever type callers have.

use std::any::type_name;
use std::error::Error;

use super::EntryBuilder;
use crate::error_chain::{error_sources, error_text, of_values};

/// An error of a measured call: any [`Error`], a box of one, or a text. Errors of other crates that lend themselves as
/// `dyn Error` (`AsRef<dyn Error>`) are noted too.
///
/// `Kind` tells the implementations apart and is always inferred.
pub trait Noted<Kind> {
    /// The entry with the error's type, what it says, and its sources.
    #[doc(hidden)]
    fn note(&self, entry: EntryBuilder) -> EntryBuilder;
}

#[doc(hidden)]
#[derive(Debug)]
pub struct AsItIs;

#[doc(hidden)]
#[derive(Debug)]
pub struct Lent;

#[doc(hidden)]
#[derive(Debug)]
pub struct Boxed;

#[doc(hidden)]
#[derive(Debug)]
pub struct Said;

impl<E: Error> Noted<AsItIs> for E {
    fn note(&self, entry: EntryBuilder) -> EntryBuilder {
        note::<E>(entry, self)
    }
}

impl<E: AsRef<dyn Error>> Noted<Lent> for E {
    fn note(&self, entry: EntryBuilder) -> EntryBuilder {
        note::<E>(entry, self.as_ref())
    }
}

impl Noted<Boxed> for Box<dyn Error + Send + Sync> {
    fn note(&self, entry: EntryBuilder) -> EntryBuilder {
        note::<Self>(entry, &**self)
    }
}

impl Noted<Boxed> for Box<dyn Error + Send> {
    fn note(&self, entry: EntryBuilder) -> EntryBuilder {
        note::<Self>(entry, &**self)
    }
}

impl Noted<Said> for String {
    fn note(&self, entry: EntryBuilder) -> EntryBuilder {
        entry.failure(type_name::<Self>(), self, None)
    }
}

impl Noted<Said> for &str {
    fn note(&self, entry: EntryBuilder) -> EntryBuilder {
        entry.failure(type_name::<str>(), self, None)
    }
}

fn note<E>(entry: EntryBuilder, error: &dyn Error) -> EntryBuilder {
    entry.failure(type_name::<E>(), &error_text(error), error_sources(of_values(|| error.source()).flatten()))
}
