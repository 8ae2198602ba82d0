//! A request, or what the application logged by hand, as a native entry.

use super::Sdk;
use super::derived;
use super::headers::Headers;
use super::members::{Given, is_nothing, object};
use crate::ingest::translated::Members;
use hoplog_entry::{EntryId, Level};

/// Their name, and ours.
pub(super) const FIELDS: [(&str, &str); 36] = [
    ("timestamp", "timestamp"),
    ("environment", "environment"),
    ("host", "host"),
    ("process_id", "pid"),
    ("method", "method"),
    ("scheme", "scheme"),
    ("host_header", "host_header"),
    ("path", "path"),
    ("query_string", "query"),
    ("content_type", "content_type"),
    ("status_code", "status_code"),
    ("response_body", "response_body"),
    ("client_port", "client_port"),
    ("user_agent", "user_agent"),
    ("device_type", "device_type"),
    ("browser", "browser"),
    ("browser_version", "browser_version"),
    ("os_name", "os_name"),
    ("os_version", "os_version"),
    ("tls_version", "tls_version"),
    ("referer", "referer"),
    ("request_id", "request_id"),
    ("trace_id", "trace_id"),
    ("span_id", "span_id"),
    ("parent_span_id", "parent_span_id"),
    ("user_id", "user_id"),
    ("session_id", "session_id"),
    ("tenant_id", "tenant_id"),
    ("error_message", "error_message"),
    ("error_type", "error_type"),
    ("error_stack", "stack_trace"),
    ("client_type", "client_type"),
    ("origin", "origin"),
    ("api_version", "api_version"),
    ("service_version", "service_version"),
    ("route", "route"),
];

/// Numbers of which 0 says something, in a request.
const AMOUNTS: [(&str, &str); 3] = [
    ("duration_ms", "duration_ms"),
    ("request_body_size", "request_size"),
    ("response_body_size", "response_size"),
];

/// The method of an entry that the application made, and how its path begins.
const MANUAL: &str = "MANUAL";
const MANUAL_PATH: &str = "/_log/";

pub(super) fn write(given: &Given<'_>, sdk: &Sdk, out: &mut Members<'_>) {
    let id = given.text("uuid");
    let id_is_one = id.as_ref().is_some_and(|id| id.trim().parse::<EntryId>().is_ok());
    if let Some(id) = id.filter(|_| id_is_one) {
        out.text("id", id.trim());
    }
    if let Some(service) = given.text("service_name").or_else(|| given.text("project_slug")) {
        out.text("service", &service);
    }
    for (theirs, ours) in FIELDS {
        if let Some(raw) = given.raw(theirs) {
            out.raw(ours, raw);
        }
    }
    let manual = given.text("method").is_some_and(|method| method == MANUAL);
    for (theirs, ours) in AMOUNTS {
        let amount = given.iter().filter(|(name, _)| *name == theirs).last().map(|(_, raw)| raw);
        if let Some(raw) = amount.filter(|raw| !is_nothing(raw) || *raw == "0" && !manual) {
            out.raw(ours, raw);
        }
    }
    outcome(given, manual, out);
    let headers = headers(given, out);
    if !manual {
        derive(given, &headers, out);
    }
    let chain = client(given, out);
    if let Some(proto) = given.text("proto") {
        out.text("http_version", proto.strip_prefix("HTTP/").unwrap_or(&proto));
    }
    sdk.write(out);
    out.object("metadata", |metadata| {
        for (name, raw) in given.iter().filter(|(_, raw)| !is_nothing(raw)) {
            let kept = match name {
                "uuid" => !id_is_one,
                "client_ip" => chain,
                "service_name" | "proto" | "request_headers" | "response_headers" | "request_body" => false,
                _ => !FIELDS.iter().chain(&AMOUNTS).any(|(theirs, _)| *theirs == name),
            };
            if kept {
                let read = object(raw).filter(|_| ["tags", "latency_breakdown"].contains(&name));
                metadata.name(name).push_str(read.as_deref().unwrap_or(raw));
            }
        }
    });
}

/// Kind, level, outcome and message.
fn outcome(given: &Given<'_>, manual: bool, out: &mut Members<'_>) {
    let status = given.text("status_code").and_then(|status| status.trim().parse::<u16>().ok());
    let path = given.text("path").unwrap_or_default();
    let error = given.text("error_type").unwrap_or_default();
    let failed = given.is_true("is_error");
    let body = given.raw("request_body");
    if manual {
        let said = path.strip_prefix(MANUAL_PATH).and_then(Level::parse_lenient);
        let level = said.unwrap_or(if failed { Level::Error } else { Level::Info });
        out.text("kind", "event");
        out.text("level", level.as_str());
        if let Some(body) = body {
            out.raw("message", body);
        }
        return;
    }
    if let Some(body) = body {
        out.raw("request_body", body);
    }
    let (level, outcome) = match (status, &*error) {
        (None, "panic") => (Level::Error, Some("panicked")),
        (None, "timeout") => (Level::Warn, Some("timed_out")),
        (None, _) if failed => (Level::Error, None),
        (None, _) => (Level::Info, None),
        (Some(408 | 504), _) => (Level::Warn, Some("timed_out")),
        (Some(500..), _) => (Level::Error, Some("completed")),
        (Some(400..), _) => (Level::Warn, Some("completed")),
        (Some(_), _) if failed => (Level::Error, Some("completed")),
        (Some(_), _) => (Level::Info, Some("completed")),
    };
    out.text("kind", "request");
    out.text("level", level.as_str());
    if let Some(outcome) = outcome {
        out.text("outcome", outcome);
    }
    let method = given.text("method").unwrap_or("-".into());
    let status = status.map_or_else(|| outcome.unwrap_or("-").to_owned(), |status| status.to_string());
    out.text("message", &format!("{method} {path} {status}"));
}

/// Writes the headers of both sides, and gives back those of the request.
fn headers(given: &Given<'_>, out: &mut Members<'_>) -> Headers {
    let mut asked = Headers::none();
    for name in ["request_headers", "response_headers"] {
        let Some(raw) = given.raw(name) else { continue };
        match Headers::read(raw) {
            Some(headers) => {
                headers.write(name, out);
                if name == "request_headers" {
                    asked = headers;
                }
            }
            None => out.raw(name, raw),
        }
    }
    asked
}

fn derive(given: &Given<'_>, headers: &Headers, out: &mut Members<'_>) {
    let said = given.text("client_type");
    let client_type = match &said {
        Some(said) => said.clone().into_owned(),
        None => derived::client_type(headers, &given.text("user_agent").unwrap_or_default()),
    };
    if said.is_none() {
        out.text("client_type", &client_type);
    }
    if given.raw("origin").is_none() {
        out.text("origin", &derived::origin(headers, &client_type));
    }
    if given.raw("api_version").is_none()
        && let Some(version) = given.text("path").as_deref().and_then(derived::api_version)
    {
        out.text("api_version", version);
    }
}

/// The client's address: the first of a chain. Says whether there is a chain that stands nowhere else.
fn client(given: &Given<'_>, out: &mut Members<'_>) -> bool {
    let Some(ip) = given.text("client_ip") else { return false };
    let first = ip.split(',').next().unwrap_or_default().trim();
    out.text("ip", first);
    ip != first && given.text("client_ip_chain").is_none_or(|chain| chain != ip)
}
