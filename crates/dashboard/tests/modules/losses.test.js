import assert from "node:assert/strict";
import { test } from "node:test";
import { minute, notices, reason } from "../../assets/losses.js";

const NOW = new Date(2026, 2, 10, 15, 0).getTime();
const at = (hour, minutes, seconds = 0) => new Date(2026, 2, 10, hour, minutes, seconds).getTime() / 1000;
const sender = (more) => ({
  service: "shop",
  source: { host: "h1", pid: 7 },
  first_seen: at(13, 0),
  last_seen: at(14, 10),
  ended: "running",
  stored: 1200,
  missing: 0,
  dropped: {},
  losses: [],
  ...more,
});
const said = (...senders) => notices({ senders }, NOW).map(({ service, text }) => `${service}: ${text}`);

test("a sender whose entries are all here is not spoken of", () => {
  assert.deepEqual(said(sender({}), sender({ ended: "closed" })), []);
  assert.deepEqual(notices(undefined), []);
  assert.deepEqual(notices({ senders: [] }), []);
});

test("losses are told with number, time and reason, those of one minute together, the latest first", () => {
  const losses = [
    { at: at(14, 5), reason: "queue_full_newest", entries: 2 },
    { at: at(14, 3, 40), reason: "queue_full_newest", entries: 5 },
    { at: at(14, 3, 1), reason: "queue_full_newest", entries: 7 },
    { at: at(14, 3, 1), reason: "brand_new", entries: 1 },
  ];
  const dropped = { queue_full_newest: 14, brand_new: 1 };
  assert.deepEqual(said(sender({ losses, dropped })), [
    "shop: 2 lost at 14:05, queue full",
    "shop: 12 lost at 14:03, queue full",
    "shop: 1 lost at 14:03, brand new",
  ]);
});

test("what the sender counted and never told of on its own is told too", () => {
  const losses = [{ at: at(14, 3), reason: "queue_full_newest", entries: 2 }];
  assert.deepEqual(said(sender({ losses, dropped: { queue_full_newest: 5, poison: 1 } })), [
    "shop: 3 lost by 14:10, queue full",
    "shop: 1 lost by 14:10, never taken by the collector",
    "shop: 2 lost at 14:03, queue full",
  ]);
});

test("a gap is told once: not where the sender says that it dropped those entries", () => {
  assert.deepEqual(said(sender({ missing: 7 })), ["shop: 7 sent and not here yet"]);
  assert.deepEqual(said(sender({ missing: 7, ended: "closed" })), ["shop: 7 sent and not here"]);
  assert.deepEqual(said(sender({ missing: 7, dropped: { poison: 7 } })), [
    "shop: 7 lost by 14:10, never taken by the collector",
  ]);
  assert.equal(said(sender({ missing: 7, dropped: { queue_full_newest: 7 } })).length, 2);
});

test("an abrupt end names the process and what is here of it", () => {
  const [text] = said(sender({ ended: "abruptly" }));
  assert.equal(
    text,
    "shop: ended abruptly after 14:10 (h1, process 7): 1,200 of its entries are here, the last may be lost",
  );
  assert.equal(said(sender({ ended: "abruptly", source: null, service: null }))[0].startsWith("unknown: ended"), true);
});

test("another day's time has its date", () => {
  assert.equal(minute(at(9, 5), NOW), "09:05");
  assert.equal(minute(at(9, 5), NOW + 864e5), "03-10 09:05");
  assert.equal(minute(undefined), "an unknown time");
  assert.equal(reason("spool_expired"), "too long in the spool");
});

test("what a running sender has under way stands behind what is lost", () => {
  const losses = [{ at: at(13, 30), reason: "queue_full_newest", entries: 2 }];
  assert.deepEqual(said(sender({ missing: 7, losses, dropped: { queue_full_newest: 2 } })), [
    "shop: 2 lost at 13:30, queue full",
    "shop: 7 sent and not here yet",
  ]);
});
