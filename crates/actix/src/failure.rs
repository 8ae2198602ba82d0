//! What an error says, though actix-web has erased its type.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_web::Error;
use actix_web::http::StatusCode;
use hoplog::{Exchange, Outcome, error_chain, error_sources, error_text};

/// How a request ended for which an inner middleware returned an error of this status. Returning one is how actix
/// middlewares refuse a request (401, 403, 429): no failure of the service.
pub(crate) fn outcome(status: StatusCode) -> Outcome {
    match status.as_u16() {
        408 | 504 => Outcome::TimedOut,
        500.. => Outcome::ServiceError,
        _ => Outcome::Completed,
    }
}

/// The error behind a response.
pub(crate) fn record(exchange: &mut Exchange, error: &Error) {
    let name = name(error);
    exchange.error(name.as_deref().unwrap_or("actix_web::Error"), &error_text(error), None);
}

/// The error that ended a body.
pub(crate) fn record_body(exchange: &mut Exchange, error: &(dyn StdError + 'static)) {
    let name = name(error);
    let sources = error_sources(error_chain(Some(error)).nth(1));
    exchange.error(name.as_deref().unwrap_or("dyn Error"), &error_text(error), sources.as_deref());
}

/// The name that a derived `Debug` begins with: of the type, or of the enum's variant.
fn name(error: &(impl Debug + ?Sized)) -> Option<String> {
    let mut start = Start(String::new());
    // It stops the formatting, by an error, when it has enough. A panic in there is none of the request's.
    let _ = catch_unwind(AssertUnwindSafe(|| write!(start, "{error:?}")));
    let mut text = start.0;
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(char::is_uppercase)
        && (rest.is_empty() || rest.starts_with('(') || rest.starts_with(" {"));
    is_name.then(|| {
        text.truncate(end);
        text
    })
}

/// Takes the first bytes of a text, and no more.
struct Start(String);

impl Start {
    const ENOUGH: usize = 100;
}

impl Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() >= Self::ENOUGH {
            return Err(fmt::Error);
        }
        self.0.extend(text.chars().take(Self::ENOUGH));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Unit;

    #[derive(Debug)]
    struct Wrapper(#[expect(dead_code, reason = "only printed")] u8);

    #[derive(Debug)]
    struct Record {
        #[expect(dead_code, reason = "only printed")]
        secret: &'static str,
    }

    #[test]
    fn a_derived_debug_gives_the_name_and_nothing_of_the_value() {
        assert_eq!(name(&Unit).as_deref(), Some("Unit"));
        assert_eq!(name(&Wrapper(1)).as_deref(), Some("Wrapper"));
        assert_eq!(name(&Record { secret: "s3cr3t" }).as_deref(), Some("Record"));
    }

    #[test]
    fn a_text_is_no_name() {
        assert_eq!(name("Charge failed"), None, "a quoted text");
        assert_eq!(name(&format_args!("Charge failed")), None, "a sentence");
        assert_eq!(name(&format_args!("")), None, "nothing");
        assert_eq!(name(&42), None, "a number");
    }

    #[test]
    fn statuses_of_errors_tell_refusals_from_failures() {
        let of = |status| outcome(StatusCode::from_u16(status).unwrap());
        assert_eq!([401, 404, 429].map(of), [Outcome::Completed; 3]);
        assert_eq!([408, 504].map(of), [Outcome::TimedOut; 2]);
        assert_eq!([500, 503].map(of), [Outcome::ServiceError; 2]);
    }
}
