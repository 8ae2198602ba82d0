import assert from "node:assert/strict";
import { test } from "node:test";
import { indented } from "../../assets/pretty.js";

test("whole JSON reads as the platform would indent it", () => {
  for (const value of [
    {},
    [],
    { a: 1 },
    { a: [1, -2.5, "x\n\"{", null, true], b: { c: {}, d: [] }, "": "\\" },
    [[1, [2]], { "k:,": "v]}" }],
  ]) {
    const expected = JSON.stringify(value, null, 2);
    assert.equal(indented(JSON.stringify(value)), expected);
    assert.equal(indented(` ${JSON.stringify(value, null, 7)}\n`), expected, "whatever blanks it came with");
  }
});

test("digits and escapes stay as they were sent", () => {
  assert.equal(indented('{"big":12345678901234567890,"e":1.50e+2,"u":"\\u00e9"}').replace(/\s/g, ""), '{"big":12345678901234567890,"e":1.50e+2,"u":"\\u00e9"}');
});

test("what was cut short is indented as far as it goes, wherever the cut is", () => {
  const whole = '{"a":[1,{"b":"c\\"d"}],"e":null}';
  for (let cut = 1; cut <= whole.length; cut += 1) {
    const shown = indented(whole.slice(0, cut));
    assert.equal(shown.replace(/\s/g, ""), whole.slice(0, cut));
  }
  assert.equal(indented('{"a":[1,"tw'), '{\n  "a": [\n    1,\n    "tw');
});

test("what is no JSON object or array is left alone", () => {
  for (const text of ["", "name=a&b=c", '"text"', "17", "<p>{}</p>", "{]", "[1}", "{} {}", "[1]x"]) {
    assert.equal(indented(text), null, text);
  }
});

test("any depth and any length end in time", () => {
  const deep = indented("[".repeat(50_000));
  assert.ok(deep.length < 50_000 * 50);
  assert.equal(indented(`["${"\\".repeat(100_000)}`).length > 100_000, true);
});
