import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bytes,
  count,
  duration,
  inLine,
  instant,
  lasting,
  millis,
  moment,
  NONE,
  percent,
  splitHidden,
  visible,
  words,
} from "../../assets/format.js";

test("a hidden character is named, whatever hides it", () => {
  const named = {
    "\x00": "NUL",
    "\x1b": "ESC",
    "\n": "⏎",
    "\r": "CR",
    "\x9b": "CSI",
    "\u00ad": "SHY",
    "\u061c": "U+061C",
    "\u200b": "ZWSP",
    "\u202e": "RLO",
    "\u2028": "U+2028",
    "\u2066": "LRI",
    "\u3164": "U+3164",
    "\ufeff": "BOM",
    "\ud83d": "U+D83D",
    "\u{e0041}": "U+E0041",
  };
  for (const [character, name] of Object.entries(named)) {
    assert.deepEqual(splitHidden(`a${character}b`), [{ text: "a" }, { name }, { text: "b" }]);
    assert.equal(visible(character), `‹${name}›`);
  }
});

test("text that shows itself is left as it is", () => {
  for (const plain of ["", "plain <b> &amp;", "Größe 日本 مرحبا", "❤\ufe0f"]) {
    assert.equal(visible(plain), plain);
    assert.deepEqual(splitHidden(plain), plain === "" ? [] : [{ text: plain }]);
  }
});

test("line breaks and tabs stay only where lines are shown", () => {
  assert.deepEqual(splitHidden("a\n\tb\r", true), [{ text: "a\n\tb" }, { name: "CR" }]);
  assert.equal(splitHidden("a\n\tb").length, 4);
});

test("numbers keep their width and what is no number is a dash", () => {
  assert.equal(count(12345), "12,345");
  assert.equal(millis(1240.0249), "1,240.02");
  assert.equal(millis(0.4), "0.40");
  for (const nothing of [null, undefined, "12", NaN, Infinity]) {
    for (const format of [count, millis, duration, bytes, instant]) assert.equal(format(nothing), NONE);
  }
});

test("durations and sizes take the unit that fits", () => {
  assert.deepEqual([0.05, 0.84, 12.345, 999, 1240, 61_500].map(duration), [
    "50 µs",
    "840 µs",
    "12.3 ms",
    "999 ms",
    "1.24 s",
    "1 min 1 s",
  ]);
  assert.deepEqual([0, 1023, 1536, 3 * 1024 ** 2].map(bytes), ["0 B", "1023 B", "1.5 KiB", "3 MiB"]);
});

test("what lasts is told in a few characters", () => {
  assert.deepEqual([-5, 0, 47_999, 60_000, 100_500, 3_599_999, 3_600_000, 93_900_000].map(lasting), [
    "0 s",
    "0 s",
    "47 s",
    "1m 00s",
    "1m 40s",
    "59m 59s",
    "1h 00m",
    "26h 05m",
  ]);
  assert.equal(lasting(NaN), NONE);
});

test("something that happened is never 0 percent", () => {
  assert.equal(percent(1, 1_000_000), "<0.1 %");
  assert.equal(percent(0, 10), "0.0 %");
  assert.equal(percent(1, 0), NONE);
});

test("a moment has a date only when it is not today", () => {
  const now = new Date(2025, 10, 20, 14, 3, 22, 118).getTime();
  assert.deepEqual(moment(now / 1000, now), { date: "", clock: "14:03:22", fraction: ".118" });
  assert.equal(moment(now / 1000 - 86_400, now).date, "11-19");
  assert.equal(moment(1e300), null);
  assert.equal(instant(0.5), "1970-01-01T00:00:00.500Z");
});

test("a value for one line has no line break of its own", () => {
  assert.equal(inLine(["charge", { a: [1] }]), '["charge",{"a":[1]}]');
  assert.equal(inLine("two\nlines"), "two\nlines");
  assert.equal(inLine(7), "7");
});

test("an outcome reads as words", () => {
  assert.equal(words("body_aborted"), "body aborted");
  assert.equal(words(null), "");
});
