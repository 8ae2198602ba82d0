//! Which of our fields an attribute is, by OpenTelemetry's semantic conventions and by the names of our own SDK
//! (`hoplog.…`).

use crate::fields::Field;

/// Where the value of an attribute goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'n> {
    Field(&'static str),
    Id,
    RequestHeader(&'n str),
    ResponseHeader(&'n str),
    /// The method, or `_OTHER`.
    Method,
    /// The address and the port of the host that was asked for.
    Address,
    Port,
    /// The error, unless the exception has said it.
    ErrorType,
    /// Follows from other attributes where our own SDK writes it.
    Derived,
    Metadata,
}

/// The place of a record's attribute. Of two names for one field, the first is that of the stable conventions.
pub(super) fn place(name: &str) -> Place<'_> {
    Place::Field(match name {
        "log.record.uid" => return Place::Id,
        "http.request.method" | "http.method" => return Place::Method,
        "http.request.method_original" => "method",
        "server.address" => return Place::Address,
        "server.port" => return Place::Port,
        "error.type" => return Place::ErrorType,
        "network.protocol.name" | "rpc.system" => return Place::Derived,
        "url.path" => "path",
        "url.query" => "query",
        "url.scheme" | "http.scheme" => "scheme",
        "http.route" => "route",
        "http.response.status_code" | "http.status_code" => "status_code",
        "http.request.body.size" | "http.request_content_length" => "request_size",
        "http.response.body.size" | "http.response_content_length" => "response_size",
        "network.protocol.version" => "http_version",
        "client.address" | "http.client_ip" => "ip",
        "client.port" => "client_port",
        "network.peer.address" => "peer",
        "user_agent.original" | "http.user_agent" => "user_agent",
        "tls.protocol.version" => "tls_version",
        "rpc.grpc.status_code" => "grpc_status",
        "user.id" | "enduser.id" => "user_id",
        "session.id" => "session_id",
        "exception.type" => "error_type",
        "exception.message" => "error_message",
        "exception.stacktrace" => "stack_trace",
        "code.function.name" | "code.function" => "function_name",
        "code.file.path" | "code.filepath" => "file_path",
        "code.line.number" | "code.lineno" => "line",
        _ => return other(name),
    })
}

fn other(name: &str) -> Place<'_> {
    if let Some(header) = name.strip_prefix("http.request.header.") {
        Place::RequestHeader(header)
    } else if let Some(header) = name.strip_prefix("http.response.header.") {
        Place::ResponseHeader(header)
    } else if let Some(field) = name.strip_prefix("hoplog.").and_then(Field::from_name) {
        Place::Field(field.name())
    } else {
        Place::Metadata
    }
}

/// The field of a resource's attribute.
pub(super) fn resource(name: &str) -> Option<&'static str> {
    Some(match name {
        "service.name" => "service",
        "service.version" => "service_version",
        "deployment.environment.name" | "deployment.environment" => "environment",
        "host.name" => "host",
        "process.pid" => "pid",
        "telemetry.sdk.version" => "sdk_version",
        "hoplog.log_type" => "log_type",
        _ => return None,
    })
}
