//! What goes over the wire, as far as it is no entry.

use serde_json::{Map, Value, json};

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

fn object(members: Value) -> Value {
    json!({"type": "object", "properties": members})
}

pub(super) fn all() -> Map<String, Value> {
    let (text, number, count, truth) = (
        json!({"type": "string"}),
        json!({"type": "number"}),
        json!({"type": "integer"}),
        json!({"type": "boolean"}),
    );
    let (maybe_text, maybe_number) =
        (json!({"type": ["string", "null"]}), json!({"type": ["number", "null"]}));
    let texts = list(&text);
    let percentiles = object(json!({"p50": maybe_number, "p95": maybe_number, "p99": maybe_number}));
    let event = object(
        json!({"id": text, "created_at": number, "level": text, "service": text, "message": maybe_text}),
    );
    let named = [
        ("Anything", json!({})),
        (
            "Sent",
            json!({"type": "object", "description": "An entry as it is sent: any fields of Entry, and any others."}),
        ),
        (
            "Batch",
            json!({"type": "object", "required": ["logs"], "properties": {
            "logs": list(&reference("Sent")), "batch_id": text, "boot_id": text, "seq": count, "source": {"type": "object"},
            "ledger": {"type": "object"}, "losses": {"type": "object"}, "closing": truth}}),
        ),
        ("BatchOrArray", json!({"anyOf": [reference("Batch"), list(&reference("Sent"))]})),
        (
            "Taken",
            object(
                json!({"status": text, "count": count, "accepted": count, "duplicates": count, "id_conflicts": count,
            "rejected": list(&object(json!({"index": count, "id": maybe_text, "reason": text}))), "batch_id": maybe_text,
            "durability": {"type": "string", "enum": ["fsync", "os", "replicated"]}, "server_time": number}),
            ),
        ),
        (
            "Receipt",
            object(json!({"data": object(json!({"received": count, "uuids": texts, "batch_id": text}))})),
        ),
        ("Listing", object(json!({"logs": list(&reference("Entry")), "next_cursor": maybe_text}))),
        (
            "TraceSummary",
            object(json!({"trace_id": text, "started_at": number, "duration_ms": number, "service": text,
            "method": maybe_text, "route": maybe_text, "path": maybe_text, "message": maybe_text,
            "status_code": {"type": ["integer", "null"]}, "outcome": maybe_text, "services": texts, "spans": count,
            "entries": count, "errors": count, "slow": truth, "running": truth})),
        ),
        ("Traces", object(json!({"traces": list(&reference("TraceSummary")), "next_cursor": maybe_text}))),
        ("Event", event),
        (
            "Span",
            object(json!({"id": maybe_text, "span_id": maybe_text,
            "kind": {"type": "string", "enum": ["request", "outgoing", "running", "not_instrumented"]},
            "service": maybe_text, "method": maybe_text, "route": maybe_text, "path": maybe_text,
            "status_code": {"type": ["integer", "null"]}, "outcome": maybe_text, "level": maybe_text, "started_at": number,
            "duration_ms": maybe_number, "self_ms": maybe_number, "error_type": maybe_text, "error_message": maybe_text,
            "callee_instrumented": {"type": ["boolean", "null"]}, "events": list(&reference("Event")),
            "children": list(&reference("Span"))})),
        ),
        (
            "Trace",
            object(json!({"trace_id": text, "truncated": truth, "started_at": number, "duration_ms": number,
            "services": texts, "spans": list(&reference("Span")), "events": list(&reference("Event")),
            "logs": list(&reference("Entry"))})),
        ),
        (
            "Histogram",
            object(json!({"from": number, "to": number, "step": number,
            "by": {"type": "string", "enum": ["level", "status", "service"]},
            "buckets": list(&object(json!({"at": number, "total": number,
                "counts": {"type": "object", "additionalProperties": number}}))),
            "total": number, "stored": count, "counting": text})),
        ),
        (
            "Errors",
            object(
                json!({"from": number, "to": number, "errors": list(&object(json!({"error_type": maybe_text,
            "message": text, "frame": maybe_text, "count": count, "stored": count, "first_seen": number, "last_seen": number,
            "example_id": text, "example_message": text, "services": texts, "routes": texts}))),
            "truncated": truth, "counting": text}),
            ),
        ),
        (
            "Routes",
            object(json!({"routes": list(&object(json!({"service": maybe_text, "method": maybe_text,
            "route": maybe_text, "requests": count, "stored": count, "errors": count, "bytes": count,
            "ttfb_ms": percentiles, "duration_ms": percentiles}))), "counting": text})),
        ),
        (
            "Services",
            object(
                json!({"services": list(&object(json!({"service": text, "entries": count, "errors": count,
            "last_seen": number}))), "counting": text}),
            ),
        ),
        (
            "Completeness",
            object(
                json!({"from": number, "to": number, "complete": truth, "missing": count, "dropped": count,
            "ended_abruptly": count, "truncated": truth, "senders": list(&json!({"type": "object"}))}),
            ),
        ),
        (
            "Stats",
            object(json!({"total_logs": count, "stored": count,
            "level_distribution": list(&object(json!({"level": text, "count": count}))),
            "service_distribution": list(&object(json!({"service": text, "count": count}))),
            "recent_errors_1h": count, "counting": text})),
        ),
        ("Deleted", object(json!({"entries": count, "deleted": truth}))),
        (
            "Problem",
            json!({"type": "object", "required": ["title", "status", "detail"], "properties": {
            "title": text, "status": count, "detail": text,
            "parameter": {"type": "string", "description": "The parameter at fault."}}}),
        ),
    ];
    named.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
