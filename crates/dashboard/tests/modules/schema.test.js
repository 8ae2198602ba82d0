import assert from "node:assert/strict";
import { test } from "node:test";

import { example, operations, typeOf } from "../../assets/schema.js";

const schemas = {
  Span: { type: "object", properties: { id: { type: ["string", "null"] }, children: { type: "array", items: { $ref: "#/components/schemas/Span" } } } },
};

test("a type is a few words", () => {
  assert.equal(typeOf({ type: ["string", "null"] }), "string | null");
  assert.equal(typeOf({ type: "integer", minimum: 1, maximum: 9, default: 3 }), "integer, 1 to 9, 3 without it");
  assert.equal(typeOf({ type: "string", enum: ["a", null] }), "a | null");
  assert.equal(typeOf({ type: "string", examples: ["-15m"] }), "string, such as -15m");
  assert.equal(typeOf({ $ref: "#/components/schemas/Span" }), "Span");
  assert.equal(typeOf({}), "any");
});

test("a shape that holds itself is drawn once", () => {
  assert.equal(example({ $ref: "#/components/schemas/Span" }, schemas), "{\n  id: string | null\n  children: [ Span, … ]\n}");
  assert.equal(example({ type: "object" }, schemas), "{ … }");
});

test("a document is a list of operations", () => {
  const content = { "application/json": { schema: { $ref: "#/components/schemas/Span" } } };
  const parameter = { name: "q", in: "query", schema: { type: "string" } };
  const get = { operationId: "logs", tags: ["query"], summary: "Entries.", parameters: [parameter], responses: { 200: { content } } };
  const [first] = operations({ components: { schemas }, paths: { "/logs": { get } } });
  assert.deepEqual([first.id, first.method, first.path, first.parameters[0].type], ["logs", "get", "/logs", "string"]);
  assert.equal(first.answered[0].media, "application/json");
  assert.deepEqual(first.sent, []);
});
