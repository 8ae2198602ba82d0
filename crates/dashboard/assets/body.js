// A captured body, a stack, any long text: as text nodes, indented where it is JSON, cut where it is very long.

import { el, shown } from "./dom.js";
import { bytes, count } from "./format.js";
import { indented } from "./pretty.js";

/** Longer texts are cut, with a button that shows the rest. */
const LONGEST = 4_000;

const printed = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** A text, or its beginning and a button. */
export function long(text, lines) {
  if (text.length <= LONGEST) return shown(text, { lines });
  const rest = el("button", { type: "button", class: "more" }, `Show all ${count(text.length)} characters`);
  const holder = el("span", {}, shown(`${text.slice(0, LONGEST)} …`, { lines }), rest);
  rest.addEventListener("click", () => holder.replaceChildren(shown(text, { lines })));
  return holder;
}

/** A text of many lines under its name; `tags` stand beside the name. */
export function block(name, value, tags = []) {
  if (value === null || value === undefined || value === "") return null;
  const words = tags.filter(Boolean).map(([text, tone]) => el("span", { class: `tag ${tone}` }, text));
  return el("div", { class: "group full" }, el("h4", {}, name, words), el("pre", {}, long(printed(value), true)));
}

/** `side` is "request" or "response". */
export function drawBody(entry, side) {
  const name = side === "request" ? "Request body" : "Response body";
  const [body, hash, size] = [entry[`${side}_body`], entry[`${side}_body_hash`], entry[`${side}_size`]];
  const whole = typeof size === "number" ? `, whole ${bytes(size)}` : "";
  const truncated = entry[`${side}_body_truncated`] === true && [`truncated${whole}`, "slow"];
  const json = typeof body === "string" ? indented(body) : null;
  if (body === null || body === undefined || body === "") {
    return block(name, hash, [["not kept, only its keyed hash", ""], truncated]);
  }
  return block(name, json ?? body, [json !== null && ["JSON, indented", ""], truncated]);
}
