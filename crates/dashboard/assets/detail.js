// One entry in full: every field once, in groups, then headers, bodies, and whatever hoplog does not know.

import { el, mark, shown } from "./dom.js";
import { target, toneOf } from "./entry.js";
import { bytes, duration, instant, words } from "./format.js";

const GROUPS = Object.entries({
  Request:
    "method scheme host_header path query route http_version ip peer user_agent referer content_type request_size request_id",
  Response: "status_code outcome grpc_status response_content_type response_size ttfb_ms duration_ms",
  Error: "error_type error_message",
  Trace: "trace_id span_id parent_span_id x_trace_id",
  User: "user_id session_id tenant_id",
  Source: "service service_version environment log_type function_name file_path line target",
  Entry: "id kind level created_at message weight",
}).map(([name, fields]) => [name, fields.split(" ")]);
// Drawn on their own, below the groups.
const APART =
  "request_headers response_headers stack_trace request_body response_body request_body_truncated response_body_truncated metadata";
const KNOWN = new Set([...GROUPS.flatMap(([, fields]) => fields), ...APART.split(" ")]);

/** Longer values are cut, with a button that shows the rest. */
const LONGEST = 4_000;
const TITLE = 200;

export function drawDetail(entry) {
  const tone = toneOf(entry);
  const title = target(entry) || "(no message)";
  const head = el(
    "div",
    { class: "detail-head" },
    el("h3", {}, title.length > TITLE ? `${title.slice(0, TITLE)} …` : title),
    copyButton("Copy JSON", () => JSON.stringify(entry, null, 2)),
  );
  const unknown = Object.keys(entry).filter((name) => !KNOWN.has(name));

  const pick = (fields) => fields.map((field) => [field, entry[field]]);
  const groups = GROUPS.map(([name, fields]) => facts(name, pick(fields), tone));
  groups.push(
    title.length > TITLE || title.includes("\n") ? block("Message", entry.message) : null,
    facts("Other fields", [...unknown.map((name) => [name, entry[name]]), ...pairsOf(entry.metadata)]),
    headers("Request headers", entry.request_headers),
    headers("Response headers", entry.response_headers),
    block("Stack trace", entry.stack_trace),
    block(body("Request body", entry.request_body_truncated), entry.request_body),
    block(body("Response body", entry.response_body_truncated), entry.response_body),
  );
  return [head, el("div", { class: "groups" }, groups)];
}

const body = (name, truncated) => (truncated ? `${name} (truncated when captured)` : name);
const isAbsent = (value) => value === null || value === undefined || value === "";
const isPlain = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const pairsOf = (value) => (isPlain(value) ? Object.entries(value) : isAbsent(value) ? [] : [["metadata", value]]);

function facts(name, pairs, tone) {
  const present = pairs.filter(([, value]) => !isAbsent(value));
  if (present.length === 0) return null;
  const list = el("dl", { class: "facts-list" });
  for (const [field, value] of present) {
    list.append(el("dt", {}, field));
    if (field === "status_code") list.append(el("dd", { class: `tone-${tone}` }, mark(), String(value)));
    else list.append(el("dd", {}, valueOf(field, value)));
  }
  return el("div", { class: "group" }, el("h4", {}, name), list);
}

function valueOf(field, value) {
  if (field === "created_at") return `${instant(value)} (${value})`;
  if (field === "outcome") return words(value);
  if (field.endsWith("_ms") && typeof value === "number")
    return value >= 1000 ? `${value} ms (${duration(value)})` : `${value} ms`;
  if (field.endsWith("_size") && typeof value === "number")
    return value >= 1024 ? `${value} B (${bytes(value)})` : `${value} B`;
  return long(printed(value), false);
}

const printed = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

// A header may stand several times; each value gets its own line.
function headers(name, value) {
  if (!isPlain(value) || Object.keys(value).length === 0) return isPlain(value) ? null : block(name, value);
  const list = el("dl", { class: "facts-list" });
  for (const header of Object.keys(value).sort()) {
    for (const line of [value[header]].flat())
      list.append(el("dt", {}, header), el("dd", {}, long(printed(line), false)));
  }
  return el("div", { class: "group" }, el("h4", {}, name), list);
}

function block(name, value) {
  if (isAbsent(value)) return null;
  return el("div", { class: "group full" }, el("h4", {}, name), el("pre", {}, long(printed(value), true)));
}

function long(text, lines) {
  if (text.length <= LONGEST) return shown(text, { lines });
  const rest = el(
    "button",
    { type: "button", class: "more" },
    `Show all ${text.length.toLocaleString("en-US")} characters`,
  );
  const holder = el("span", {}, shown(`${text.slice(0, LONGEST)} …`, { lines }), rest);
  rest.addEventListener("click", () => holder.replaceChildren(shown(text, { lines })));
  return holder;
}

/** A button that copies `text()`; none where the browser has no clipboard (plain HTTP from afar). */
export function copyButton(label, text) {
  if (!navigator.clipboard) return null;
  const button = el("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    const done = await navigator.clipboard.writeText(text()).then(
      () => "Copied",
      () => "Not allowed",
    );
    button.textContent = done;
    setTimeout(() => (button.textContent = label), 1_200);
  });
  return button;
}
