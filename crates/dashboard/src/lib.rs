//! The page of hoplog's collector: assets and their embedding.
//!
//! The page is plain HTML, CSS and ES modules under `assets/`, embedded as they stand: nothing is compiled, bundled
//! or fetched from elsewhere. It asks the collector's own HTTP interface and needs nothing else but a browser of 2024
//! or later.
//!
//! ```text
//!  GET /               asset("index.html")     + CONTENT_SECURITY_POLICY
//!  GET /assets/{file}  asset(file)
//!
//!  main.js ─ state.js   what is shown, held in the URL fragment
//!          ├ poll.js    when to ask ── api.js   what to ask, with key.js's key
//!          ├ list.js    the requests ─ feed.js  pages put together, row.js
//!          ├ trace.js   one trace ──── tree.js → waterfall.js, detail.js → body.js, pretty.js
//!          ├ shortfall.js  what did not get here ── losses.js
//!          └ routes.js, totals.js, filters.js, keyboard.js, samples.js
//!
//!  GET /reference      asset("reference.html"): reference.js ─ schema.js, the collector's interface out of /openapi.json
//!  dom.js, format.js, entry.js: values → text nodes; there is no way from a string to markup
//! ```
//!
//! ```
//! let page = hoplog_dashboard::asset("index.html").expect("the page is embedded");
//! assert_eq!(page.content_type, "text/html; charset=utf-8");
//! assert!(hoplog_dashboard::asset("../Cargo.toml").is_none());
//! ```
//!
//! Whoever serves it sends the policy with `/`, `X-Content-Type-Options: nosniff` with everything, and
//! `Cache-Control: no-cache` with the entity tag: file names carry no version.

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// What the page may do: load and ask its own origin, nothing else. No inline script or style, no string to markup
/// (Trusted Types without any policy), no framing.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// One file of the page, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The value of `Content-Type`, with the charset where the type has one.
    pub content_type: &'static str,
    /// The value of `ETag`: a strong tag in its quotes (RFC 9110, section 8.8.3), made from the content.
    pub etag: String,
    /// The content; static memory of the binary.
    pub bytes: Cow<'static, [u8]>,
}

/// The asset of this name, `index.html` for the page itself. Names are looked up in a fixed list; `None` for
/// everything else, whatever it looks like.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    let content_type = content_type(path)?;
    let file = Assets::get(path)?;
    // 64 bits tell the versions of a file apart; more would only lengthen every request.
    let etag = file.metadata.sha256_hash()[..8]
        .iter()
        .fold(String::from('"'), |tag, byte| format!("{tag}{byte:02x}"));
    Some(Asset { content_type, etag: etag + "\"", bytes: file.data })
}

/// The names of all assets, in no particular order.
pub fn names() -> impl Iterator<Item = Cow<'static, str>> {
    Assets::iter()
}

// Held in the binary in every build: a page read from the source tree would not survive a move of the binary.
#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}
