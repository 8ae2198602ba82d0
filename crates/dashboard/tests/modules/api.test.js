import assert from "node:assert/strict";
import { test } from "node:test";
import { createApi } from "../../assets/api.js";

const answering = (status, body, key = "") => {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ url, options });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  };
  return { api: createApi({ fetch, key: () => key }), asked };
};

test("empty parameters are left out and ids cannot leave their segment", async () => {
  const { api, asked } = answering(200, { logs: [], next_cursor: null });
  await api.logs({ kind: "", q: "a&b", cursor: null, limit: 100 });
  await api.trace("../../stats?x#y");
  assert.deepEqual(
    asked.map((a) => a.url),
    ["/api/v1/logs?q=a%26b&limit=100", "/api/v1/traces/..%2F..%2Fstats%3Fx%23y"],
  );
});

test("the key travels as a bearer token, and only if there is one", async () => {
  const keyed = answering(200, {}, "hl_1");
  await keyed.api.stats();
  assert.equal(keyed.asked[0].options.headers.Authorization, "Bearer hl_1");
  const keyless = answering(200, {});
  await keyless.api.stats();
  assert.equal(keyless.asked[0].options.headers.Authorization, undefined);
});

test("a refusal keeps its words and its kind", async () => {
  await assert.rejects(answering(503, { title: "Store unavailable", detail: "locked" }).api.stats(), {
    kind: "refused",
    message: "Store unavailable: locked",
  });
  await assert.rejects(answering(502, "<html>").api.stats(), {
    kind: "refused",
    message: "The collector answered 502.",
  });
  await assert.rejects(answering(401, {}).api.stats(), { kind: "key" });
  await assert.rejects(answering(403, {}).api.stats(), { kind: "key" });
  await assert.rejects(answering(404, {}).api.trace("x"), { kind: "missing" });
});

test("an answer of another shape is named, not used", async () => {
  await assert.rejects(answering(200, "<html>").api.stats(), { kind: "garbled" });
  for (const body of [{}, [], null, { logs: {} }])
    await assert.rejects(answering(200, body).api.logs({}), { kind: "garbled" });
});

test("no connection is away, and a question given up is neither", async () => {
  const broken = createApi({ fetch: async () => Promise.reject(new TypeError("failed")), key: () => "" });
  await assert.rejects(broken.stats(), { kind: "away" });
  await assert.rejects(broken.logs({}, AbortSignal.abort()), { name: "TypeError" });
});
