"""Compares an entry as it was sent with the entry as the collector returns it."""

import json
import re
from datetime import datetime

# Text columns: a number sent for one comes back as text.
TEXT = {
    "message", "log_type", "service", "environment", "service_version", "trace_id", "user_id",
    "session_id", "error_type", "stack_trace", "path", "method", "action_type", "function_name",
    "file_path", "ip", "tenant_id", "request_id",
}
# Columns of another type; everything else is unknown to the collector and comes back under `metadata`.
OTHER = {"level", "created_at", "duration_ms", "status_code"}

LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}

UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# A double holds the present time to a quarter of this, in seconds.
MICROSECOND = 1e-6


def entry(sent, stored):
    """Yields `(field, agrees, expected, found)` for every field that was sent."""
    sent = _storable(sent)
    metadata = stored.get("metadata") or {}
    for field, value in sent.items():
        if field == "metadata":
            for key, inner in _object(value).items():
                found = metadata.get(key)
                yield f"metadata.{key}", _same(inner, found), inner, found
        elif field in TEXT or field in OTHER:
            expected, found = _expected(field, value), stored.get(field)
            yield field, _agrees(field, expected, found), expected, found
        else:
            found = metadata.get(field)
            yield field, _same(value, found), value, found


def _storable(value):
    """NUL, which PostgreSQL cannot hold, and lone surrogates, which UTF-8 cannot, come back as U+FFFD."""
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(each) for key, each in value.items()}
    return value


def _object(value):
    """`metadata` may be an object, JSON text of one, or null."""
    return json.loads(value) if isinstance(value, str) else value or {}


def _expected(field, value):
    if value is None:
        return None
    if field == "level":
        return LEVELS.get(value.upper(), value.upper())
    if field == "created_at":
        return _seconds(value)
    if field in TEXT and not isinstance(value, str):
        return json.dumps(value)
    if field == "trace_id" and UUID.fullmatch(value):
        return value.replace("-", "").lower()  # a trace id has one form, whoever wrote it
    return value


def _seconds(value):
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return value / 1000 if value > 1e11 else value


def _agrees(field, expected, found):
    if expected is not None and field in ("created_at", "duration_ms"):
        return isinstance(found, (int, float)) and abs(found - expected) <= MICROSECOND
    return _same(expected, found)


def _same(expected, found):
    """Equal in JSON: `1`, `1.0`, `true` and `"1"` are four values."""
    return json.dumps(expected, sort_keys=True) == json.dumps(found, sort_keys=True)
