import assert from "node:assert/strict";
import { test } from "node:test";
import { createPoller } from "../../assets/poll.js";

function stage() {
  const timers = [];
  const page = { hidden: false, addEventListener: (_, listener) => (page.turn = listener) };
  const clock = {
    setTimeout: (act, ms) => timers.push({ act, ms }),
    clearTimeout: (id) => id && (timers[id - 1].act = null),
  };
  const states = [];
  let failing = false;
  let rounds = 0;
  const run = async () => {
    rounds += 1;
    if (failing) throw new Error("away");
  };
  const poller = createPoller({ run, onState: (state) => states.push(state), clock, page });
  return {
    timers,
    page,
    states,
    poller,
    fail: (on) => (failing = on),
    rounds: () => rounds,
    next: () => timers.at(-1).act(),
  };
}

test("it asks again an interval after each answer", async () => {
  const s = stage();
  await s.poller.now();
  assert.deepEqual(
    s.timers.map((timer) => timer.ms),
    [2_000],
  );
  await s.next();
  assert.equal(s.rounds(), 2);
  assert.deepEqual(s.states, ["live", "live"]);
});

test("it asks less often while nobody answers, and as before once somebody does", async () => {
  const s = stage();
  s.fail(true);
  await s.poller.now();
  for (let i = 0; i < 4; i += 1) await s.next();
  s.fail(false);
  await s.next();
  assert.deepEqual(
    s.timers.map((timer) => timer.ms),
    [4_000, 8_000, 15_000, 15_000, 15_000, 2_000],
  );
  assert.deepEqual(s.states.slice(-2), ["away", "live"]);
});

test("a hidden tab asks nothing until it is seen again", async () => {
  const s = stage();
  await s.poller.now();
  s.page.hidden = true;
  s.page.turn();
  assert.equal(s.timers[0].act, null);
  s.page.hidden = false;
  s.page.turn();
  assert.equal(s.rounds(), 2);
});

test("paused means paused, also when the tab comes back", async () => {
  const s = stage();
  await s.poller.now();
  s.poller.pause(true);
  s.page.turn();
  assert.equal(s.rounds(), 1);
  assert.equal(s.states.at(-1), "paused");
  await s.poller.pause(false);
  assert.equal(s.rounds(), 2);
});

test("one question at a time: a second wish is kept until the answer is there", async () => {
  const s = stage();
  await Promise.all([s.poller.now(), s.poller.now(), s.poller.now()]);
  assert.equal(s.rounds(), 2);
});
