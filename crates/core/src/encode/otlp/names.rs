//! The attribute names of fields: those of OpenTelemetry's semantic conventions where there is one, else our own
//! under `hoplog.`.

use hoplog_entry::Field;

/// The attribute of a field that is written as it is; `None` for those that have a place of their own in a log
/// record, or are written with care.
pub(super) const fn attribute(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Path => "url.path",
        Field::Route => "http.route",
        Field::Query => "url.query",
        Field::Scheme => "url.scheme",
        Field::HttpVersion => "network.protocol.version",
        Field::Ip | Field::IpHash => "client.address",
        Field::Peer => "network.peer.address",
        // Of whom `client.address` is; behind a proxy that is not the peer.
        Field::ClientPort => "client.port",
        Field::StatusCode => "http.response.status_code",
        Field::RequestSize => "http.request.body.size",
        Field::ResponseSize => "http.response.body.size",
        Field::TlsVersion => "tls.protocol.version",
        Field::GrpcStatus => "rpc.grpc.status_code",
        Field::UserId => "user.id",
        Field::SessionId => "session.id",
        Field::ErrorMessage => "exception.message",
        Field::StackTrace => "exception.stacktrace",
        Field::FunctionName => "code.function.name",
        Field::FilePath => "code.file.path",
        Field::Line => "code.line.number",
        Field::Duration => "hoplog.duration_ms",
        Field::Ttfb => "hoplog.ttfb_ms",
        Field::LongestGap => "hoplog.longest_gap_ms",
        Field::RequestId => "hoplog.request_id",
        Field::XTraceId => "hoplog.x_trace_id",
        Field::ParentSpanId => "hoplog.parent_span_id",
        Field::LinkedTraceId => "hoplog.linked_trace_id",
        Field::LinkedSpanId => "hoplog.linked_span_id",
        Field::TenantId => "hoplog.tenant_id",
        Field::Target => "hoplog.target",
        Field::Weight => "hoplog.weight",
        Field::ExchangeId => "hoplog.exchange_id",
        Field::ActionType => "hoplog.action_type",
        Field::RequestBody => "hoplog.request_body",
        Field::ResponseBody => "hoplog.response_body",
        Field::RequestBodyTruncated => "hoplog.request_body_truncated",
        Field::ResponseBodyTruncated => "hoplog.response_body_truncated",
        Field::RequestBodyHash => "hoplog.request_body_hash",
        Field::ResponseBodyHash => "hoplog.response_body_hash",
        Field::ClientType => "hoplog.client_type",
        Field::Origin => "hoplog.origin",
        Field::ApiVersion => "hoplog.api_version",
        Field::Slow => "hoplog.slow",
        // The log record has a place for these.
        Field::Message | Field::TraceId | Field::SpanId => return None,
        // Several attributes each, or one that depends on more.
        Field::Method
        | Field::HostHeader
        | Field::ErrorType
        | Field::UserAgent
        | Field::Referer
        | Field::ContentType
        | Field::ResponseContentType
        | Field::RequestHeader
        | Field::ResponseHeader
        | Field::Custom => return None,
    })
}

/// Attributes that are no field by itself.
const OTHERS: [&str; 15] = [
    "log.record.uid",
    "hoplog.kind",
    "hoplog.outcome",
    "hoplog.cut",
    "http.request.method",
    "http.request.method_original",
    "server.address",
    "server.port",
    "user_agent.original",
    "error.type",
    "exception.type",
    "network.protocol.name",
    "rpc.system",
    "http.request.header.referer",
    "http.request.header.content-type",
];

/// Whether an attribute of that name may be one of ours, or one that gave way to ours. Names are unique in a log record.
pub(super) fn is_ours(name: &str) -> bool {
    // Every name of ours has a point in it, and few of an application's do. No name at all is not allowed.
    name.is_empty()
        || name.contains('.')
            && (name.strip_prefix("field.").is_some_and(is_ours)
                || OTHERS.contains(&name)
                || name.starts_with("http.request.header.")
                || name.starts_with("http.response.header.")
                || Field::ALL.iter().any(|&field| attribute(field) == Some(name)))
}
