// A trace drawn: one line per span or event, a common time axis, arrows to move.

import { el, mark, setVar } from "./dom.js";
import { brief, elapsed, isRunning, outcomeWord, statusWord, target, toneOf, weightOf } from "./entry.js";
import { duration, lasting, millis } from "./format.js";
import { tickStep } from "./tree.js";

const HUES = 6;
const DEEPEST_INDENT = 12;

/** `onSelect(entry)` when a line is chosen. */
export function createWaterfall({ onSelect }) {
  const element = el("div", { class: "waterfall", role: "tree", "aria-label": "Spans and events" });
  let lines = [];

  function draw(trace) {
    // A little room on the right, so that the last bar's end can be seen.
    const length = Math.max(trace.end - trace.start, 0.001) * 1.02;
    const hues = new Map(trace.services.map((name, index) => [name, index % HUES]));
    lines = trace.rows.map((row) => drawLine(row, trace.start, length, hues));
    element.replaceChildren(axis(length), ...lines.map((line) => line.element));
    if (trace.leftOut > 0) element.append(el("p", { class: "notice" }, `${trace.leftOut} more entries are not drawn.`));
    const step = tickStep(length);
    setVar(element, "--step", `${(100 * step) / length}%`);
  }

  function select(id, { focus = false } = {}) {
    const chosen = lines.find((line) => line.entry.id === id) ?? lines[0];
    for (const line of lines) {
      line.element.setAttribute("aria-selected", String(line === chosen));
      line.element.tabIndex = line === chosen ? 0 : -1;
    }
    if (focus) chosen?.element.focus();
    chosen?.element.scrollIntoView({ block: "nearest" });
    return chosen?.entry;
  }

  const lineOf = (node) => lines.findIndex((line) => line.element === node.closest("[role=treeitem]"));

  element.addEventListener("click", (event) => {
    const line = lines[lineOf(event.target)];
    if (line) onSelect(line.entry);
  });
  element.addEventListener("keydown", (event) => {
    const at = lineOf(event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const line = lines[Math.max(0, Math.min(lines.length - 1, to))];
    onSelect(line.entry);
    line.element.focus();
  });

  return { element, draw, select };
}

function axis(length) {
  const track = el("div", { class: "track" });
  const step = tickStep(length);
  for (let at = 0; step > 0 && at <= length * 0.94; at += step) {
    const tick = el("span", { class: "tick" }, at === 0 ? "0" : tickText(at));
    setVar(tick, "--at", `${(100 * at) / length}%`);
    track.append(tick);
  }
  const cell = (name, text) => el("span", { class: name }, text);
  return el(
    "div",
    { class: "line axis", "aria-hidden": "true" },
    cell("label", "Span"),
    cell("state", "Status"),
    track,
    cell("took", "ms"),
  );
}

const tickText = (at) => (at < 60_000 ? duration(at) : lasting(at));

function drawLine(row, start, length, hues) {
  const { entry } = row;
  const tone = toneOf(entry);
  const service = entry.service ?? "unknown";
  const note = notes(row);
  const label = el(
    "div",
    { class: "label", title: `${service} ${target(entry)}` },
    row.span ? el("span", { class: "who" }, service) : el("span", { class: `tone-${tone}` }, mark()),
    el("span", { class: "what" }, brief(entry)),
    note ? el("span", { class: "note" }, note) : null,
  );
  setVar(label, "--depth", String(Math.min(row.depth, DEEPEST_INDENT)));
  const track = el("div", { class: "track" }, row.span ? drawBar(row, start, length) : drawDot(row, start, length));
  const element = el(
    "div",
    {
      class: `line ${row.span ? "span" : "event"} tone-${tone} hue-${hues.get(service)}`,
      role: "treeitem",
      "aria-level": row.depth + 1,
      "aria-selected": "false",
      tabindex: "-1",
    },
    label,
    el("span", { class: `state tone-${tone}` }, row.span ? mark() : null, statusWord(entry)),
    track,
    el("span", { class: "took" }, row.span ? took(entry) : `+${millis(row.start - start)}`),
  );
  return { entry, element };
}

const took = (entry) => (isRunning(entry) ? `${lasting(elapsed(entry))} …` : millis(entry.duration_ms));

function notes(row) {
  const parts = [];
  if (row.span && row.entry.outcome !== "completed") parts.push(outcomeWord(row.entry));
  if (row.entry.slow === true) parts.push("slow");
  parts.push(weightOf(row.entry));
  if (row.orphan) parts.push(row.span ? "caller not recorded" : "span not recorded");
  return parts.filter(Boolean).join(" · ");
}

const part = (value, length) => `${Math.max(0, Math.min(100, (100 * value) / length))}%`;

function drawBar(row, start, length) {
  const { entry } = row;
  const open = row.end === null;
  const bar = el("div", { class: `bar ${entry.kind === "outgoing" ? "outgoing" : ""} ${open ? "open" : ""}` });
  const from = row.start - start;
  setVar(bar, "--from", part(from, length));
  setVar(bar, "--long", open ? part(length - from, length) : part(row.end - row.start, length));
  if (entry.ttfb_ms >= 0 && entry.duration_ms > 0) setVar(bar, "--wait", part(entry.ttfb_ms, entry.duration_ms));
  return bar;
}

function drawDot(row, start, length) {
  const dot = el("div", { class: "dot" });
  setVar(dot, "--from", part(row.start - start, length));
  return dot;
}
