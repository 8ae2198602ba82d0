// One entry as a row of the list.

import { el, mark, setVar } from "./dom.js";
import { elapsed, isExchange, isRunning, outcomeWord, statusWord, target, toneOf, weightOf } from "./entry.js";
import { instant, lasting, millis, moment, NONE } from "./format.js";

/** The link to an entry in its trace; one without a trace opens alone. */
const openLink = (store, entry) =>
  store.link({ view: "requests", trace: String(entry.trace_id ?? ""), entry: String(entry.id ?? "") });

/** `arrived` marks a row that came while somebody was looking. */
export function drawRow(entry, store, arrived) {
  const tone = toneOf(entry);
  const total = el("td", { class: "number total" }, totalOf(entry));
  if (entry.duration_ms > 1) setVar(total, "--part", String(Math.min(1, Math.log10(entry.duration_ms) / 4)));
  const calm = !isRunning(entry) && (entry.outcome === "completed" || !entry.outcome);
  return el(
    "tr",
    { class: `${tone}${arrived ? " new" : ""}`, "data-id": entry.id, "data-trace": entry.trace_id },
    el("td", { class: "time", title: instant(entry.created_at) }, drawTime(entry.created_at)),
    el("td", { class: "c-service", title: entry.service }, entry.service ?? NONE),
    el("td", { class: "status" }, el("span", { class: `tone-${tone}` }, mark(), statusWord(entry))),
    el("td", { class: "request", title: target(entry) }, drawTarget(entry, store, calm ? null : tone)),
    el("td", { class: `c-outcome ${calm ? "dim" : `tone-${tone}`}` }, outcomeWord(entry)),
    el("td", { class: "number c-ttfb dim" }, millis(entry.ttfb_ms)),
    total,
  );
}

/** Brings the row of an open request up to date. */
export function renewRow(row, entry) {
  row.querySelector(".total").replaceChildren(totalOf(entry));
}

const totalOf = (entry) => (isRunning(entry) ? `${lasting(elapsed(entry))} …` : millis(entry.duration_ms));

function drawTime(seconds) {
  const at = moment(seconds);
  if (!at) return [NONE];
  return [
    at.date && el("span", { class: "date" }, at.date),
    at.clock,
    el("span", { class: "fraction dim" }, at.fraction),
  ];
}

const tag = (name, text, title) => text && el("span", { class: `tag ${name}`, title }, text);

// `tone` is that of an outcome worth a word; where its column has no room, the word stands here. In a very narrow
// pane all remarks go to the second line.
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
  const remarks = () => [
    tag("slow", entry.slow === true && "slow", "Slower than its service's threshold"),
    tag("weight", weightOf(entry), `Stands for ${entry.weight} requests`),
    tone && el("span", { class: `ended tone-${tone}` }, outcomeWord(entry)),
  ];
  return [
    el("div", { class: "cell" }, link, remarks()),
    el("div", { class: "under" }, el("span", {}, entry.service ?? NONE), remarks()),
  ];
}
