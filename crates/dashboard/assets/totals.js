// The numbers in the header strip, from `GET /stats`.

import { byId, el, mark } from "./dom.js";
import { count } from "./format.js";
import { levelTone } from "./entry.js";

/** The levels worth a place in the strip, most serious first. */
const LEVELS = ["FATAL", "ERROR", "WARN"];

export function drawTotals(stats) {
  const levels = Array.isArray(stats.level_distribution) ? stats.level_distribution : [];
  const errors = stats.recent_errors_1h;
  byId("totals").replaceChildren(
    total("entries", stats.total_logs, "quiet", false, stats.stored),
    total("errors, last hour", errors, errors > 0 ? "bad" : "quiet", errors > 0),
    ...LEVELS.map((level) => levels.find((of) => of?.level === level))
      .filter((of) => of?.count > 0)
      .map((of) => total(of.level, of.count, levelTone(of.level))),
  );
}

// `stored` is what a count of sampled entries rests on.
function total(name, value, tone, marked = false, stored = value) {
  const number = el("dd", { class: marked ? `tone-${tone}` : null }, marked ? mark() : null, count(value));
  const title = stored === value || stored === undefined ? null : `from ${count(stored)} stored`;
  return el("div", { title }, el("dt", {}, name), number);
}
