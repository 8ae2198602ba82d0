//! Names of headers as actix-web has them.

use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderMap};
use hoplog::{HeaderNames, LazyName};

static COMMON: LazyLock<HeaderNames<header::HeaderName>> =
    LazyLock::new(|| HeaderNames::new(header::HeaderName::from_static));

/// The headers of a map. Names are lower-case and values of one name stand together, as `HeaderMap` has them.
#[inline(always)]
pub(crate) fn named(map: &HeaderMap) -> impl Iterator<Item = (LazyName<'_, header::HeaderName>, &[u8])> {
    let names = &*COMMON;
    map.iter().map(|(name, value)| (names.lazily(name), value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hoplog::HeaderName;

    #[test]
    fn every_name_is_found_as_its_text_is() {
        let standard = [header::HOST, header::WWW_AUTHENTICATE, header::X_XSS_PROTECTION];
        let others = ["x-request-id", "x", "grpc-status", "x-forwarded-for", "no-such-header"];
        let common = HeaderName::common().map(|name| header::HeaderName::from_static(name.as_str()));
        for name in common.chain(standard).chain(others.map(header::HeaderName::from_static)) {
            assert_eq!(COMMON.find(&name, || name.as_str()), HeaderName::from(name.as_str()));
        }
    }

    #[test]
    fn standard_names_have_numbers_of_their_own() {
        for name in ["host", "accept", "user-agent", "cookie", "content-type", "authorization"] {
            let by_number = COMMON.find(&header::HeaderName::from_static(name), || "found by its text");
            assert_eq!(by_number.as_str(), name);
        }
    }
}
