// Wires the page: state → views, answers → views, one poller for all.

import { createApi } from "./api.js";
import { byId, el } from "./dom.js";
import { createFilters } from "./filters.js";
import { moment } from "./format.js";
import { createKey } from "./key.js";
import { listenToKeys } from "./keyboard.js";
import { createList } from "./list.js";
import { createPoller } from "./poll.js";
import { createRoutes } from "./routes.js";
import { drawSamples } from "./samples.js";
import { drawShortfall } from "./shortfall.js";
import { createStore, sameFilters } from "./state.js";
import { drawTotals } from "./totals.js";
import { createTrace } from "./trace.js";

/** Totals, services and routes move slowly and cost the collector more than the list. */
const SLOW_MS = 10_000;

const store = createStore(window);
const key = createKey({ onKey });
const api = createApi({ fetch: window.fetch.bind(window), key: key.current });
const filters = createFilters({ store });
let stats = null;
let lastAnswer = null;

const list = createList({ api, store, summary: () => stats, onError: report });
const routes = createRoutes({ api, store });
const trace = createTrace({ api, store, find: list.find, onClose: close });
const poller = createPoller({ run: round, onState: showState });

let slowAt = -Infinity;
async function slow() {
  if (performance.now() - slowAt < SLOW_MS) return;
  const asked = [api.stats(), api.services(), api.completeness(store.get().service)];
  const [answer, services, completeness] = await Promise.all(asked);
  stats = answer;
  drawShortfall(completeness);
  drawTotals(stats);
  filters.offerServices(services.map((of) => String(of.service)));
  if (store.get().view === "routes") await routes.refresh();
  slowAt = performance.now();
}

// Everything that is due, side by side; one failure does not keep the others from being drawn.
async function round() {
  const due = store.get().view === "requests" ? [slow(), list.refresh(), trace.refresh()] : [slow()];
  const failed = (await Promise.allSettled(due)).find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

function onKey() {
  drawSamples(key.current() !== "");
  return poller.pause(false);
}

function report(error) {
  showState("away", error);
}

function showState(state, error = null) {
  const pulse = byId("pulse");
  const banner = byId("banner");
  pulse.dataset.state = state === "hidden" ? "paused" : state;
  pulse.textContent = { live: "live", paused: "paused", hidden: "paused", away: "not refreshed" }[state];
  byId("pause").setAttribute("aria-pressed", String(poller.paused));
  byId("pause").textContent = poller.paused ? "Resume" : "Pause";

  if (state === "live") lastAnswer = Date.now() / 1000;
  if (error?.kind === "key") {
    poller.pause(true);
    key.ask();
  }
  banner.hidden = !error || error.kind === "key";
  if (!banner.hidden) banner.replaceChildren(...sentences(error));
}

function sentences(error) {
  const since = lastAnswer ? ` What you see is from ${moment(lastAnswer).clock}.` : "";
  const next = poller.paused ? "" : " Asking again shortly.";
  const reason = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  if (error.kind !== "away") return [el("strong", {}, "The collector reports a problem. "), `${reason}${since}${next}`];
  const away = `The collector does not answer (${error.message}). `;
  return [el("strong", {}, away), `Is hoplog serve running?${since}${next}`];
}

function close() {
  if (!store.get().trace && !store.get().entry) return;
  store.set({ trace: "", entry: "" });
  list.focus();
}

function showView(view) {
  byId("requests").hidden = view !== "requests";
  byId("routes").hidden = view !== "routes";
  for (const name of ["requests", "routes"]) {
    const link = byId(`view-${name}`);
    link.href = store.link({ view: name, trace: "", entry: "" });
    if (name === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

store.subscribe(async (state, before) => {
  showView(state.view);
  filters.show(state);
  list.markOpen();
  try {
    const shown = trace.show();
    if (!sameFilters(state, before)) {
      if (state.view === "requests") await list.load();
      else routes.draw();
    }
    if (state.view !== before.view || state.service !== before.service) {
      slowAt = -Infinity;
      await poller.now();
    }
    await shown;
    if (state.trace !== before.trace && state.trace) trace.focus();
  } catch (error) {
    report(error);
  }
});

byId("pause").addEventListener("click", () => poller.pause(!poller.paused));
listenToKeys({
  search: filters.focusSearch,
  move: (step) => list.move(step),
  close,
  pause: () => poller.pause(!poller.paused),
});

showView(store.get().view);
filters.show(store.get());
drawSamples(key.current() !== "");
poller.now();
trace.show().catch(report);
