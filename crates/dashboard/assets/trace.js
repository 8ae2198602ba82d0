// The open trace: fetches it, keeps it fresh while it is young, shows the selected entry.

import { byId, el } from "./dom.js";
import { copyButton, drawDetail } from "./detail.js";
import { isRunning } from "./entry.js";
import { duration } from "./format.js";
import { arrange } from "./tree.js";
import { createWaterfall } from "./waterfall.js";

/** Later hops arrive with later batches; after this long nothing more is expected. */
const YOUNG_MS = 30_000;
const MISSING = "Nothing is stored under this id. It may not have arrived yet, or retention removed it.";

/** `find(id)` gives an entry that the list holds, for those without a trace. */
export function createTrace({ api, store, find, onClose }) {
  const panel = byId("trace");
  const head = el("div", { class: "trace-head" });
  const detail = el("div", { class: "detail", tabindex: "0", role: "region", "aria-label": "Selected entry" });
  const waterfall = createWaterfall({ onSelect: (entry) => store.set({ entry: entry.id }, { replace: true }) });
  let open = null;
  let loading = null;

  /** Draws what the state says is open. */
  async function show() {
    const { trace, entry, view } = store.get();
    const key = view === "requests" && (trace || entry) ? `${trace}/${trace ? "" : entry}` : null;
    panel.hidden = key === null;
    if (key === null) {
      loading?.abort();
      open = null;
      return;
    }
    if (open?.key === key) {
      select();
      return;
    }
    open = { key, logs: [], until: Date.now() + YOUNG_MS };
    head.replaceChildren(...headOf(trace, []));
    panel.replaceChildren(head, el("p", { class: "notice" }, "Loading …"));
    await load();
  }

  async function load() {
    loading?.abort();
    const mine = (loading = new AbortController());
    const { trace, entry } = store.get();
    try {
      const logs = trace ? await api.trace(trace, mine.signal) : [find(entry) ?? (await api.entry(entry, mine.signal))];
      if (!mine.signal.aborted) draw(trace, logs);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error.kind === "missing") {
        notice(MISSING);
      } else if (error.kind === "away" || error.kind === "key") {
        // Not this trace's fault: ask until somebody answers.
        open.until = Infinity;
        throw error;
      } else {
        open.until = 0;
        notice(error.message);
      }
    }
  }

  // What is drawn already is worth more than the reason why it could not be drawn again.
  function notice(text) {
    if (open.logs.length > 0) return;
    panel.replaceChildren(head, el("p", { class: "notice" }, text));
  }

  function draw(id, logs) {
    if (logs.length === 0) {
      notice(MISSING);
      return;
    }
    // The same entries again: keep scroll, selection and focus.
    if (logs.length === open.logs.length && logs.every((log, index) => log.id === open.logs[index].id)) return;
    const trace = arrange(logs);
    // A request that is open will end, whenever that is.
    open.until = logs.some(isRunning) ? Infinity : trace.end + YOUNG_MS;
    const focused = waterfall.element.contains(document.activeElement);
    open.logs = logs;
    head.replaceChildren(
      ...headOf(id, [
        duration(trace.end - trace.start),
        plural(trace.spans, "span"),
        plural(trace.services.length, "service"),
      ]),
    );
    waterfall.draw(trace);
    panel.replaceChildren(head, waterfall.element, detail);
    const before = open.selected;
    open.selected = undefined;
    const gone = before && !logs.some((log) => log.id === before.id);
    if (gone && logs.some((log) => log.id === before.exchange_id))
      store.set({ entry: before.exchange_id }, { replace: true });
    select(focused);
  }

  function select(focus = false) {
    if (open.logs.length === 0) return;
    const entry = waterfall.select(store.get().entry, { focus });
    if (!entry || entry === open.selected) return;
    open.selected = entry;
    detail.replaceChildren(...drawDetail(entry, store));
    detail.scrollTop = 0;
  }

  function headOf(id, facts) {
    const close = el("button", { type: "button", "aria-keyshortcuts": "Escape" }, "Close");
    close.addEventListener("click", onClose);
    return [
      el("h2", {}, id ? "Trace" : "Entry"),
      id ? el("code", { title: id }, id) : null,
      el("span", { class: "facts" }, facts.join(" · ")),
      el("span", { class: "actions" }, id ? copyButton("Copy id", () => id) : null, close),
    ].filter(Boolean);
  }

  return {
    show,
    /** Asks again while hops may still arrive. */
    async refresh() {
      if (!open || !store.get().trace) return;
      if (Date.now() < open.until) await load();
    },
    /** Puts the focus on the selected line. */
    focus: () => open && select(true),
  };
}

const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
