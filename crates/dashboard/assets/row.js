// One entry as a row of the list.

import { el, mark, setVar } from "./dom.js";
import { isExchange, statusWord, target, toneOf } from "./entry.js";
import { instant, millis, moment, NONE, words } from "./format.js";

/** The link to an entry in its trace; one without a trace opens alone. */
const openLink = (store, entry) =>
  store.link({ view: "requests", trace: String(entry.trace_id ?? ""), entry: String(entry.id ?? "") });

/** `arrived` marks a row that came while somebody was looking. */
export function drawRow(entry, store, arrived) {
  const tone = toneOf(entry);
  const total = el("td", { class: "number total" }, millis(entry.duration_ms));
  if (entry.duration_ms > 1) setVar(total, "--part", String(Math.min(1, Math.log10(entry.duration_ms) / 4)));
  const calm = entry.outcome === "completed" || !entry.outcome;
  return el(
    "tr",
    { class: `${tone}${arrived ? " new" : ""}`, "data-id": entry.id, "data-trace": entry.trace_id },
    el("td", { class: "time", title: instant(entry.created_at) }, drawTime(entry.created_at)),
    el("td", { class: "c-service", title: entry.service }, entry.service ?? NONE),
    el("td", { class: "status" }, el("span", { class: `tone-${tone}` }, mark(), statusWord(entry))),
    el("td", { class: "request", title: target(entry) }, drawTarget(entry, store, calm ? null : tone)),
    el("td", { class: `c-outcome ${calm ? "dim" : `tone-${tone}`}` }, words(entry.outcome)),
    el("td", { class: "number c-ttfb dim" }, millis(entry.ttfb_ms)),
    total,
  );
}

function drawTime(seconds) {
  const at = moment(seconds);
  if (!at) return [NONE];
  return [
    at.date && el("span", { class: "date" }, at.date),
    at.clock,
    el("span", { class: "fraction dim" }, at.fraction),
  ];
}

// `tone` is that of an outcome worth a word; where its column has no room, the word stands here.
function drawTarget(entry, store, tone) {
  const what = [];
  if (isExchange(entry)) {
    what.push(el("span", { class: "method" }, entry.kind === "outgoing" ? "→ " : null, entry.method ?? ""));
    what.push(el("span", {}, entry.route ?? entry.path ?? NONE));
    const concrete = entry.route && entry.path !== entry.route ? entry.path : null;
    if (concrete) what.push(el("span", { class: "concrete" }, concrete));
  } else {
    what.push(el("span", {}, entry.message || NONE));
  }
  const link = el("a", { href: openLink(store, entry), tabindex: "-1" }, what);
  return [
    el("div", { class: "cell" }, link, tone && el("span", { class: `ended tone-${tone}` }, words(entry.outcome))),
    el("div", { class: "under" }, entry.service ?? NONE),
  ];
}
