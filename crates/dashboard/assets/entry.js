// What an entry says of itself: what was asked, and what it came to, as a tone for the eye and a word that says
// the same. Pure.

import { words } from "./format.js";

const BROKEN = new Set(["panicked", "service_error", "process_died"]);
const CUT_SHORT = new Set(["cancelled", "body_aborted", "timed_out"]);

export const isRunning = (entry) => entry.kind === "running";
export const isSpan = (entry) => ["request", "outgoing", "running"].includes(entry.kind);

/** The tone of a level, of an event and in the totals. */
export function levelTone(level) {
  const word = String(level).toUpperCase();
  if (word === "ERROR" || word === "FATAL") return "bad";
  return word === "WARN" ? "warn" : "quiet";
}

/**
 * The tone of an entry (`open`, `quiet`, `ok`, `redirect`, `warn`, `bad`): by status and outcome for a request or a
 * call, by level for anything else; `open` for a request that has not ended.
 */
export function toneOf(entry) {
  if (isRunning(entry)) return "open";
  const status = entry.status_code;
  if (status >= 500 || BROKEN.has(entry.outcome)) return "bad";
  if (status >= 400 || CUT_SHORT.has(entry.outcome)) return "warn";
  if (status >= 300) return "redirect";
  if (status >= 100) return "ok";
  return isSpan(entry) ? "quiet" : levelTone(entry.level);
}

/** What stands in the status column: the code, the level of an event, or a word for a missing answer. */
export function statusWord(entry) {
  if (typeof entry.status_code === "number") return String(entry.status_code);
  if (isRunning(entry)) return "open";
  return isSpan(entry) ? "none" : String(entry.level ?? "");
}

/** How it ended, or that it has not. */
export const outcomeWord = (entry) => words(isRunning(entry) ? "running" : entry.outcome);

/** How many entries it stands for, where that is not one. */
export const weightOf = (entry) =>
  typeof entry.weight === "number" && entry.weight !== 1 ? `×${Number(entry.weight.toPrecision(3))}` : null;

/** Milliseconds that an open request has taken by now, and at least as long as it said. */
export function elapsed(entry, now = Date.now()) {
  const said = Number.isFinite(entry.duration_ms) ? entry.duration_ms : 0;
  return Number.isFinite(entry.created_at) ? Math.max(said, now - entry.created_at * 1000) : said;
}

/** Whether an entry is named by what was asked: an event is not, while it has something to say. */
export const isExchange = (entry) =>
  (isSpan(entry) || !entry.message) && Boolean(entry.method || entry.path || entry.route);

/** What is asked, without the particulars: `GET /users/{id}`; an event's message. */
export function brief(entry) {
  if (!isExchange(entry)) return String(entry.message ?? "");
  const call = entry.kind === "outgoing" ? "→ " : "";
  return `${call}${entry.method ?? ""} ${entry.route ?? entry.path ?? ""}`.trim();
}

/** What is asked, in full: `GET /users/42?full=1`; an event's message. */
export function target(entry) {
  if (!isExchange(entry)) return String(entry.message ?? "");
  const query = entry.query ? `?${entry.query}` : "";
  return `${entry.method ?? ""} ${entry.path ?? entry.route ?? ""}${query}`.trim();
}
