//! Names of headers, told apart by a number instead of by their text.
//!
//! `http` has a number for every standard name, which no function tells; but hashing a name writes it. It leads to a
//! place in a table, and what stands there is compared with the name: were the numbers others, or none, names would be
//! found by their text, more slowly.

use std::hash::{Hash as _, Hasher};
use std::sync::LazyLock;

use hoplog::HeaderName;
use http::HeaderMap;

/// More than there are standard names.
const PLACES: usize = 128;

static COMMON: LazyLock<Names> = LazyLock::new(Names::common);

/// A name that is looked up when it is asked for.
pub(crate) struct Name<'h> {
    name: &'h http::HeaderName,
    names: &'static Names,
}

impl<'h> From<Name<'h>> for HeaderName<'h> {
    #[inline(always)]
    fn from(Name { name, names }: Name<'h>) -> Self {
        names.find(name)
    }
}

/// The headers of a map.
#[inline(always)]
pub(crate) fn named(map: &HeaderMap) -> impl Iterator<Item = (Name<'_>, &[u8])> {
    let names = &*COMMON;
    map.iter().map(|(name, value)| (Name { name, names }, value.as_bytes()))
}

/// The names that hoplog knows, each in the place of its number.
struct Names([Option<(http::HeaderName, HeaderName<'static>)>; PLACES]);

impl Names {
    fn common() -> Self {
        let mut places = [const { None }; PLACES];
        for common in HeaderName::common() {
            let name = http::HeaderName::from_static(common.as_str());
            if let Some(place) = places.get_mut(number(&name)) {
                *place = Some((name, common));
            }
        }
        Self(places)
    }

    #[inline(always)] // asked of every header
    fn find<'h>(&self, name: &'h http::HeaderName) -> HeaderName<'h> {
        match self.0.get(number(name)) {
            Some(Some((known, found))) if known == name => *found,
            _ => name.as_str().into(),
        }
    }
}

/// That of a standard name; of any other one that no place has.
#[inline(always)]
fn number(name: &http::HeaderName) -> usize {
    let mut number = Number(0);
    name.hash(&mut number);
    number.0
}

/// Puts together the numbers of the enums that a name is made of: 0 and its own for a standard name.
struct Number(usize);

impl Hasher for Number {
    #[inline(always)]
    fn write_isize(&mut self, n: isize) {
        self.0 = self.0.wrapping_mul(PLACES).wrapping_add(n as usize);
    }

    #[inline(always)]
    fn write(&mut self, _: &[u8]) {
        self.0 = usize::MAX;
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_as_its_text_is() {
        let standard = [http::header::HOST, http::header::WWW_AUTHENTICATE, http::header::X_XSS_PROTECTION];
        let others = ["x-request-id", "x", "grpc-status", "x-forwarded-for", "no-such-header"];
        let common = HeaderName::common().map(|name| http::HeaderName::from_static(name.as_str()));
        for name in common.chain(standard).chain(others.map(http::HeaderName::from_static)) {
            assert_eq!(COMMON.find(&name), HeaderName::from(name.as_str()));
        }
    }

    #[test]
    fn standard_names_have_numbers_of_their_own() {
        let standard = ["host", "accept", "user-agent", "cookie", "content-type", "authorization"];
        for name in standard {
            let place = COMMON.0.get(number(&http::HeaderName::from_static(name)));
            assert_eq!(place.and_then(Option::as_ref).map(|(known, _)| known.as_str()), Some(name));
        }
    }
}
