//! What follows from a request and its headers where the client has not said it.

use super::headers::Headers;

/// `X-Client-Type`, else by the user agent, the calling service, and whether a browser came from somewhere.
pub(super) fn client_type(headers: &Headers, user_agent: &str) -> String {
    if let Some(said) = headers.get("x-client-type") {
        return said;
    }
    let agent = user_agent.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    let from = headers.get("referer").or_else(|| headers.get("origin"));
    let kind = if is(&["micromessenger", "miniprogram"]) {
        "miniprogram"
    } else if headers.get("x-caller-service").is_some() {
        "server"
    } else if from.is_some() && is(&["mozilla", "chrome", "safari", "firefox"]) {
        "web"
    } else {
        "other"
    };
    kind.to_owned()
}

/// Where a client of this type came from.
pub(super) fn origin(headers: &Headers, client_type: &str) -> String {
    let get = |name| headers.get(name).unwrap_or_default();
    match client_type {
        "web" => headers.get("referer").unwrap_or_else(|| get("origin")),
        "miniprogram" => format!("miniprogram:{}{}", get("x-miniprogram-appid"), get("x-miniprogram-path")),
        "app" => format!("app:{}/{}/{}", get("x-app-name"), get("x-app-version"), get("x-app-scene")),
        "server" => format!("server:{}/{}", get("x-caller-service"), get("x-caller-version")),
        _ => "unknown".to_owned(),
    }
}

/// `v2` of `/api/v2/orders`.
pub(super) fn api_version(path: &str) -> Option<&str> {
    let version = path.strip_prefix("/api/")?.split('/').next()?;
    let digits = version.strip_prefix('v')?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(version)
}
