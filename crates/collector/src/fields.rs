//! The fields of an entry (protocols §1): one table that the reader of entries, the store's schema and the
//! answers all follow.

/// How a field's value is read, kept and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Text; numbers and booleans are taken as their text.
    Text,
    /// Text, or an array of lines.
    Lines,
    /// A whole number, also as text.
    Integer,
    /// A number, also as text.
    Real,
    /// How many entries one stands for: a number from 0 to [`MOST_WEIGHT`], also as text.
    Weight,
    /// `true` or `false`, also as text; kept as 1 or 0.
    Bool,
    /// One word of a closed list, kept as its code.
    Word(Words),
    /// A trace id: 16 bytes where it is one, else its text.
    Trace,
    /// A span id: 8 bytes where it is one, else its text.
    Span,
    /// The id of another entry: 16 bytes.
    Id,
    /// Any JSON, kept as it came.
    Json,
}

/// The closed lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    Kind,
    Outcome,
    LogType,
}

const LOG_TYPES: [&str; 5] = ["BACKEND", "FRONTEND", "MOBILE", "IOT", "WORKER"];

impl Words {
    /// The code of a word, any case.
    pub(crate) fn code(self, word: &str) -> Option<u8> {
        match self {
            Self::Kind => word.parse().ok().map(hoplog_entry::Kind::code),
            Self::Outcome => word.parse().ok().map(hoplog_entry::Outcome::code),
            Self::LogType => {
                LOG_TYPES.iter().position(|t| t.eq_ignore_ascii_case(word)).and_then(|p| u8::try_from(p).ok())
            }
        }
    }

    /// All words.
    pub(crate) fn all(self) -> Vec<&'static str> {
        (0..).map_while(|code| self.word(code)).collect()
    }

    /// The word of a code.
    pub(crate) fn word(self, code: u8) -> Option<&'static str> {
        match self {
            Self::Kind => hoplog_entry::Kind::from_code(code).map(hoplog_entry::Kind::as_str),
            Self::Outcome => hoplog_entry::Outcome::from_code(code).map(hoplog_entry::Outcome::as_str),
            Self::LogType => LOG_TYPES.get(usize::from(code)).copied(),
        }
    }
}

macro_rules! fields {
    ($($variant:ident $name:literal $shape:expr,)+) => {
        /// A field with a place of its own; `id`, `created_at`, `level`, `service` and `metadata` stand apart, as
        /// every row has them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Field { $($variant,)+ }

        impl Field {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire, and of the column.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub(crate) const fn shape(self) -> Shape {
                match self { $(Self::$variant => $shape,)+ }
            }

            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

fields! {
    Message "message" Shape::Text,
    Kind "kind" Shape::Word(Words::Kind),
    Outcome "outcome" Shape::Word(Words::Outcome),
    LogType "log_type" Shape::Word(Words::LogType),
    Environment "environment" Shape::Text,
    ServiceVersion "service_version" Shape::Text,
    Method "method" Shape::Text,
    Path "path" Shape::Text,
    Route "route" Shape::Text,
    StatusCode "status_code" Shape::Integer,
    DurationMs "duration_ms" Shape::Real,
    TtfbMs "ttfb_ms" Shape::Real,
    RequestSize "request_size" Shape::Integer,
    ResponseSize "response_size" Shape::Integer,
    TraceId "trace_id" Shape::Trace,
    SpanId "span_id" Shape::Span,
    ParentSpanId "parent_span_id" Shape::Span,
    RequestId "request_id" Shape::Text,
    XTraceId "x_trace_id" Shape::Text,
    ExchangeId "exchange_id" Shape::Id,
    UserId "user_id" Shape::Text,
    SessionId "session_id" Shape::Text,
    TenantId "tenant_id" Shape::Text,
    Ip "ip" Shape::Text,
    Peer "peer" Shape::Text,
    Scheme "scheme" Shape::Text,
    HostHeader "host_header" Shape::Text,
    Query "query" Shape::Text,
    HttpVersion "http_version" Shape::Text,
    UserAgent "user_agent" Shape::Text,
    Referer "referer" Shape::Text,
    ContentType "content_type" Shape::Text,
    ResponseContentType "response_content_type" Shape::Text,
    GrpcStatus "grpc_status" Shape::Integer,
    ErrorType "error_type" Shape::Text,
    ErrorMessage "error_message" Shape::Text,
    StackTrace "stack_trace" Shape::Lines,
    ActionType "action_type" Shape::Text,
    FunctionName "function_name" Shape::Text,
    FilePath "file_path" Shape::Text,
    Line "line" Shape::Integer,
    Target "target" Shape::Text,
    Weight "weight" Shape::Weight,
    Host "host" Shape::Text,
    Pid "pid" Shape::Integer,
    Sdk "sdk" Shape::Text,
    SdkVersion "sdk_version" Shape::Text,
    LongestGapMs "longest_gap_ms" Shape::Real,
    Slow "slow" Shape::Bool,
    ClientPort "client_port" Shape::Integer,
    ClientType "client_type" Shape::Text,
    Origin "origin" Shape::Text,
    TlsVersion "tls_version" Shape::Text,
    ApiVersion "api_version" Shape::Text,
    LinkedTraceId "linked_trace_id" Shape::Trace,
    LinkedSpanId "linked_span_id" Shape::Span,
    DeviceType "device_type" Shape::Text,
    Browser "browser" Shape::Text,
    BrowserVersion "browser_version" Shape::Text,
    OsName "os_name" Shape::Text,
    OsVersion "os_version" Shape::Text,
    RequestHeaders "request_headers" Shape::Json,
    ResponseHeaders "response_headers" Shape::Json,
    RequestBody "request_body" Shape::Json,
    ResponseBody "response_body" Shape::Json,
    RequestBodyTruncated "request_body_truncated" Shape::Json,
    ResponseBodyTruncated "response_body_truncated" Shape::Json,
    RequestBodyHash "request_body_hash" Shape::Json,
    ResponseBodyHash "response_body_hash" Shape::Json,
}

impl Field {
    /// The fields with a column of their own; the others share one JSON column.
    pub(crate) fn columns() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|f| f.shape() != Shape::Json)
    }

    /// What is shown where an entry did not say (protocols §1).
    pub(crate) const fn default_text(self) -> Option<&'static str> {
        match self {
            Self::Message => Some(""),
            Self::LogType => Some("BACKEND"),
            Self::Environment => Some("development"),
            Self::ServiceVersion => Some("v0.0.0-dev"),
            _ => None,
        }
    }
}

/// More than any sampling makes, and so little that one entry cannot drown all others in a count.
pub(crate) const MOST_WEIGHT: f64 = 1e6;

/// The service of an entry that does not name one.
pub(crate) const UNKNOWN_SERVICE: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_first_and_names_are_found() {
        let columns = Field::columns().count();
        for (i, &field) in Field::ALL.iter().enumerate() {
            assert_eq!(field as usize, i);
            assert_eq!(Field::from_name(field.name()), Some(field));
            assert_eq!(field.shape() == Shape::Json, i >= columns, "a column's number is its field's");
        }
        assert!(Field::ALL.len() <= 128, "the reader keeps a bit per field");
    }

    #[test]
    fn every_field_of_a_record_has_its_place() {
        for field in hoplog_entry::Field::ALL.iter().filter(|f| !f.name().is_empty()) {
            assert!(Field::from_name(field.name()).is_some(), "{}", field.name());
        }
    }

    #[test]
    fn words_read_back_from_their_codes() {
        for words in [Words::Kind, Words::Outcome, Words::LogType] {
            for code in 0..5 {
                let word = words.word(code).unwrap();
                assert_eq!(words.code(&word.to_lowercase()), Some(code));
            }
            assert_eq!(words.code("no such word"), None);
            assert_eq!(words.word(200), None);
        }
    }
}
