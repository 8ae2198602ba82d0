"""What an entry of a logs-sdk client is in the collector, told from the outside: its parts, as they should come back."""

import json
import re
from datetime import datetime

# Fields of ours by another name.
NAMES = {
    "process_id": "pid", "query_string": "query", "request_body_size": "request_size",
    "response_body_size": "response_size", "error_stack": "stack_trace",
}
SAME = """environment host method scheme host_header path origin request_body content_type status_code response_body
    client_type client_port user_agent device_type browser browser_version os_name os_version tls_version api_version
    referer request_id span_id parent_span_id user_id session_id error_message error_type""".split()
NUMBERS = {"pid", "status_code", "client_port", "request_size", "response_size", "duration_ms"}
# What an empty value of the clients is.
NOTHING = ("", 0, False, None, "{}", {}, [])
UUID = re.compile("[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.I)


def storable(value):
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return value


def request(sent, stored):
    """Yields `(field, expected, found)` for every field that was sent with a value."""
    sent = storable(sent)
    metadata = stored.get("metadata") or {}
    manual = sent.get("method") == "MANUAL"
    yield "service", sent.get("service_name") or sent.get("project_slug"), stored.get("service")
    yield "level", level(sent, manual), stored.get("level")
    yield "kind", "event" if manual else "request", stored.get("kind")
    for field, value in sent.items():
        if field in ("duration_ms", *NAMES) and value == 0 and not isinstance(value, bool):
            name = NAMES.get(field, field)
            yield field, None if manual else 0, stored.get(name)
        elif value in NOTHING:
            continue
        elif field == "uuid":
            yield field, value, (stored.get("id") or "").replace("-", "")
        elif field == "timestamp":
            yield field, seconds(value), stored.get("created_at")
        elif field == "trace_id":
            expected = value.replace("-", "").lower() if UUID.fullmatch(value) else value
            yield field, expected, stored.get("trace_id")
        elif field in ("request_headers", "response_headers"):
            yield field, headers(value), stored.get(field)
        elif field == "client_ip":
            yield field, value.split(",")[0].strip(), stored.get("ip")
            if "," in value and value != sent.get("client_ip_chain"):
                yield "client_ip of a chain", value, metadata.get(field)
        elif field == "proto":
            yield field, value.removeprefix("HTTP/"), stored.get("http_version")
        elif field == "request_body" and manual:
            yield field, value, stored.get("message")
        elif field == "error_stack" and isinstance(value, list):
            yield field, "\n".join(value), stored.get("stack_trace")
        elif field in SAME or field in NAMES or field == "duration_ms":
            name = NAMES.get(field, field)
            yield field, number(value) if name in NUMBERS else str(value), stored.get(name)
        elif field != "service_name":
            structured = field in ("tags", "latency_breakdown")
            yield field, whole(value) if structured else value, metadata.get(field)
    # What the server fills in, or derives.
    if not manual:
        yield "a message", f"{sent['method']} {sent['path']}", " ".join((stored["message"] or "").split(" ")[:2])
    if "Chrome/126" in sent.get("user_agent", ""):
        found = [stored.get(name) for name in ("device_type", "browser", "browser_version", "os_name", "os_version")]
        yield "user agent", ["desktop", "Chrome", "126.0.0.0", "Windows", "10"], found


def infra(sent, stored):
    sent = storable(sent)
    metadata = stored.get("metadata") or {}
    names = {"host": "host", "message": "message", "trace_id": "trace_id", "error_detail": "error_message"}
    yield "service", sent["source_name"] or sent["project_slug"], stored.get("service")
    for field, value in sent.items():
        if value in NOTHING:
            continue
        if field == "uuid":
            yield field, value, (stored.get("id") or "").replace("-", "")
        elif field == "timestamp":
            yield field, seconds(value), stored.get("created_at")
        elif field == "level":
            yield field, {"WARNING": "WARN"}.get(value.upper(), value.upper()), stored.get("level")
        elif field == "metadata":
            for key, inner in json.loads(value).items():
                yield f"metadata.{key}", inner, metadata.get(key)
        elif field in names:
            yield field, value, stored.get(names[field])
        else:
            yield field, value, metadata.get(field)


def level(sent, manual):
    if manual:
        said = sent["path"].removeprefix("/_log/").upper()
        return {"WARNING": "WARN"}.get(said, said)
    status = sent.get("status_code") or 0
    if status >= 500 and status != 504 or (sent.get("is_error") and status < 400):
        return "ERROR"
    return "WARN" if status >= 400 else "INFO"


def headers(value):
    try:
        pairs = json.loads(value)
    except ValueError:
        return value
    return {name.lower(): each if isinstance(each, list) else [each] for name, each in pairs.items()}


def whole(value):
    return storable(json.loads(value)) if isinstance(value, str) else value


def number(value):
    return float(value) if isinstance(value, str) else value


def seconds(value):
    return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
