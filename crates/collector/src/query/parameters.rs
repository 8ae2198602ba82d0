//! What may stand in a question, each parameter once: reading, refusing and documenting follow this table.

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Number,
    Bool,
    Level,
    Status,
    Kinds,
    Outcome,
    Moment,
    Step,
    By,
    Limit { default: usize, most: usize },
    Cursor,
}

/// A parameter of a question.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) about: &'static str,
}

/// The parameters of one route, list by list.
pub(crate) type Parameters = &'static [&'static [Parameter]];

const fn parameter(name: &'static str, shape: Shape, about: &'static str) -> Parameter {
    Parameter { name, shape, about }
}

/// The name before which a member of `metadata` stands.
pub(crate) const METADATA: &str = "metadata.";

/// What an entry must be like; everything given must hold.
pub(crate) const FILTER: &[Parameter] = &[
    parameter("service", Shape::Text, "The service that it is from."),
    parameter("level", Shape::Level, "This level."),
    parameter("min_level", Shape::Level, "This level or above."),
    parameter("path", Shape::Text, "The path, as it was asked for."),
    parameter("route", Shape::Text, "The route's template, such as /users/{id}."),
    parameter("method", Shape::Text, "The method."),
    parameter("status", Shape::Status, "A status such as 404, or a class such as 4xx."),
    parameter("trace_id", Shape::Text, "A W3C trace id, also in the form of a UUID, or an opaque one."),
    parameter("request_id", Shape::Text, "The value of x-request-id."),
    parameter("user_id", Shape::Text, "The user."),
    parameter("session_id", Shape::Text, "The session."),
    parameter("tenant_id", Shape::Text, "The tenant."),
    parameter("client_type", Shape::Text, "web, server, app, …."),
    parameter("ip", Shape::Text, "The client's address, or the text that stands in its place."),
    parameter("outcome", Shape::Outcome, "How a request ended."),
    parameter("kind", Shape::Kinds, "A kind, or several with commas between."),
    parameter("slow", Shape::Bool, "Only requests above their service's threshold, or only others."),
    parameter("min_duration_ms", Shape::Number, "At least so long."),
    parameter(
        "q",
        Shape::Text,
        "Words that all stand in message, path, error type or error message, also as parts of words, ASCII letters of any case; \"in quotes\" as one.",
    ),
    parameter("metadata.{name}", Shape::Text, "The value of a member of metadata, as text; up to 8 of them."),
];

/// Between when and when.
pub(crate) const PERIOD: &[Parameter] = &[
    parameter("from", Shape::Moment, "From when on."),
    parameter("to", Shape::Moment, "Until when, that moment left out."),
];

pub(crate) const PAGE: &[Parameter] = &[
    parameter("limit", Shape::Limit { default: 100, most: 1_000 }, "At most so many."),
    parameter("cursor", Shape::Cursor, "The next_cursor of the page before."),
];

const TRACE_PAGE: &[Parameter] = &[
    parameter(
        "failed",
        Shape::Bool,
        "Only traces with an entry at ERROR or above; the same as min_level=ERROR.",
    ),
    parameter("limit", Shape::Limit { default: 50, most: 200 }, "At most so many."),
    parameter("cursor", Shape::Cursor, "The next_cursor of the page before."),
];

const BARS: &[Parameter] = &[
    parameter("by", Shape::By, "What tells the parts of a bar apart; level without it."),
    parameter(
        "step",
        Shape::Step,
        "How long a bar is, such as 500ms, 30s, 5m, 1h or 1d; what makes about a hundred of them without it.",
    ),
];

const GROUPS: &[Parameter] =
    &[parameter("limit", Shape::Limit { default: 100, most: 1_000 }, "At most so many groups.")];

const SENDERS: &[Parameter] = &[parameter("service", Shape::Text, "The service of the senders.")];

const DELETION: &[Parameter] = &[parameter(
    "dry_run",
    Shape::Bool,
    "Only says how many would go; true without it: pass false to delete.",
)];

pub(crate) const LOGS: Parameters = &[FILTER, PERIOD, PAGE];
pub(crate) const EXPORT: Parameters = &[FILTER, PERIOD];
pub(crate) const DELETE: Parameters = &[FILTER, PERIOD, DELETION];
pub(crate) const TAIL: Parameters = &[FILTER];
pub(crate) const TRACES: Parameters = &[FILTER, PERIOD, TRACE_PAGE];
pub(crate) const HISTOGRAM: Parameters = &[FILTER, PERIOD, BARS];
pub(crate) const ERRORS: Parameters = &[FILTER, PERIOD, GROUPS];
pub(crate) const ROUTES: Parameters = &[PERIOD];
pub(crate) const COMPLETENESS: Parameters = &[SENDERS, PERIOD];
