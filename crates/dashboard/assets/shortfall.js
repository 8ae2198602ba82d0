// The strip that says what did not get here: the latest in one line, the others below it.

import { byId, el, mark } from "./dom.js";
import { notices } from "./losses.js";
import { count } from "./format.js";

/** The most that are listed; the collector holds the rest. */
const MOST = 50;

export function drawShortfall(answer) {
  const all = notices(answer);
  const strip = byId("shortfall");
  strip.hidden = all.length === 0;
  if (strip.hidden) return;
  const [latest, ...others] = all.slice(0, MOST);
  const more = others.length > 0 ? el("span", { class: "dim" }, `and ${count(all.length - 1)} more in 24 hours`) : null;
  byId("shortfall-latest").replaceChildren(mark(), ...sentence(latest), more ?? "");
  byId("shortfall-others").replaceChildren(...others.map((notice) => el("li", {}, ...sentence(notice))));
}

const sentence = ({ service, text }) => [el("strong", {}, service), el("span", {}, text)];
