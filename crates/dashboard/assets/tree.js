// A trace as rows: spans under the span that called them, events under the span they belong to. Pure.

import { isRunning, isSpan } from "./entry.js";

/** How many rows are drawn. */
export const MOST_ROWS = 1_000;

/**
 * `logs` oldest first → `{rows, start, end, services, spans, leftOut}`; a row is
 * `{entry, depth, span, start, lasted, end, orphan}`, times in (Unix) milliseconds, `end` null while a request is open,
 * `orphan` true where the caller's span is not among the entries. Any graph is drawn once: a cycle is cut.
 */
export function arrange(logs, most = MOST_ROWS) {
  const rows = logs.map(toRow);
  const owner = new Map();
  for (const row of rows) {
    if (row.span && row.entry.span_id && !owner.has(row.entry.span_id)) owner.set(row.entry.span_id, row);
  }

  const roots = [];
  const children = new Map();
  for (const row of rows) {
    const above = row.span ? row.entry.parent_span_id : (row.entry.span_id ?? row.entry.parent_span_id);
    const parent = above ? owner.get(above) : undefined;
    row.orphan = Boolean(above) && !parent;
    if (!parent || parent === row) roots.push(row);
    else if (children.has(parent)) children.get(parent).push(row);
    else children.set(parent, [row]);
  }

  const drawn = [];
  const seen = new Set();
  const walk = (root) => {
    const waiting = [[root, 0]];
    while (waiting.length > 0) {
      const [row, depth] = waiting.pop();
      if (seen.has(row)) continue;
      seen.add(row);
      row.depth = depth;
      drawn.push(row);
      const below = (children.get(row) ?? []).toSorted(byStart);
      for (const child of below.reverse()) waiting.push([child, depth + 1]);
    }
  };
  for (const root of roots.toSorted(byStart)) walk(root);
  // What is left hangs in a cycle; it begins at its earliest member.
  for (const row of rows.toSorted(byStart)) if (!seen.has(row)) walk(row);

  const start = rows.reduce((least, row) => Math.min(least, row.start), Infinity);
  const end = rows.reduce((most, row) => Math.max(most, row.end ?? row.start + row.lasted), -Infinity);
  return {
    rows: drawn.slice(0, most),
    start: Number.isFinite(start) ? start : 0,
    end: Number.isFinite(end) ? end : 0,
    services: [...new Set(rows.map((row) => row.entry.service ?? "unknown"))],
    spans: rows.filter((row) => row.span).length,
    leftOut: Math.max(0, drawn.length - most),
  };
}

// The caller before the called where a coarse clock gives both the same start.
const byStart = (a, b) => a.start - b.start || (b.end ?? Infinity) - (a.end ?? Infinity) || 0;

function toRow(entry) {
  const start = Number.isFinite(entry.created_at) ? entry.created_at * 1000 : 0;
  const span = isSpan(entry);
  const lasted = Number.isFinite(entry.duration_ms) ? Math.max(0, entry.duration_ms) : 0;
  return { entry, span, start, lasted, end: isRunning(entry) ? null : start + lasted, depth: 0, orphan: false };
}

/** A round distance between ticks, so that 3 to 6 of them stand on an axis of this length. */
export function tickStep(length) {
  if (!(length > 0)) return 0;
  const rough = length / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((f) => f * power >= rough) ?? 10;
  return factor * power;
}
