"""Sends with OpenTelemetry's own SDK and exporter, reads back, and compares every attribute; then the same as JSON.

usage: otel_exporter.py URL FIGURE

The collector at URL must be empty.
"""

import base64
import json
import logging
import math
import sys
import urllib.parse
import urllib.request

from google.protobuf import json_format
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from collector import read_whole
from otlp_names import NAMES, RESOURCE, read, value
from relay import Relay

FIELDS = {attribute: field for field, attribute in NAMES.items()}
OF_RESOURCE = {attribute: field for field, attribute in RESOURCE.items()}
TEXTS = ["", "한국어 🛒", "NUL a\0b", "two\nlines", 'quote " \\', "\x01\x7f\u2028", "x" * 60_000]
# Four severity numbers each.
LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


def send(url, compression):
    # One request on a connection: the relay keeps what a connection carried as one exchange.
    exporter = OTLPLogExporter(f"{url}/v1/logs", compression=compression, headers={"connection": "close"})
    resource = Resource.create({
        "service.name": "shop", "service.version": "v3", "deployment.environment.name": "testing", "host.name": "h1",
        "process.pid": 7, "k8s.pod.name": "shop-1", "zones": ["a", "b"], "note": "of the resource",
    })
    provider = LoggerProvider(resource)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=3_600_000))
    numbers = iter(range(10**6))

    def emit(logger, **fields):
        attributes = {"case": f"{compression.name} {next(numbers)}", **fields.pop("attributes", {})}
        logger.emit(LogRecord(attributes=attributes, **fields))

    logger = provider.get_logger("shop.orders", "2.1", attributes={"team": "a"})
    for severity in SeverityNumber:
        emit(logger, severity_number=severity, severity_text=severity.name, body=f"of {severity.name}")
    emit(
        logger, timestamp=1_700_000_000_123_456_000, observed_timestamp=1_700_000_001_000_000_000, event_name="shop.order",
        severity_number=SeverityNumber.ERROR, body="a request",
        attributes={
            "http.request.method": "POST", "url.path": "/users/7", "url.query": "a=1", "url.scheme": "https",
            "http.route": "/users/{id}", "http.response.status_code": 503, "client.address": "192.0.2.7",
            "client.port": 4711, "network.peer.address": "10.0.0.1", "network.protocol.version": "1.1",
            "network.protocol.name": "http", "user_agent.original": "curl/8.5.0", "http.request.body.size": 12,
            "http.response.body.size": 0, "user.id": "u1", "session.id": "s1", "exception.type": "Gone",
            "exception.message": "no such user", "exception.stacktrace": "a\nb", "code.function.name": "f",
            "code.file.path": "/a.py", "code.line.number": 17, "tls.protocol.version": "1.3",
            "rpc.grpc.status_code": 5, "note": "of the record", "list": [1, 2], "floats": [0.5, 1.0],
            "map": {"a": {"b": [True, None, "x"]}}, "bytes": b"\x00\xff", "large": 2**63 - 1, "negative": -1,
            "float": 1.5, "yes": True, "level": "loud", "id": "mine",
        },
    )
    for body in (None, 17, 1.5, True, ["a", 1], {"k": {"n": None}}, b"\x00"):
        emit(logger, body=body)
    for text in TEXTS:
        emit(provider.get_logger(""), body=text, attributes={"text": text, "url.path": text})
    emit(logger, body="not a number", attributes={"nan": math.nan, "inf": math.inf})

    bridge = logging.Logger("shop.bridge")
    bridge.addHandler(LoggingHandler(logger_provider=provider))
    try:
        {}["missing"]
    except KeyError:
        bridge.exception("caught", extra={"case": f"{compression.name} {next(numbers)}", "order": 17})
    bridge.warning("careful %s", "now", extra={"case": f"{compression.name} {next(numbers)}"})
    many = 520 if compression is Compression.Gzip else 0  # the exporter's batches have 512
    for number in range(many):
        emit(logger, severity_number=SeverityNumber.DEBUG, body=f"many {number}", attributes={"n": number})
    provider.shutdown()


def as_json(request):
    """OTLP's JSON of a request: ids are hex there, which Protocol Buffers would have as base64."""
    tree = json_format.MessageToDict(request, use_integers_for_enums=True)
    for resource_logs in tree.get("resourceLogs", []):
        for scope_logs in resource_logs.get("scopeLogs", []):
            for record in scope_logs.get("logRecords", []):
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = base64.b64decode(record[name]).hex()
                case = next(each for each in record["attributes"] if each["key"] == "case")
                case["value"]["stringValue"] = "JSON of " + case["value"]["stringValue"]
    return json.dumps(tree).encode()


def post(url, body):
    request = urllib.request.Request(f"{url}/v1/logs", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.status, json.load(response)


def plain(found):
    """A value as JSON has it."""
    if isinstance(found, bytes):
        return base64.b64encode(found).decode()
    if isinstance(found, float) and not math.isfinite(found):
        return None
    if isinstance(found, str):
        return found.replace("\0", "\ufffd")
    if isinstance(found, list):
        return [plain(each) for each in found]
    if isinstance(found, dict):
        return {plain(name): plain(each) for name, each in found.items()}
    return found


def records(requests):
    for request in requests:
        for resource_logs in request.resource_logs:
            for scope_logs in resource_logs.scope_logs:
                for record in scope_logs.log_records:
                    yield resource_logs.resource, scope_logs.scope, record


def parts(resource, scope, record, stored):
    """Yields `(what, expected, found)` for everything that a record says."""
    metadata = stored.get("metadata") or {}
    attributes = plain(read(record.attributes))
    of_resource = plain(read(resource.attributes))
    nanos = record.time_unix_nano or record.observed_time_unix_nano
    yield "time", nanos // 1000, round((stored.get("created_at") or 0) * 1e6)
    number = record.severity_number
    yield "level", LEVELS[(number - 1) // 4] if number else "INFO", stored.get("level")
    if number % 4 != 1 and number:
        yield "severity number", number, metadata.get("severity_number")
        yield "severity text", record.severity_text, metadata.get("severity_text", record.severity_text)
    body = plain(value(record.body))
    if body is None:
        yield "body", "", stored.get("message")
    elif isinstance(body, str):
        yield "body", body, stored.get("message")
    else:
        yield "body", body, metadata.get("body")
        yield "message", body, json.loads(stored.get("message") or "null")
    yield "scope", scope.name or None, stored.get("target")
    yield "scope's version", scope.version or None, metadata.get("otel.scope.version")
    for name, expected in plain(read(scope.attributes)).items():
        yield f"scope {name}", expected, metadata.get(f"otel.scope.{name}")
    if record.event_name:
        yield "event name", record.event_name, metadata.get("event_name")
    if record.observed_time_unix_nano // 1000 != nanos // 1000:
        yield "observed", str(record.observed_time_unix_nano), metadata.get("observed_time_unix_nano")
    yield "sdk", "opentelemetry-python", stored.get("sdk")
    for name, expected in of_resource.items():
        if name in OF_RESOURCE:
            yield name, expected, stored.get(OF_RESOURCE[name])
        elif name not in ("telemetry.sdk.name", "telemetry.sdk.language"):
            yield f"resource {name}", expected, metadata.get(f"resource.{name}" if name in attributes else name)
    for name, expected in attributes.items():
        field = {"http.request.method": "method", "exception.type": "error_type"}.get(name) or FIELDS.get(name)
        yield name, expected, stored.get(field) if field else metadata.get(name)


def differences(requests, mark, stored):
    """Yields a finding per difference; returns the number of parts compared."""
    compared = 0
    by_case = {(each.get("metadata") or {}).get("case"): each for each in stored}
    for resource, scope, record in records(requests):
        case = mark + read(record.attributes)["case"]
        found = by_case.get(case)
        if found is None:
            yield f"record {case} is lost"
            continue
        for what, expected, actual in parts(resource, scope, record, found):
            compared += 1
            if what == "case":
                expected = case
            if json.dumps(expected, sort_keys=True) != json.dumps(actual, sort_keys=True):
                yield f"record {case}, {what}: sent {str(expected)[:120]!r}, came back {str(actual)[:120]!r}"
        # The control: an entry that came back empty must not pass.
        found = parts(resource, scope, record, {})
        missed = [what for what, expected, actual in found if expected == actual and expected is not None]
        if set(missed) - {"severity text"}:
            yield f"record {case}: the comparison would not miss {missed}"
    return compared


def main(url, figure):
    address = urllib.parse.urlsplit(url)
    relay = Relay((address.hostname, address.port))
    for compression in (Compression.NoCompression, Compression.Gzip):
        send(relay.url, compression)
    relay.close()
    requests, findings = [], []
    for exchange in relay.exchanges:
        request = ExportLogsServiceRequest.FromString(exchange.body())
        requests.append(request)
        status, body = exchange.answer_body()
        if status != 200 or ExportLogsServiceResponse.FromString(body).HasField("partial_success"):
            findings.append(f"a batch was answered with {status}: {body}")
        status, answer = post(url, as_json(request))
        if status != 200 or answer != {}:
            findings.append(f"the same as JSON was answered with {status}: {answer}")

    compared = 0
    stored = read_whole(url)

    def fields(mark):
        nonlocal compared
        compared += yield from differences(requests, mark, stored)

    for mark in ("", "JSON of "):
        findings += fields(mark)
    count = len([*records(requests)])
    if len(stored) != 2 * count:
        findings.append(f"{count} records were sent twice, {len(stored)} came back")
    for finding in findings[:50]:
        print(finding)
    print(f"{count} records in {len(requests)} batches, as Protocol Buffers and as JSON")
    print(f"FIGURE {figure} {compared} count")
    print(f"FIGURE {figure.replace('fields_compared', 'differences')} {len(findings)} count")
    if findings or not compared:
        sys.exit(f"{len(findings)} differences between what was sent and what came back")


if __name__ == "__main__":
    main(*sys.argv[1:])
