//! The fields of an entry: one byte in a record, one name on the wire, one type, one length limit.

use crate::record::Type;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $name:literal, $ty:ident, $limit:expr;)+) => {
        /// A field of an entry. The names are those of the native JSON (`POST /logs`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field { $($(#[$doc])* $variant = $id,)+ }

        impl Field {
            /// Every field, in order of its id.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The key on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The type of its value in a record.
            #[inline(always)] // of a known field it is a number
            #[must_use]
            pub const fn ty(self) -> Type {
                match self { $(Self::$variant => Type::$ty,)+ }
            }

            /// The most bytes that a text keeps; longer ones are cut and say so.
            #[inline(always)] // of a known field it is a number
            #[must_use]
            pub const fn limit(self) -> usize {
                match self { $(Self::$variant => $limit,)+ }
            }

            /// The byte in a record.
            #[inline]
            #[must_use]
            pub const fn id(self) -> u8 {
                self as u8
            }

            /// The field with this byte, if this version knows one.
            #[inline]
            #[must_use]
            pub const fn from_id(id: u8) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

const WORD: usize = 256;
const LINE: usize = 8 * 1024;
const TEXT: usize = 64 * 1024;

fields! {
    /// What is said, for people.
    Message = 1, "message", Text, TEXT;
    /// The request method.
    Method = 2, "method", Text, WORD;
    /// The path as it came, without the query.
    Path = 3, "path", Text, LINE;
    /// The route template.
    Route = 4, "route", Text, LINE;
    /// The query, secrets masked.
    Query = 5, "query", Text, LINE;
    /// `http` or `https`.
    Scheme = 6, "scheme", Text, WORD;
    /// The host that the client asked for.
    HostHeader = 7, "host_header", Text, WORD;
    /// `1.0`, `1.1`, `2` or `3`.
    HttpVersion = 8, "http_version", Text, WORD;
    /// The client's address.
    Ip = 9, "ip", Ip, 0;
    /// The address at the other end of the connection.
    Peer = 10, "peer", Ip, 0;
    /// The response's status; absent without a response.
    StatusCode = 11, "status_code", Uint, 0;
    /// From the first byte of the request's head to the end, to the nanosecond.
    Duration = 12, "duration_ms", Nanos, 0;
    /// From the first byte of the request's head to the response head.
    Ttfb = 13, "ttfb_ms", Nanos, 0;
    /// Body bytes in.
    RequestSize = 14, "request_size", Uint, 0;
    /// Body bytes out.
    ResponseSize = 15, "response_size", Uint, 0;
    /// The header of that name, where it is not among the kept headers.
    UserAgent = 16, "user_agent", Text, LINE;
    /// The header of that name, where it is not among the kept headers.
    Referer = 17, "referer", Text, LINE;
    /// The header of that name, where it is not among the kept headers.
    ContentType = 18, "content_type", Text, LINE;
    /// The response's header of that name, where it is not among the kept headers.
    ResponseContentType = 19, "response_content_type", Text, LINE;
    /// The id of this one request.
    RequestId = 20, "request_id", Text, WORD;
    /// The id that all hops of a call share.
    TraceId = 21, "trace_id", TraceId, 0;
    /// The id of this hop.
    SpanId = 22, "span_id", SpanId, 0;
    /// The hop that called this one.
    ParentSpanId = 23, "parent_span_id", SpanId, 0;
    /// An `x-trace-id` that is not a trace id.
    XTraceId = 24, "x_trace_id", Text, WORD;
    /// Who.
    UserId = 25, "user_id", Text, WORD;
    /// Which session.
    SessionId = 26, "session_id", Text, WORD;
    /// Which tenant.
    TenantId = 27, "tenant_id", Text, WORD;
    /// The type of an error.
    ErrorType = 28, "error_type", Text, LINE;
    /// What an error says.
    ErrorMessage = 29, "error_message", Text, LINE;
    /// Source chain and backtrace.
    StackTrace = 30, "stack_trace", Text, TEXT;
    /// A kept request header; comes once per value.
    RequestHeader = 31, "request_headers", Header, LINE;
    /// A kept response header; comes once per value.
    ResponseHeader = 32, "response_headers", Header, LINE;
    /// gRPC status from trailers or headers.
    GrpcStatus = 33, "grpc_status", Uint, 0;
    /// The function that spoke.
    FunctionName = 34, "function_name", Text, LINE;
    /// The file that spoke.
    FilePath = 35, "file_path", Text, LINE;
    /// The line that spoke.
    Line = 36, "line", Uint, 0;
    /// The module or component that spoke.
    Target = 37, "target", Text, LINE;
    /// How many entries this one stands for (sampling).
    Weight = 38, "weight", Float, 0;
    /// The id that the final entry of a running exchange will bear.
    ExchangeId = 39, "exchange_id", Uuid, 0;
    /// What kind of action.
    ActionType = 40, "action_type", Text, WORD;
    /// A field of the application's own, with its name.
    Custom = 41, "", Custom, TEXT;
    /// The first bytes of the request's body, secrets masked; only where bodies are asked for.
    RequestBody = 42, "request_body", Text, TEXT;
    /// The first bytes of the response's body, secrets masked; only where bodies are asked for.
    ResponseBody = 43, "response_body", Text, TEXT;
    /// Whether the request's body was longer than what is kept of it.
    RequestBodyTruncated = 44, "request_body_truncated", Bool, 0;
    /// Whether the response's body was longer than what is kept of it.
    ResponseBodyTruncated = 45, "response_body_truncated", Bool, 0;
    /// A keyed hash of a request body that could not be read and is not kept.
    RequestBodyHash = 46, "request_body_hash", Text, WORD;
    /// A keyed hash of a response body that could not be read and is not kept.
    ResponseBodyHash = 47, "response_body_hash", Text, WORD;
    /// The longest time between two chunks of a streamed response.
    LongestGap = 48, "longest_gap_ms", Nanos, 0;
    /// The client's port: of the connection, or what a trusted proxy says.
    ClientPort = 49, "client_port", Uint, 0;
    /// `1.2` or `1.3`, where the server says it.
    TlsVersion = 50, "tls_version", Text, WORD;
    /// `web`, `miniprogram`, `server`, `other`, or what `X-Client-Type` says.
    ClientType = 51, "client_type", Text, WORD;
    /// Where the client says that it comes from.
    Origin = 52, "origin", Text, LINE;
    /// `v1` of `/api/v1/…`.
    ApiVersion = 53, "api_version", Text, WORD;
    /// The trace that the caller was part of, where a new one was started for it.
    LinkedTraceId = 54, "linked_trace_id", TraceId, 0;
    /// The caller's span in the linked trace.
    LinkedSpanId = 55, "linked_span_id", SpanId, 0;
    /// The client's address as a keyed hash; stands in the place of [`Field::Ip`], under the same name.
    IpHash = 56, "ip", Text, WORD;
    /// The request took longer than the slow threshold.
    Slow = 57, "slow", Bool, 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_reads_back_from_its_id_and_names_do_not_repeat() {
        let mut names = std::collections::HashSet::new();
        for &f in Field::ALL {
            assert_eq!(Field::from_id(f.id()), Some(f));
            assert!(names.insert(f.name()) || f == Field::IpHash, "{} twice", f.name());
        }
        assert_eq!(Field::from_id(0), None);
        assert_eq!(Field::from_id(255), None);
    }
}
