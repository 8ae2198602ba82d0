// The collector's HTTP interface as the page uses it: six questions, and errors with a kind.

const PATIENCE_MS = 10_000;

/** `kind`: "away" (no answer), "key" (401, and 403: one that may not ask), "missing" (404), "refused" (any other status), "garbled". */
export class ApiError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = "ApiError";
    this.kind = kind;
  }
}

/** `fetch` as the browser's; `key()` gives the API key or "". */
export function createApi({ fetch, key }) {
  async function get(path, parameters = {}, signal = undefined) {
    const given = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "" && value !== null));
    const url = given.size > 0 ? `${path}?${given}` : path;
    const headers = { Accept: "application/json" };
    if (key() !== "") headers.Authorization = `Bearer ${key()}`;
    const timeout = AbortSignal.timeout(PATIENCE_MS);
    const options = {
      headers,
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    };

    try {
      const response = await fetch(url, options);
      if (!response.ok) throw await problem(response);
      return await response.json();
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted) throw error;
      if (error instanceof SyntaxError) throw new ApiError("garbled", `${path} did not answer with JSON.`);
      if (timeout.aborted) throw new ApiError("away", `no answer within ${PATIENCE_MS / 1000} s`);
      throw new ApiError("away", "no connection");
    }
  }

  async function list(name, path, parameters, signal) {
    const answer = await get(path, parameters, signal);
    if (!Array.isArray(answer?.[name])) throw new ApiError("garbled", `${path} answered without “${name}”.`);
    return answer;
  }

  return {
    /** One page of entries, newest first: `{logs, next_cursor}`. */
    logs: (parameters, signal) => list("logs", "/api/v1/logs", parameters, signal),
    /** All entries of a trace, oldest first. */
    trace: async (id, signal) => (await list("logs", `/api/v1/traces/${encodeURIComponent(id)}`, {}, signal)).logs,
    /** One entry. */
    entry: (id, signal) => get(`/api/v1/logs/${encodeURIComponent(id)}`, {}, signal),
    routes: async () => (await list("routes", "/api/v1/routes")).routes,
    services: async () => (await list("services", "/api/v1/services")).services,
    stats: () => get("/stats"),
    /** What came of what the senders of the last 24 hours sent. */
    completeness: (service) => list("senders", "/api/v1/completeness", { service }),
  };
}

// RFC 9457 where the collector wrote the answer; anything may stand in front of it.
async function problem(response) {
  const body = await response.json().catch(() => null);
  const parts = [body?.title, body?.detail].filter((part) => typeof part === "string" && part !== "");
  const kind = { 401: "key", 403: "key", 404: "missing" }[response.status] ?? "refused";
  return new ApiError(kind, parts.join(": ") || `The collector answered ${response.status}.`);
}
