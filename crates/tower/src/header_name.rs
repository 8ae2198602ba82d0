//! Names of headers as `http` has them.

use std::sync::LazyLock;

use hoplog::{HeaderName, HeaderNames};
use http::HeaderMap;

type Names = HeaderNames<http::HeaderName>;

static COMMON: LazyLock<Names> = LazyLock::new(|| Names::new(http::HeaderName::from_static));

/// A name that is looked up when it is asked for.
pub(crate) struct Name<'h> {
    name: &'h http::HeaderName,
    names: &'static Names,
}

impl<'h> From<Name<'h>> for HeaderName<'h> {
    #[inline(always)]
    fn from(Name { name, names }: Name<'h>) -> Self {
        names.find(name, || name.as_str())
    }
}

/// The headers of a map.
#[inline(always)]
pub(crate) fn named(map: &HeaderMap) -> impl Iterator<Item = (Name<'_>, &[u8])> {
    let names = &*COMMON;
    map.iter().map(|(name, value)| (Name { name, names }, value.as_bytes()))
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
            assert_eq!(COMMON.find(&name, || name.as_str()), HeaderName::from(name.as_str()));
        }
    }

    #[test]
    fn standard_names_have_numbers_of_their_own() {
        for name in ["host", "accept", "user-agent", "cookie", "content-type", "authorization"] {
            let by_number = COMMON.find(&http::HeaderName::from_static(name), || "found by its text");
            assert_eq!(by_number.as_str(), name);
        }
    }
}
