import assert from "node:assert/strict";
import { test } from "node:test";
import { createFeed } from "../../assets/feed.js";

/** A store of entries numbered upwards; pages go down from `from`, and the cursor is where the next one begins. */
const page = (from, size, last = 1) => {
  const logs = [];
  for (let id = from; id > from - size && id >= last; id -= 1) logs.push({ id });
  const end = logs.at(-1)?.id ?? last;
  return { logs, next_cursor: end > last ? String(end - 1) : null };
};
const ids = (feed) => feed.entries.map((entry) => entry.id);
const down = (from, to) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

test("older pages follow each other to the end", () => {
  const feed = createFeed();
  feed.restart(page(10, 4));
  while (feed.cursor !== null) feed.extend(page(Number(feed.cursor), 4));
  assert.deepEqual(ids(feed), down(10, 1));
});

test("a newer first page joins the list without a gap or a double", () => {
  const feed = createFeed();
  feed.restart(page(10, 4));
  feed.extend(page(6, 4));
  assert.equal(feed.unseen(page(12, 4)), 2);
  feed.refresh(page(12, 4));
  assert.deepEqual(ids(feed), down(12, 3));
  assert.equal(feed.cursor, "2");
});

test("a page that does not reach the list replaces it", () => {
  const feed = createFeed();
  feed.restart(page(10, 4));
  feed.refresh(page(100, 4));
  assert.deepEqual(ids(feed), down(100, 97));
  assert.equal(feed.cursor, "96");
});

test("late arrivals stand where they belong and what has gone goes", () => {
  const feed = createFeed();
  feed.restart({ logs: [{ id: 9 }, { id: "open" }, { id: 7 }, { id: 5 }], next_cursor: "4" });
  feed.refresh({ logs: [{ id: 9 }, { id: 8 }, { id: 7 }, { id: 6 }], next_cursor: "5" });
  assert.deepEqual(ids(feed), [9, 8, 7, 6, 5]);
  assert.equal(feed.cursor, "4");
});

test("a first page that holds everything ends the list", () => {
  const feed = createFeed();
  feed.restart(page(10, 4));
  feed.refresh({ logs: [{ id: 10 }], next_cursor: null });
  assert.deepEqual(ids(feed), [10]);
  assert.equal(feed.cursor, null);
});

test("the list stays within its bound, and older goes on exactly where it was cut", () => {
  const feed = createFeed(20);
  feed.restart(page(1_000, 6));
  for (let newest = 1_003; newest < 1_300; newest += 3) {
    feed.refresh(page(newest, 6));
    assert.ok(feed.entries.length <= 20);
    assert.deepEqual(ids(feed), down(ids(feed)[0], ids(feed).at(-1)));
  }
  const last = ids(feed).at(-1);
  if (feed.cursor !== null) assert.equal(feed.cursor, String(last - 1));
});

test("at the bound nothing older is offered", () => {
  const feed = createFeed(8);
  feed.restart(page(100, 4));
  feed.extend(page(96, 4));
  assert.equal(feed.cursor, null);
  assert.ok(feed.full);
});

test("an empty store is an empty list", () => {
  const feed = createFeed();
  feed.restart({ logs: [], next_cursor: null });
  feed.refresh({ logs: [], next_cursor: null });
  assert.deepEqual(ids(feed), []);
  assert.equal(feed.cursor, null);
  assert.ok(!feed.full);
});

test("a request's end stands in the place of its beginning, and older pages go on from there", () => {
  const feed = createFeed();
  feed.restart(page(10, 4));
  feed.replace(9, { id: "nine" });
  feed.replace(7, { id: "seven" });
  feed.replace(99, { id: "unknown" });
  assert.deepEqual(ids(feed), [10, "nine", 8, "seven"]);
  assert.equal(feed.cursor, "6");
});

test("what went, or is in the list already, is only taken out", () => {
  const feed = createFeed();
  feed.restart(page(10, 4));
  feed.replace(9);
  feed.replace(7, { id: 10 });
  assert.deepEqual(ids(feed), [10, 8]);
  assert.equal(feed.cursor, "6");
});
