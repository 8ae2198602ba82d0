"""Sends with an unmodified log-collector client, reads back, and compares every field.

usage: log_collector_clients.py URL FIGURE

The client comes from PYTHONPATH: `log-collector` or `log-collector-async`, which share their module's
name. The collector at URL must be empty.
"""

import asyncio
import inspect
import json
import sys
import time
import urllib.parse
from collections import Counter
from datetime import datetime, timedelta, timezone

from log_collector import AsyncLogClient

import compare
from collector import get, read_all
from relay import Relay

# Longer than any run: the client's own thread leaves the queue to flush().
NEVER = 3600.0
# From here on the clients compress.
GZIP_FROM = 100

# What the collector takes of one entry, as JSON text. A larger one is refused alone, by name.
ENTRY_LIMIT = 256 * 1024

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_UUID = "0af76519-16cd-43dd-8448-eb211c80319c"


class Sender:
    """A client whose entries are numbered, so that each is found again whatever became of its text."""

    numbers = iter(range(10**9))

    def __init__(self, url, **options):
        self.client = AsyncLogClient(
            url, service="shop", environment="production", service_version="v1.2.3", **options
        )

    def log(self, level, message, **fields):
        self.client.log(level, message, case=next(self.numbers), **fields)

    def case(self):
        return {"case": next(self.numbers)}

    def close(self):
        closing = self.client.close()
        if inspect.isawaitable(closing):  # one of the two packages closes asynchronously
            asyncio.run(closing)


def send_everything_a_client_can_say(sender):
    client, case = sender.client, sender.case
    for say in (client.trace, client.debug, client.info, client.warn, client.error, client.fatal):
        say(f"said by {say.__name__}", **case())
    for level in ("WARNING", "CRITICAL", "info", "Error"):
        sender.log(level, f"level {level}")

    send_contexts(sender)
    send_errors_and_timers(sender)
    send_values(sender)
    send_texts(sender)


def send_contexts(sender):
    client, case = sender.client, sender.case
    AsyncLogClient.set_request_context(path="/api/v1/orders/7", method="POST", ip="192.0.2.7")
    client.info("in a request", **case())
    with AsyncLogClient.user_context(tenant_id="t1", trace_id=TRACE):
        client.info("in a tenant", **case())
        with AsyncLogClient.user_context(user_id="u1", session_id="s1"):
            client.warn("nested", **case())
        client.info("back again", **case())
    AsyncLogClient.clear_request_context()
    client.info("out of it", **case())
    sender.log("INFO", "ids as numbers", user_id=42, session_id=7, trace_id=1234567890123456789)
    sender.log("INFO", "a UUID", trace_id=TRACE_UUID, user_id="u-1")
    sender.log("INFO", "an id of another kind", trace_id="order:7/retry", session_id="7f")
    sender.log("INFO", "ids that are null", user_id=None, session_id=None, trace_id=None)
    sender.log("INFO", "another service", service="billing", environment="staging", log_type="WORKER")
    sender.log("INFO", "unlisted words", environment="moon", method="PURGE", action_type="CHECKOUT")


def send_errors_and_timers(sender):
    client, case = sender.client, sender.case
    try:
        try:
            {}["missing"]
        except KeyError as cause:
            raise ValueError("bad order\nsecond line") from cause
    except ValueError as error:
        client.error_with_trace("caught", exception=error, **case())
    client.error_with_trace("no exception, so the stack of the caller", **case())

    with client.timer("a block", level="DEBUG", **case()):
        pass
    client.end_timer(client.start_timer(), "INFO", "a span", **case())
    with AsyncLogClient.user_context(**case()):
        client.measure("a function")(lambda: None)()
    for duration in (0, 0.001, 12.345, 86_400_000):
        sender.log("INFO", "a duration", duration_ms=duration)


def send_values(sender):
    values = {
        "text": "x", "empty": "", "yes": True, "no": False, "nothing": None, "zero": 0, "whole": 1.0,
        "negative": -1, "small": 1e-9, "large": 2**53 + 1, "larger": 2**63, "list": [1, "two", [3.5], None],
        "nested": {"a": {"b": [{"c": None}]}}, "empty_list": [], "empty_object": {}, "요금": "만원",
        "with space": 1, "with.dot": 2, 'with"quote': 3,
    }
    for name, value in values.items():
        sender.log("INFO", "an extra field", **{name: value})
    sender.log("INFO", "all of them", **values)
    sender.log("INFO", "metadata", metadata={"plan": "gold", "tags": ["a", "b"], "depth": {"n": 1}})
    sender.log("INFO", "metadata as text", metadata='{"plan": "silver", "n": 2}')
    sender.log("INFO", "metadata and more", metadata={"plan": "free"}, coupon="SPRING", status_code=503)
    sender.log("INFO", "no metadata", metadata=None)
    now = datetime.now(timezone.utc).replace(microsecond=123456)
    sender.log("INFO", "an hour ago, in milliseconds", created_at=int(now.timestamp() * 1000) - 3_600_000)
    sender.log("INFO", "an hour ago, RFC 3339", created_at=(now - timedelta(hours=1)).isoformat())


def send_texts(sender):
    texts = [
        "", " ", "주문이 완료되었습니다", "🛒 → ✅ e\u0301 \u202eabc\u202c", "two\nlines\r\n\tand a tab",
        'quotes " and \\ backslashes', "NUL between a\0b", "half an emoji \ud83d", "controls \x01\x1f\x7f", "\u2028 \uffff \U0010ffff",
        "'; DROP TABLE logs; --", "<script>alert(1)</script>", "x" * 60_000, "가" * 9_000,
    ]
    for text in texts:
        sender.log("INFO", text, copy=text)
        sender.log("ERROR", "text in columns", error_type=text[:200], stack_trace=text, path=text, user_id=text)
    sender.log("INFO", "x" * 200_000)
    sender.log("INFO", "too large: " + "x" * ENTRY_LIMIT)


def send_all(relay):
    """Every way in which the clients send: few and plain, many and compressed, by their own thread."""
    by_hand = Sender(relay.url, batch_size=10**9, flush_interval=NEVER)
    send_everything_a_client_can_say(by_hand)
    by_hand.client.flush()
    send_everything_a_client_can_say(by_hand)
    for number in range(GZIP_FROM):
        by_hand.log("INFO", f"filler {number}", iteration=number)
    by_hand.client.flush()

    by_thread = Sender(relay.url, batch_size=250, flush_interval=0.05)
    for number in range(520):
        by_thread.log("DEBUG", f"many {number}", iteration=number, share=number / 7)
    deadline = time.monotonic() + 20
    while by_thread.client.queue and time.monotonic() < deadline:
        time.sleep(0.01)
    for number in range(9):
        by_thread.log("INFO", f"last {number}", iteration=number)
    by_thread.close()


def too_large(entry):
    return len(json.dumps(entry)) > ENTRY_LIMIT


def check_answers(exchanges):
    for exchange in exchanges:
        status, answer = exchange.answered()
        entries = exchange.entries()
        count = len(entries)
        if status != 200 or answer.get("status") != "ok" or answer.get("count") != count:
            yield f"{count} entries were answered with {status}: {answer}"
        refused = [index for index, entry in enumerate(entries) if too_large(entry)]
        if [each["index"] for each in answer["rejected"]] != refused:
            yield f"of {count} entries {refused} are too large; the answer refuses {answer['rejected']}"
        if (exchange.encoding() == "gzip") != (count >= GZIP_FROM):
            yield f"{count} entries came as {exchange.encoding()}: not the client that this test knows"
    if {exchange.encoding() for exchange in exchanges} != {"gzip", "identity"}:
        yield "the client did not send both plain and compressed batches"


def check_totals(url, sent):
    if get(url, "/").get("status") != "ok":
        yield 'GET / does not say "status": "ok"'
    stats = get(url, "/stats")
    levels = Counter(compare.LEVELS.get(entry["level"].upper(), entry["level"].upper()) for entry in sent)
    counted = {each["level"]: each["count"] for each in stats["level_distribution"]}
    if stats["total_logs"] != len(sent) or counted != levels:
        yield f"GET /stats counts {stats['total_logs']} entries, {counted}; sent were {len(sent)}, {dict(levels)}"
    for trace_id in (TRACE, TRACE_UUID):
        in_trace = [entry["case"] for entry in sent if entry.get("trace_id") == trace_id]
        trace = json.dumps(get(url, f"/api/v1/traces/{trace_id}"))
        if not in_trace or not all(f'"case": {case}' in trace for case in in_trace):
            yield f"GET /api/v1/traces/{trace_id} does not return the entries {in_trace}"


def check_fields(sent, stored):
    """Yields a finding per difference; returns the number of fields compared."""
    compared = 0
    by_case = {(entry.get("metadata") or {}).get("case"): entry for entry in stored}
    if len(stored) != len(sent):
        yield f"{len(sent)} entries were sent, {len(stored)} came back"
    for entry in sent:
        found = by_case.get(entry["case"])
        if found is None:
            yield f"entry {entry['case']} is lost: {entry['message'][:80]!r}"
            continue
        # The control: an entry that came back empty must not pass.
        for field, agrees, expected, _ in compare.entry(entry, {}):
            if agrees and expected is not None:
                yield f"entry {entry['case']}: the comparison would not miss {field}"
        for field, agrees, expected, actual in compare.entry(entry, found):
            compared += 1
            if not agrees:
                yield f"entry {entry['case']}, {field}: sent {str(expected)[:120]!r}, came back {str(actual)[:120]!r}"
    return compared


def main(url, figure):
    address = urllib.parse.urlsplit(url)
    relay = Relay((address.hostname, address.port))
    send_all(relay)
    relay.close()
    sent = [entry for exchange in relay.exchanges for entry in exchange.entries() if not too_large(entry)]

    compared = 0

    def fields():
        nonlocal compared
        compared = yield from check_fields(sent, read_all(url))

    findings = [*check_answers(relay.exchanges), *check_totals(url, sent), *fields()]
    for finding in findings[:50]:
        print(finding)
    batches = Counter(exchange.encoding() for exchange in relay.exchanges)
    print(f"{len(sent)} entries in {batches['gzip']} compressed and {batches['identity']} plain batches")
    print(f"FIGURE {figure} {compared} count")
    print(f"FIGURE {figure.replace('fields_compared', 'differences')} {len(findings)} count")
    if findings or not compared:
        sys.exit(f"{len(findings)} differences between what was sent and what came back")


if __name__ == "__main__":
    main(*sys.argv[1:])
