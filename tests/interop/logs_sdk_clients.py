"""Sends with an unmodified logs-sdk client, reads back, and compares every field.

usage: logs_sdk_clients.py URL FIGURE

The client comes from PYTHONPATH. The collector at URL must be empty. What the client could not send it would keep in the
directory for temporary files (TMPDIR), which must be empty too.
"""

import asyncio
import json
import sys
import time
import urllib.parse
from pathlib import Path

import httpx
import requests
from flask import Flask, abort
from logs_sdk import LogEntry, LogSDK, client as client_module, types
from logs_sdk.middleware import FastAPIMiddleware, FlaskMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

import compare_logs_sdk as compare
from collector import read_whole
from relay import Relay

# Longer than any run: the client's own thread leaves its buffer to close().
NEVER = 3600
MANY = 300
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
HEADERS = {
    "user-agent": CHROME, "referer": "https://shop.example/cart", "x-forwarded-for": "192.0.2.7, 10.0.0.1",
    "x-trace-id": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "x-user-id": "17", "x-session-id": "s1",
    "authorization": "Bearer of-somebody-who-should-not-see-it", "x-parent-span-id": "00f067aa0ba902b7",
}


def sdk(relay, **options):
    return LogSDK(
        endpoint=relay.url + "/api/v1/ingest/logs", api_key="clog_pk_1", api_secret="clog_sk_1",
        project_slug="shop-project", flush_interval=NEVER, **options,
    )


def through_starlette(client):
    async def order(request):
        return JSONResponse({"id": request.path_params["id"], "나라": "한국"})

    async def broken(_):
        return PlainTextResponse("it broke", status_code=500)

    async def missing(_):
        return PlainTextResponse("no such thing", status_code=404)

    # What the client offers as its middleware takes no application; what is in it does the work.
    inside = Middleware(BaseHTTPMiddleware, dispatch=FastAPIMiddleware(client).dispatch)
    routes = [
        Route("/api/v2/orders/{id}", order, methods=["GET", "POST"]), Route("/broken", broken), Route("/missing", missing)
    ]
    transport = httpx.ASGITransport(Starlette(routes=routes, middleware=[inside]))

    async def ask():
        async with httpx.AsyncClient(transport=transport, base_url="https://shop.example") as http:
            await http.get("/api/v2/orders/7?a=1&b=%20x", headers=HEADERS)
            await http.post("/api/v2/orders/8", json={"n": 1, "text": "만원"})
            for path in ("/broken", "/missing"):
                await http.get(path, headers={"x-caller-service": "cart", "x-caller-version": "1"})

    asyncio.run(ask())


def through_flask(client):
    app = Flask("shop")

    @app.route("/api/v1/items", methods=["GET", "POST"])
    def items():
        return {"items": []}

    @app.route("/gone")
    def gone():
        abort(410)

    client.app = app.wsgi_app
    app.wsgi_app = FlaskMiddleware(client)
    browser = app.test_client()
    browser.get("/api/v1/items?q=x", headers=HEADERS)
    browser.post("/api/v1/items", data="x" * 5000, headers={"x-client-type": "app", "x-app-name": "shop"})
    browser.get("/gone", headers={"user-agent": "MicroMessenger", "x-miniprogram-appid": "wx1"})


def entry(**fields):
    made = LogEntry(**fields)
    made.uuid = made.uuid or types.new_uuid()
    made.method = made.method or "GET"
    return made


def by_hand(client):
    """Every field with a value, and values of all kinds."""
    client.send(entry(
        uid=42, duration_ms=12, method="POST", scheme="https", full_url="https://a/b?c", host_header="a", path="/b",
        query_string='{"c": ""}', origin="unknown", request_headers='{"A": "1", "b": ["2", "3"]}', request_body="{}x",
        request_body_size=3, content_type="text/plain", status_code=504, response_headers='{"c": "d"}', response_body="x",
        response_body_size=1, client_ip="192.0.2.1, 10.0.0.1", client_ip_chain="10.0.0.2", client_type="web", client_port=1,
        client_country="KR", client_province="Seoul", client_city="서울", client_isp="KT", user_agent="curl/8.5.0",
        device_type="watch", browser="Own", browser_version="1", os_name="OS", os_version="2", tls_version="TLS 1.3",
        tls_cipher="TLS_AES_128_GCM_SHA256", proto="HTTP/2", api_version="v9", referer="https://r/", upstream_status=502,
        latency_breakdown='{"db": 3}', request_id="r1", trace_id=types.new_uuid(), span_id="s", parent_span_id="p",
        user_id="u", session_id="s", is_error=True, error_message="e", error_type="timeout", error_stack="a\nb",
        panic_location="a.go:7", tags={"a": 1, "b": [True, None]},
    ))
    for text in ("", "한국어 🛒", "NUL a\0b", "half \ud83d", 'quote " \\', "controls \x01\x7f", "<script>", "x" * 60_000):
        client.send(entry(path="/text", error_message=text, tags={"text": text}, request_body=text, user_id=text[:200]))
    for level in ("debug", "info", "warn", "error"):
        client.send(entry(method="MANUAL", path=f"/_log/{level}", request_body=f"said by hand: {level}"))
    client.send(entry(path="/", request_headers="{broken", response_headers="", trace_id="order:7/retry"))
    client.send(entry(path="/", uuid=types.new_uuid().upper(), status_code=200, is_error=True))


def infra(client):
    """Says whether the client thinks that all was taken."""
    # This version does not import what it sends these with.
    client_module.requests = requests
    logs = [
        types.InfraLogEntry(
            source_type="mysql", source_name="orders-db", level="warning", message="slow", metadata='{"ms": 900}',
            trace_id=types.new_uuid(), related_api_uuid=types.new_uuid(), is_error=True, error_detail="lock",
        ),
        types.InfraLogEntry(source_type="nginx", message="started"),
    ]
    return client.upload_infra_logs(logs) and client.upload_infra_log(types.InfraLogEntry(message="one alone"))


def receipts(exchanges):
    for exchange in exchanges:
        status, answer = exchange.answered()
        sent = exchange.entries()
        data = answer.get("data")
        if status != 200 or not isinstance(data, dict) or data.get("received") != len(sent):
            yield f"{len(sent)} entries were answered with {status}: {answer}"
        elif data["uuids"] != [each["uuid"].lower() for each in sent] or len(data["batch_id"]) != 32:
            yield f"the receipt names other entries than were sent: {data}"


def differences(exchanges, stored):
    """Yields a finding per difference; returns the number of fields compared."""
    compared, count = 0, 0
    by_uuid = {each["id"].replace("-", ""): each for each in stored}
    for exchange in exchanges:
        parts = compare.infra if exchange.path().endswith("/infra-logs") else compare.request
        for sent in exchange.entries():
            count += 1
            found = by_uuid.get(sent["uuid"].lower())
            if found is None:
                yield f"entry {sent['uuid']} is lost"
                continue
            sent = {**sent, "uuid": sent["uuid"].lower()}
            for field, expected, actual in parts(sent, found):
                compared += 1
                if json.dumps(expected, sort_keys=True) != json.dumps(actual, sort_keys=True) and expected != actual:
                    yield f"{sent['uuid']}, {field}: expected {str(expected)[:120]!r}, came back {str(actual)[:120]!r}"
            # The control: an entry that came back empty must not pass.
            empty = {"message": ""}
            missed = [f for f, expected, actual in parts(sent, empty) if expected == actual and expected is not None]
            if missed:
                yield f"{sent['uuid']}: the comparison would not miss {missed}"
    if len(stored) != count:
        yield f"{count} entries were sent, {len(stored)} came back"
    return compared


def main(url, figure):
    address = urllib.parse.urlsplit(url)
    relay = Relay((address.hostname, address.port))
    client = sdk(relay, environment="testing", service_name="shop", buffer_size=200)
    through_starlette(client)
    through_flask(client)
    by_hand(client)
    taken = infra(client) if hasattr(client, "upload_infra_logs") else True
    client.close()
    many = sdk(relay, buffer_size=300)
    for number in range(MANY):  # from 240 on its own thread sends
        many.send(entry(path=f"/many/{number}", status_code=200))
    many.close()
    deadline = time.monotonic() + 20
    while sum(len(each.entries()) for each in relay.exchanges) < MANY and time.monotonic() < deadline:
        time.sleep(0.01)
    relay.close()

    compared = 0

    def fields():
        nonlocal compared
        compared = yield from differences(relay.exchanges, read_whole(url))

    findings = [*receipts(relay.exchanges), *fields()]
    if not taken:
        findings.append("the client takes its infra entries for refused")
    if list(Path(client.offline_cache.dir).iterdir()):
        findings.append("the client kept entries that it takes for not sent")
    for finding in findings[:50]:
        print(finding)
    print(f"{sum(len(each.entries()) for each in relay.exchanges)} entries in {len(relay.exchanges)} batches")
    print(f"FIGURE {figure} {compared} count")
    print(f"FIGURE {figure.replace('fields_compared', 'differences')} {len(findings)} count")
    if findings or not compared:
        sys.exit(f"{len(findings)} differences between what was sent and what came back")


if __name__ == "__main__":
    main(*sys.argv[1:])
