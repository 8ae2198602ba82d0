import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, tickStep } from "../../assets/tree.js";
import { brief, statusWord, target, toneOf } from "../../assets/entry.js";

const span = (kind, span_id, parent_span_id, created_at, duration_ms = 10) => ({
  id: `${kind}-${span_id}`,
  kind,
  span_id,
  parent_span_id,
  created_at,
  duration_ms,
  service: "shop",
});
const event = (id, span_id, created_at) => ({ id, kind: "event", span_id, created_at, message: id, service: "shop" });
const drawn = (logs) => arrange(logs).rows.map((row) => `${"  ".repeat(row.depth)}${row.entry.id}`);

test("calls hang under their request, the called under the call, events under their span, in time order", () => {
  const logs = [
    span("request", "b", "o", 1.003),
    event("late", "a", 1.009),
    span("request", "a", null, 1.0, 20),
    event("early", "a", 1.001),
    span("outgoing", "o", "a", 1.002),
    event("inner", "b", 1.004),
  ];
  assert.deepEqual(drawn(logs), ["request-a", "  early", "  outgoing-o", "    request-b", "      inner", "  late"]);
});

test("a span whose caller is not stored stands at the root and says so", () => {
  const [row] = arrange([span("request", "a", "elsewhere", 1)]).rows;
  assert.equal(row.depth, 0);
  assert.ok(row.orphan);
  assert.ok(!arrange([span("request", "a", null, 1)]).rows[0].orphan);
});

test("cycles, self-parents and doubles are drawn once each", () => {
  const logs = [
    span("request", "a", "b", 1),
    span("request", "b", "a", 2),
    span("request", "c", "c", 3),
    span("request", "c", "c", 4),
  ];
  const rows = arrange(logs).rows;
  assert.equal(rows.length, 4);
  assert.equal(new Set(rows).size, 4);
});

test("a deep chain is drawn and a long trace is cut", () => {
  const chain = Array.from({ length: 5_000 }, (_, index) =>
    span("request", `s${index}`, index ? `s${index - 1}` : null, index),
  );
  const trace = arrange(chain);
  assert.equal(trace.rows.length, 1_000);
  assert.equal(trace.leftOut, 4_000);
  assert.equal(trace.rows[999].depth, 999);
});

test("the axis spans everything, and an open request has no end", () => {
  const trace = arrange([span("request", "a", null, 1, 20), { ...span("running", "b", "a", 1.1), duration_ms: null }]);
  assert.equal(trace.start, 1_000);
  assert.equal(trace.end, 1_100);
  assert.equal(trace.rows[1].end, null);
  assert.deepEqual(arrange([]), { rows: [], start: 0, end: 0, services: [], spans: 0, leftOut: 0 });
});

test("ticks are round and few", () => {
  for (const length of [0.001, 0.37, 5, 303, 1_000, 87_654]) {
    const ticks = length / tickStep(length);
    assert.ok(ticks >= 2 && ticks <= 5.001, `${length} gives ${ticks}`);
  }
  assert.equal(tickStep(303), 100);
  assert.equal(tickStep(0), 0);
});

test("the tone follows status and outcome, of an event its level", () => {
  const tone = (status_code, outcome) => toneOf({ kind: "request", status_code, outcome });
  assert.deepEqual(
    [
      tone(200, "completed"),
      tone(304),
      tone(404),
      tone(503),
      tone(200, "body_aborted"),
      tone(null, "panicked"),
      tone(null, "cancelled"),
    ],
    ["ok", "redirect", "warn", "bad", "warn", "bad", "warn"],
  );
  assert.equal(toneOf({ kind: "event", level: "ERROR" }), "bad");
  assert.equal(toneOf({ kind: "event", level: "INFO" }), "quiet");
  assert.deepEqual(
    [
      statusWord({ kind: "running" }),
      statusWord({ kind: "request", status_code: null }),
      statusWord({ kind: "event", level: "WARN" }),
    ],
    ["open", "none", "WARN"],
  );
});

test("an entry names what was asked, briefly and in full", () => {
  const entry = { kind: "outgoing", method: "GET", route: "/users/{id}", path: "/users/42", query: "full=1" };
  assert.equal(brief(entry), "→ GET /users/{id}");
  assert.equal(target(entry), "GET /users/42?full=1");
  assert.equal(target({ kind: "event", message: "order placed", path: "/orders" }), "order placed");
  assert.equal(brief({ kind: "event", message: "", method: "GET", path: "/orders" }), "GET /orders");
});

test("the axis reaches as far as an open request has told", () => {
  const open = { id: "1", kind: "running", span_id: "a", created_at: 10, duration_ms: 30_000 };
  const { rows, start, end } = arrange([open]);
  assert.equal(rows[0].end, null);
  assert.equal(end - start, 30_000);
});
