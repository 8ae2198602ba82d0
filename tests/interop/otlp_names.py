"""What an entry of the native protocol is as an OTLP log record, told from the outside."""

SEVERITY = {"TRACE": 1, "DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
EVENTS = {"request": "http.server.request", "outgoing": "http.client.request", "event": ""}
METHODS = "GET POST PUT DELETE PATCH HEAD OPTIONS CONNECT TRACE QUERY".split()

# Fields whose attribute has another name and the same value.
NAMES = {
    "path": "url.path", "query": "url.query", "route": "http.route", "scheme": "url.scheme",
    "ip": "client.address", "peer": "network.peer.address", "client_port": "client.port",
    "status_code": "http.response.status_code", "request_size": "http.request.body.size",
    "response_size": "http.response.body.size", "user_agent": "user_agent.original", "user_id": "user.id",
    "session_id": "session.id", "error_message": "exception.message", "stack_trace": "exception.stacktrace",
    "function_name": "code.function.name", "file_path": "code.file.path", "line": "code.line.number",
    "tls_version": "tls.protocol.version", "grpc_status": "rpc.grpc.status_code",
    "http_version": "network.protocol.version", "id": "log.record.uid",
}
# Fields of the process, which are attributes of the resource.
RESOURCE = {
    "service": "service.name", "environment": "deployment.environment.name",
    "service_version": "service.version", "log_type": "hoplog.log_type", "host": "host.name",
    "pid": "process.pid", "sdk_version": "telemetry.sdk.version",
}
ELSEWHERE = {
    "level", "created_at", "message", "trace_id", "span_id", "metadata", "method", "host_header", "error_type",
    "request_headers", "response_headers", "referer", "content_type", "response_content_type", "sdk",
}


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value(each) for each in any_value.array_value.values]
    if kind == "kvlist_value":
        return read(any_value.kvlist_value.values)
    return getattr(any_value, kind)


def read(pairs):
    names = [pair.key for pair in pairs]
    assert len(names) == len(set(names)), f"a name comes twice: {names}"
    return {pair.key: value(pair.value) for pair in pairs}


def small(number):
    """A number beyond 63 bits is its digits."""
    if isinstance(number, dict):
        return {key: small(each) for key, each in number.items()}
    if isinstance(number, list):
        return [small(each) for each in number]
    big = isinstance(number, int) and not isinstance(number, bool) and number >= 2**63
    return str(number) if big else number


def compare(entry, resource, scope, record, attributes):
    """Yields what is compared, what it should be, and what it is. Ends with the attributes that nobody asked for."""
    left = dict(attributes)

    def attribute(name, expected):
        return name, expected, left.pop(name, None)

    yield "severity", (SEVERITY[entry["level"]], entry["level"]), (record.severity_number, record.severity_text)
    yield "time", round(entry["created_at"], 6), round(record.time_unix_nano // 1000 / 1e6, 6)
    yield "observed", record.time_unix_nano, record.observed_time_unix_nano
    yield "body", entry["message"], value(record.body)
    yield "trace id", entry.get("trace_id", ""), record.trace_id.hex()
    yield "span id", entry.get("span_id", ""), record.span_id.hex()
    yield "event name", EVENTS[entry["kind"]], record.event_name
    yield "scope", "hoplog", scope.name
    of_resource = read(resource.attributes)
    yield "namespace", "café", of_resource.get("service.namespace")
    yield "language", "rust", of_resource.get("telemetry.sdk.language")
    for field, expected in entry.items():
        if field in RESOURCE:
            yield field, expected, of_resource.get(RESOURCE[field])
        elif field not in ELSEWHERE:
            yield attribute(NAMES.get(field, f"hoplog.{field}"), expected)
    for name, expected in entry.get("metadata", {}).items():
        yield attribute("field." + name if name in NAMES.values() else name, small(expected))
    for side in ("request", "response"):
        for name, values in entry.get(f"{side}_headers", {}).items():
            yield attribute(f"http.{side}.header.{name}", values)
    for field, header in (
        ("referer", "request.header.referer"), ("content_type", "request.header.content-type"),
        ("response_content_type", "response.header.content-type"),
    ):
        if field in entry:
            yield field, [entry[field]], attributes.get(f"http.{header}")
            left.pop(f"http.{header}", None)
    if "method" in entry:
        known = entry["method"] in METHODS
        yield attribute("http.request.method", entry["method"] if known else "_OTHER")
        yield attribute("http.request.method_original", None if known else entry["method"])
    if "host_header" in entry:
        address, _, port = entry["host_header"].partition(":")
        yield attribute("server.address", address)
        yield attribute("server.port", int(port) if port else None)
    if "http_version" in entry:
        yield attribute("network.protocol.name", "http")
    if "grpc_status" in entry:
        yield attribute("rpc.system", "grpc")
    yield attribute("error.type", error_type(entry))
    yield attribute("exception.type", entry.get("error_type"))
    left.pop("hoplog.cut", None)
    yield "attributes besides", {}, left


def error_type(entry):
    if "error_type" in entry:
        return entry["error_type"]
    first = {"request": 500, "outgoing": 400}.get(entry["kind"])
    if first is None:
        return None
    if entry.get("status_code", 0) >= first:
        return str(entry["status_code"])
    return None if entry["outcome"] in ("completed", "upgraded") else entry["outcome"]
