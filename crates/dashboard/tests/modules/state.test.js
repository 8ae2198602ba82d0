import assert from "node:assert/strict";
import { test } from "node:test";
import { createStore, DEFAULTS, isFiltered, only, parse, print, query, sameFilters } from "../../assets/state.js";

test("a state survives the address", () => {
  const state = {
    ...DEFAULTS,
    service: "a&b=c#d",
    status: "5xx",
    outcome: "timed_out",
    q: "ü %41",
    trace: "0af7",
    kind: "all",
  };
  assert.deepEqual(parse(print(state)), state);
  assert.equal(print(DEFAULTS), "#");
});

test("what is no choice falls back, what is unknown is left out, what is long is cut", () => {
  assert.deepEqual(parse("#status=9xx&view=admin&kind=&x=1&__proto__=2"), DEFAULTS);
  assert.deepEqual(parse("%%%"), DEFAULTS);
  assert.equal(parse(`#q=${"a".repeat(9_999)}`).q.length, 500);
});

test("the filters become the collector's parameters", () => {
  assert.equal(query(DEFAULTS).kind, "request,running");
  const asked = query(parse("#kind=all&service=shop&trace=0af7&view=routes"));
  assert.equal(asked.kind, "");
  assert.equal(asked.service, "shop");
  assert.equal(asked.trace, undefined);
});

test("an open trace is no filter", () => {
  const open = { ...DEFAULTS, trace: "0af7", entry: "1" };
  assert.ok(sameFilters(DEFAULTS, open));
  assert.ok(!isFiltered(open));
  assert.ok(isFiltered({ ...DEFAULTS, q: "x" }));
});

function fakeWindow(hash = "") {
  const heard = {};
  const steps = [];
  return {
    location: { hash, pathname: "/" },
    history: {
      pushState: (_, __, url) => steps.push(url),
      replaceState: (_, __, url) => (steps[Math.max(0, steps.length - 1)] = url),
    },
    addEventListener: (name, listener) => (heard[name] = listener),
    heard,
    steps,
  };
}

test("listeners hear of a change once, with what was before, and not of none", () => {
  const store = createStore(fakeWindow("#service=shop"));
  const heard = [];
  store.subscribe((state, before) => heard.push([before.status, state.status]));
  store.set({ status: "5xx" });
  store.set({ status: "5xx" });
  assert.deepEqual(heard, [["", "5xx"]]);
  assert.equal(store.link({ trace: "0af7" }), "#status=5xx&service=shop&trace=0af7");
});

test("a link or Back changes the state through the address", () => {
  const window = fakeWindow();
  const store = createStore(window);
  window.location.hash = "#trace=0af7";
  window.heard.hashchange();
  assert.equal(store.get().trace, "0af7");
});

test("an address that may not change now does not hold up the page", () => {
  const window = fakeWindow();
  window.history.replaceState = () => {
    throw new Error("too many calls");
  };
  const store = createStore(window);
  store.set({ entry: "1" }, { replace: true });
  assert.equal(store.get().entry, "1");
});

test("a link to all that shares a value drops every other filter and what is open", () => {
  const { link } = createStore(fakeWindow("#status=5xx&slow=true&q=x&trace=0af7&entry=1&view=routes"));
  assert.equal(link(only({ kind: "all", user_id: "u 1" })), "#kind=all&user_id=u+1");
});

test("requests include the running ones, and each kind can be asked for alone", () => {
  assert.equal(query(parse("#kind=running")).kind, "running");
  assert.equal(query(parse("#kind=request&slow=true")).slow, "true");
  assert.equal(parse("#slow=yes").slow, "");
});
