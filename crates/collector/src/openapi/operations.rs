//! What the collector does over HTTP, an operation each. A test compares it with the routes.

use crate::query::parameters as list;
use crate::query::parameters::Parameters;

/// Media types, each with the name of its schema; none for text.
pub(super) type Content = &'static [(&'static str, &'static str)];

/// One of them.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: Parameters,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: Content,
    pub(super) answers: &'static str,
    pub(super) content: Content,
}

const JSON: &str = "application/json";
const NONE: Parameters = &[];

const fn operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
) -> Operation {
    let (headers, body, content): (&[(&str, &str)], Content, Content) = (&[], &[], &[]);
    Operation { method, path, id, tag, summary, parameters: NONE, headers, body, answers: summary, content }
}

const fn ask(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: Parameters,
    content: Content,
) -> Operation {
    Operation { parameters, content, ..operation("get", path, id, "query", summary) }
}

const fn take(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Content,
    content: Content,
) -> Operation {
    let answers = "Every entry is on the disk, or refused by name.";
    Operation { body, answers, content, ..operation("post", path, id, "ingest", summary) }
}

const fn look(path: &'static str, id: &'static str, summary: &'static str, content: Content) -> Operation {
    Operation { content, ..operation("get", path, id, "operation", summary) }
}

pub(super) const OPERATIONS: &[Operation] = &[
    take(
        "/logs",
        "send",
        "Entries, in the native form or that of log-collector's clients.",
        &[(JSON, "Batch")],
        &[(JSON, "Taken")],
    ),
    take("/api/v1/logs", "sendOne", "One entry.", &[(JSON, "Sent")], &[(JSON, "Taken")]),
    take(
        "/api/v1/logs/batch",
        "sendBatch",
        "Entries, also as a bare array.",
        &[(JSON, "BatchOrArray")],
        &[(JSON, "Taken")],
    ),
    take(
        "/api/v1/ingest/logs",
        "sendSdkLogs",
        "Entries of logs-sdk's clients.",
        &[(JSON, "Batch")],
        &[(JSON, "Receipt")],
    ),
    take(
        "/api/v1/ingest/infra-logs",
        "sendSdkInfraLogs",
        "Entries about infrastructure, of logs-sdk's clients.",
        &[(JSON, "Batch")],
        &[(JSON, "Receipt")],
    ),
    take(
        "/v1/logs",
        "sendOtlp",
        "Log records of OpenTelemetry (OTLP/HTTP).",
        &[(JSON, "Anything"), ("application/x-protobuf", "Anything")],
        &[(JSON, "Anything"), ("application/x-protobuf", "Anything")],
    ),
    ask("/api/v1/logs", "logs", "Entries, newest first.", list::LOGS, &[(JSON, "Listing")]),
    ask("/api/v1/logs/{id}", "log", "One entry, all of it.", NONE, &[(JSON, "Entry")]),
    ask(
        "/api/v1/traces",
        "traces",
        "Traces, newest first: what each came to.",
        list::TRACES,
        &[(JSON, "Traces")],
    ),
    ask(
        "/api/v1/traces/{trace_id}",
        "trace",
        "A trace: its spans as a tree with their events, and its entries, oldest first.",
        NONE,
        &[(JSON, "Trace")],
    ),
    ask(
        "/api/v1/histogram",
        "histogram",
        "How many entries there were, step by step; of the last hour without a period.",
        list::HISTOGRAM,
        &[(JSON, "Histogram")],
    ),
    ask(
        "/api/v1/errors",
        "errors",
        "Errors by type, message without what differs each time, and top frame; of the last day without a period.",
        list::ERRORS,
        &[(JSON, "Errors")],
    ),
    ask("/api/v1/routes", "routes", "What each route did.", list::ROUTES, &[(JSON, "Routes")]),
    ask(
        "/api/v1/services",
        "services",
        "The services that sent something, most entries first.",
        NONE,
        &[(JSON, "Services")],
    ),
    ask(
        "/api/v1/completeness",
        "completeness",
        "Whether what was sent is here, per life of a sending process; of the last day without a period.",
        list::COMPLETENESS,
        &[(JSON, "Completeness")],
    ),
    ask("/stats", "stats", "Counts over everything.", NONE, &[(JSON, "Stats")]),
    Operation {
        headers: &[("Last-Event-ID", "The id of the last event that came: it is gone on behind it.")],
        ..ask(
            "/api/v1/tail",
            "tail",
            "What arrives from now on, as server-sent events.",
            list::TAIL,
            &[("text/event-stream", "")],
        )
    },
    Operation {
        tag: "admin",
        ..ask(
            "/api/v1/export",
            "export",
            "A line of JSON per entry, newest first, as many as there are.",
            list::EXPORT,
            &[("application/x-ndjson", "Entry")],
        )
    },
    Operation {
        parameters: list::DELETE,
        content: &[(JSON, "Deleted")],
        ..operation(
            "delete",
            "/api/v1/logs",
            "delete",
            "admin",
            "Takes entries out for good, or says how many there are.",
        )
    },
    look(
        "/",
        "service",
        "The page for a browser, a word for a program.",
        &[(JSON, "Anything"), ("text/html", "")],
    ),
    look("/assets/{file}", "asset", "A file of the page.", &[("*/*", "")]),
    look("/reference", "reference", "This interface as a page.", &[("text/html", "")]),
    look("/openapi.json", "openapi", "This interface as OpenAPI.", &[(JSON, "Anything")]),
    look("/health", "health", "Alive.", &[(JSON, "Anything")]),
    look("/healthz", "healthz", "Alive.", &[(JSON, "Anything")]),
    look("/livez", "livez", "Alive.", &[(JSON, "Anything")]),
    look("/readyz", "readyz", "Whether entries are taken right now.", &[(JSON, "Anything")]),
    look("/metrics", "metrics", "The collector's own counts, for Prometheus.", &[("text/plain", "")]),
];
