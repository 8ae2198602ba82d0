import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsed, outcomeWord, statusWord, toneOf, weightOf } from "../../assets/entry.js";

test("an open request is told from an ended one, whatever status it has sent", () => {
  for (const status_code of [null, 200, 500]) {
    const open = { kind: "running", status_code, outcome: null };
    assert.equal(toneOf(open), "open");
    assert.equal(outcomeWord(open), "running");
    assert.equal(statusWord(open), status_code === null ? "open" : String(status_code));
  }
  assert.equal(toneOf({ kind: "request", status_code: 200 }), "ok");
  assert.equal(outcomeWord({ kind: "request", outcome: "body_aborted" }), "body aborted");
});

test("a weight is said only where it is not one", () => {
  assert.deepEqual([null, undefined, 1, "10"].map((weight) => weightOf({ weight })), [null, null, null, null]);
  assert.equal(weightOf({ weight: 10 }), "×10");
  assert.equal(weightOf({ weight: 10 / 3 }), "×3.33");
});

test("what has passed is never less than what the request said itself", () => {
  const now = 1_000_000;
  assert.equal(elapsed({ created_at: 960, duration_ms: 30_000 }, now), 40_000);
  assert.equal(elapsed({ created_at: 2_000, duration_ms: 30_000 }, now), 30_000, "a sender whose clock is ahead");
  assert.equal(elapsed({ created_at: 960 }, now), 40_000);
  assert.equal(elapsed({}, now), 0);
});
