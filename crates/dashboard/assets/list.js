// The list of requests, newest first: draws the feed, keeps it fresh, opens what is clicked.

import { byId, isPlainClick, place } from "./dom.js";
import { isRunning } from "./entry.js";
import { createFeed, MOST } from "./feed.js";
import { count } from "./format.js";
import { drawRow, renewRow } from "./row.js";
import { isFiltered, query } from "./state.js";

const PAGE = 100;
/** Open requests that are asked for at once, and those whose end is fetched in one round. */
const MOST_OPEN = 1_000;
const MOST_ENDED = 20;

/** `summary()` gives the last answer of `/stats`, or null. */
export function createList({ api, store, summary, onError }) {
  const scroller = byId("list-scroller");
  const body = byId("list").tBodies[0];
  const fresh = byId("fresh");
  const older = byId("older");
  const feed = createFeed();
  let rows = new Map();
  // A newer first page, held back while the reader is further down.
  let held = null;
  let loading = null;
  // The question that the feed answers; null before the first answer.
  let answered = null;
  // The row that Tab reaches; arrows move it.
  let cursor = null;

  const reading = () => scroller.scrollTop > 4;
  const question = () => JSON.stringify(query(store.get()));
  const dimIfStale = () => scroller.classList.toggle("stale", answered !== null && answered !== question());

  async function load() {
    loading?.abort();
    const mine = (loading = new AbortController());
    const asked = question();
    dimIfStale();
    try {
      const page = await api.logs({ ...query(store.get()), limit: PAGE }, mine.signal);
      if (mine.signal.aborted) return;
      answered = asked;
      feed.restart(page);
      rows = new Map();
      scroller.scrollTop = 0;
      settle();
    } catch (error) {
      if (!mine.signal.aborted) throw error;
    } finally {
      if (loading === mine) {
        loading = null;
        dimIfStale();
      }
    }
  }

  async function refresh() {
    if (loading) return;
    if (answered !== question()) {
      await load();
      return;
    }
    const page = await api.logs({ ...query(store.get()), limit: PAGE });
    // Meanwhile the filters may have changed: then this is the answer to another question.
    if (loading || answered !== question()) return;
    if (reading()) {
      held = page;
      const unseen = feed.unseen(page);
      fresh.hidden = unseen === 0;
      fresh.textContent = `${unseen}${unseen === PAGE ? "+" : ""} new ↑`;
    } else {
      feed.refresh(page);
      settle(true);
    }
    await renew(page);
  }

  // The first page is right about its own part of the list; requests that were open further down are asked for.
  async function renew(page) {
    const first = new Set(page.logs.map((entry) => entry.id));
    const below = feed.entries.filter((entry) => isRunning(entry) && !first.has(entry.id));
    if (below.length === 0) return;
    const asked = answered;
    const open = await api.logs({ kind: "running", limit: MOST_OPEN });
    const still = new Set(open.logs.map((entry) => entry.id));
    const ended = below.filter((entry) => !still.has(entry.id)).slice(0, open.next_cursor ? 0 : MOST_ENDED);
    const ends = await Promise.all(ended.map((entry) => endOf(entry)));
    if (loading || answered !== asked) return;
    ended.forEach((entry, index) => feed.replace(entry.id, ends[index]));
    draw(false);
  }

  const endOf = (entry) =>
    api.entry(String(entry.exchange_id)).catch((error) => {
      if (error.kind === "missing") return null;
      throw error;
    });

  async function more() {
    const from = feed.cursor;
    if (from === null || loading) return;
    const mine = (loading = new AbortController());
    older.disabled = true;
    try {
      feed.extend(await api.logs({ ...query(store.get()), limit: PAGE, cursor: from }, mine.signal));
      if (!mine.signal.aborted) settle();
    } catch (error) {
      if (!mine.signal.aborted) onError(error);
    } finally {
      older.disabled = false;
      if (loading === mine) loading = null;
    }
  }

  function settle(arrived = false) {
    held = null;
    fresh.hidden = true;
    draw(arrived);
    older.hidden = feed.cursor === null;
    const end = byId("list-end");
    end.hidden = feed.entries.length === 0 || feed.cursor !== null;
    end.textContent = feed.full ? `${count(MOST)} shown. Narrow the filters to see older ones.` : `No older entries.`;
    const empty = feed.entries.length === 0;
    byId("list").hidden = empty;
    byId("no-match").hidden = !empty || !isFiltered(store.get());
    byId("no-data").hidden = !empty || isFiltered(store.get());
    const others = empty ? (summary()?.total_logs ?? 0) : 0;
    byId("no-data-others").hidden = others === 0;
    byId("no-data-others").firstElementChild.textContent = `${count(others)} entries of other kinds are stored.`;
  }

  function draw(arrived) {
    const next = new Map();
    for (const entry of feed.entries) {
      const known = rows.get(entry.id);
      if (known && isRunning(entry)) renewRow(known, entry);
      next.set(entry.id, known ?? drawRow(entry, store, arrived));
    }
    rows = next;
    place(body, [...rows.values()]);
    if (!cursor?.isConnected) cursor = null;
    point(cursor ?? body.rows[0], false);
    markOpen();
  }

  function markOpen() {
    const { entry, trace } = store.get();
    for (const row of body.rows) {
      const open = row.dataset.id === entry || (trace !== "" && row.dataset.trace === trace);
      if (open) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  function point(row, focus = true) {
    if (!row) return;
    if (cursor) cursor.querySelector("a").tabIndex = -1;
    cursor = row;
    const link = row.querySelector("a");
    link.tabIndex = 0;
    if (focus) link.focus();
  }

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row || event.target.closest("a") || !isPlainClick(event)) return;
    point(row);
    row.querySelector("a").click();
  });
  older.addEventListener("click", more);
  fresh.addEventListener("click", () => {
    if (held) feed.refresh(held);
    scroller.scrollTop = 0;
    settle(true);
  });

  return {
    load,
    refresh,
    markOpen,
    /** Moves the reader's row by `step` and gives it the focus; from elsewhere it only gives the focus. */
    move(step) {
      if (!cursor) return;
      const inside = document.activeElement?.closest("tr") === cursor;
      const at = cursor.sectionRowIndex + (inside ? step : 0);
      point(body.rows[Math.max(0, Math.min(body.rows.length - 1, at))]);
    },
    /** Gives the focus back, to the row that was left. */
    focus: () => point(cursor),
    find: (id) => feed.entries.find((entry) => entry.id === id),
  };
}
