//! Names of headers as `http` has them.

use std::sync::LazyLock;

use hoplog::{HeaderNames, LazyName};
use http::HeaderMap;

static COMMON: LazyLock<HeaderNames<http::HeaderName>> =
    LazyLock::new(|| HeaderNames::new(http::HeaderName::from_static));

/// The headers of a map.
#[inline(always)]
pub(crate) fn named(map: &HeaderMap) -> impl Iterator<Item = (LazyName<'_, http::HeaderName>, &[u8])> {
    let names = &*COMMON;
    map.iter().map(|(name, value)| (names.lazily(name), value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hoplog::HeaderName;

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
