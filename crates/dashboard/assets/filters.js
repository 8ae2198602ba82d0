// The filter bar: shows the state's filters and changes them.

import { byId, el } from "./dom.js";
import { CHIPS, CHOICES, DEFAULTS, FILTERS, isFiltered } from "./state.js";
import { words } from "./format.js";

const TYPING_MS = 250;
const KINDS = { request: "Requests", running: "Running now", outgoing: "Outgoing calls", event: "Log lines", all: "Everything" };

// What they are can be seen.
const NAMELESS = new Set(["method", "route"]);

export function createFilters({ store }) {
  const form = byId("filters");
  const { q, service, status, outcome, slow, kind } = form.elements;
  const chips = byId("chips");
  let typing = null;

  status.append(...CHOICES.status.map((value) => option(value, value || "any")));
  outcome.append(...CHOICES.outcome.map((value) => option(value, words(value) || "any")));
  slow.append(...CHOICES.slow.map((value) => option(value, value ? "slow" : "any")));
  kind.append(...CHOICES.kind.map((value) => option(value, KINDS[value])));
  offerServices([]);

  // A service named by a link is offered even where the collector does not (or not yet) know it.
  function offerServices(names) {
    const chosen = store.get().service;
    const all = chosen && !names.includes(chosen) ? [chosen, ...names] : names;
    const offered = [...service.options].slice(1).map((known) => known.value);
    // An open menu must not be replaced under the pointer for nothing.
    if (service.length > 0 && all.join("\n") === offered.join("\n")) return;
    service.replaceChildren(option("", "all"), ...all.map((name) => option(name, name)));
    service.value = chosen;
  }

  function show(state) {
    if (service.value !== state.service) offerServices([...service.options].slice(1).map((known) => known.value));
    for (const [field, name] of [
      [service, "service"],
      [status, "status"],
      [outcome, "outcome"],
      [slow, "slow"],
      [kind, "kind"],
    ]) {
      field.value = state[name];
      field.classList.toggle("active", state[name] !== DEFAULTS[name]);
    }
    // While somebody types, the field is ahead of the state.
    if (typing === null && q.value !== state.q) q.value = state.q;
    byId("clear-filters").hidden = !isFiltered(state);
    for (const label of form.querySelectorAll(".only-requests")) label.hidden = state.view !== "requests";
    chips.replaceChildren(
      ...CHIPS.filter((name) => state[name] !== "").map((name) => chip(name, state[name])),
    );
  }

  function chip(name, value) {
    const title = `Remove the filter ${name} = ${value}`;
    const button = el(
      "button",
      { type: "button", class: "chip", title, "aria-label": title },
      NAMELESS.has(name) ? null : el("span", { class: "dim" }, name),
      el("span", {}, value),
    );
    button.addEventListener("click", () => store.set({ [name]: "" }));
    return button;
  }

  function flushTyping() {
    clearTimeout(typing);
    typing = null;
    if (q.value !== store.get().q) store.set({ q: q.value }, { replace: true });
  }

  form.addEventListener("input", (event) => {
    if (event.target !== q) return;
    clearTimeout(typing);
    typing = setTimeout(flushTyping, TYPING_MS);
  });
  form.addEventListener("change", (event) => {
    if (event.target === q) flushTyping();
    else store.set({ [event.target.name]: event.target.value });
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    flushTyping();
  });

  function clear() {
    clearTimeout(typing);
    typing = null;
    q.value = "";
    store.set(Object.fromEntries(FILTERS.map((name) => [name, DEFAULTS[name]])));
  }
  byId("clear-filters").addEventListener("click", clear);
  byId("no-match-clear").addEventListener("click", clear);

  return { show, offerServices, focusSearch: () => q.select() };
}

// An option's value must stay exactly what was stored; only its text is made readable.
function option(value, text) {
  const element = el("option", {}, text);
  element.value = value;
  return element;
}
