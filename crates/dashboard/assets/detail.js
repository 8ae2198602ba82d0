// One entry in full: every field once, in groups, then headers, bodies, and whatever hoplog does not know.

import { block, drawBody, long } from "./body.js";
import { el, mark } from "./dom.js";
import { elapsed, isRunning, target, toneOf, weightOf } from "./entry.js";
import { bytes, duration, inLine, instant, lasting, words } from "./format.js";
import { only } from "./state.js";

const GROUPS = Object.entries({
  Request:
    "method scheme host_header path query route api_version http_version referer content_type request_size request_id",
  Response: "status_code outcome grpc_status response_content_type response_size",
  Times: "created_at ended_at ttfb_ms duration_ms running_for longest_gap_ms slow",
  Error: "error_type error_message raised_at",
  Client:
    "ip peer client_port client_type origin device_type browser browser_version os_name os_version user_agent tls_version",
  Trace: "trace_id span_id parent_span_id linked_trace_id linked_span_id x_trace_id exchange_id",
  User: "user_id session_id tenant_id",
  Source:
    "service service_version environment host pid sdk sdk_version log_type function_name file_path line target",
  Entry: "id kind level message action_type weight",
}).map(([name, fields]) => [name, fields.split(" ")]);
// Drawn on their own, below the groups.
const APART = `request_headers response_headers stack_trace metadata request_body request_body_truncated
  request_body_hash response_body response_body_truncated response_body_hash`;
const KNOWN = new Set([...GROUPS.flatMap(([, fields]) => fields), ...APART.split(/\s+/)]);

const TITLE = 200;

// Where a value leads: to a trace, to an entry, or to all that shares it.
const trace = (id) => ({ ...only({}), trace: id });
const sharing = (name) => (value) => only({ kind: "all", [name]: value });
const LINKS = {
  trace_id: trace,
  linked_trace_id: trace,
  x_trace_id: trace,
  exchange_id: (id) => ({ ...only({}), entry: id }),
  ...Object.fromEntries(
    ["request_id", "user_id", "session_id", "tenant_id", "ip", "client_type"].map((name) => [name, sharing(name)]),
  ),
};

export function drawDetail(entry, store) {
  const tone = toneOf(entry);
  const title = target(entry) || "(no message)";
  const head = el(
    "div",
    { class: "detail-head" },
    el("h3", {}, title.length > TITLE ? `${title.slice(0, TITLE)} …` : title),
    copyButton("Copy JSON", () => JSON.stringify(entry, null, 2)),
  );
  const unknown = Object.keys(entry).filter((name) => !KNOWN.has(name));
  const all = { ...entry, ...derived(entry) };

  const draw = (name, pairs) => facts(name, pairs, { tone, store });
  const groups = GROUPS.map(([name, fields]) => draw(name, fields.map((field) => [field, all[field]])));
  groups.push(
    title.length > TITLE || title.includes("\n") ? block("Message", entry.message) : null,
    draw("Other fields", [...unknown.map((name) => [name, entry[name]]), ...pairsOf(entry.metadata)]),
    headers("Request headers", entry.request_headers),
    headers("Response headers", entry.response_headers),
    block("Stack trace", entry.stack_trace),
    drawBody(entry, "request"),
    drawBody(entry, "response"),
  );
  return [head, el("div", { class: "groups" }, groups)];
}

// What follows from the fields, under names that no field has.
function derived(entry) {
  const { created_at: start, duration_ms: took, file_path: file, line } = entry;
  const ended = !isRunning(entry) && Number.isFinite(start) && took > 0 ? start + took / 1000 : null;
  return {
    ended_at: ended && instant(ended),
    running_for: isRunning(entry) ? `${lasting(elapsed(entry))}, and still open when this was drawn` : null,
    raised_at: entry.error_type && file ? `${file}${line ? `:${line}` : ""}` : null,
  };
}

const isAbsent = (value) => value === null || value === undefined || value === "";
const isPlain = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const pairsOf = (value) => (isPlain(value) ? Object.entries(value) : isAbsent(value) ? [] : [["metadata", value]]);

function facts(name, pairs, { tone, store }) {
  const present = pairs.filter(([, value]) => !isAbsent(value));
  if (present.length === 0) return null;
  const list = el("dl", { class: "facts-list" });
  for (const [field, value] of present) {
    const known = name !== "Other fields";
    const link = known && Object.hasOwn(LINKS, field) ? store.link(LINKS[field](String(value))) : null;
    const text = known ? valueOf(field, value) : long(inLine(value), false);
    list.append(el("dt", {}, field));
    if (field === "status_code" || (field === "slow" && value === true))
      list.append(el("dd", { class: `tone-${field === "slow" ? "warn" : tone}` }, mark(), text));
    else list.append(el("dd", {}, link ? el("a", { href: link }, text) : text));
  }
  return el("div", { class: "group" }, el("h4", {}, name), list);
}

function valueOf(field, value) {
  if (field === "created_at") return `${instant(value)} (${value})`;
  if (field === "outcome") return words(value);
  if (field === "slow") return value === true ? "yes" : "no";
  if (field === "weight") return weightOf({ weight: value }) ? `${value} (stands for so many)` : String(value);
  if (field.endsWith("_ms") && typeof value === "number")
    return value >= 1000 ? `${value} ms (${duration(value)})` : `${value} ms`;
  if (field.endsWith("_size") && typeof value === "number")
    return value >= 1024 ? `${value} B (${bytes(value)})` : `${value} B`;
  return long(inLine(value), false);
}

// A header may stand several times; each value gets its own line.
function headers(name, value) {
  if (!isPlain(value) || Object.keys(value).length === 0) return isPlain(value) ? null : block(name, value);
  const list = el("dl", { class: "facts-list" });
  for (const header of Object.keys(value).sort()) {
    for (const line of [value[header]].flat())
      list.append(el("dt", {}, header), el("dd", {}, long(inLine(line), false)));
  }
  return el("div", { class: "group" }, el("h4", {}, name), list);
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
