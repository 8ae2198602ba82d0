// What the page shows, held in the URL's fragment: a link can be shared, Back works, and no search text
// reaches an access log.

const OUTCOMES = [
  "completed",
  "cancelled",
  "body_aborted",
  "service_error",
  "panicked",
  "timed_out",
  "upgraded",
  "process_died",
];

/** The closed choices; the first is the default and stands for "any" where it is empty. */
export const CHOICES = {
  view: ["requests", "routes"],
  kind: ["request", "running", "outgoing", "event", "all"],
  status: ["", "1xx", "2xx", "3xx", "4xx", "5xx"],
  outcome: ["", ...OUTCOMES],
  slow: ["", "true"],
};
/** Filters that a link sets and a chip shows, as no field of the filter bar does. */
export const CHIPS = ["method", "route", "user_id", "session_id", "tenant_id", "request_id", "client_type", "ip"];
const FREE = ["service", ...CHIPS, "q", "trace", "entry"];
const LONGEST = 500;

/** What narrows the list. */
export const FILTERS = ["service", "status", "outcome", "slow", "kind", ...CHIPS, "q"];

export const DEFAULTS = Object.freeze({
  ...Object.fromEntries(Object.entries(CHOICES).map(([key, values]) => [key, values[0]])),
  ...Object.fromEntries(FREE.map((key) => [key, ""])),
});

/** Reads a fragment; unknown keys and values that are not a choice fall back to the default. */
export function parse(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = { ...DEFAULTS };
  for (const [key, value] of given) {
    if (FREE.includes(key)) state[key] = value.slice(0, LONGEST);
    else if (Object.hasOwn(CHOICES, key) && CHOICES[key].includes(value)) state[key] = value;
  }
  return state;
}

/** Writes a fragment, defaults left out. */
export function print(state) {
  const given = new URLSearchParams();
  for (const key of Object.keys(DEFAULTS)) if (state[key] !== DEFAULTS[key]) given.set(key, state[key]);
  return `#${given}`;
}

export const sameFilters = (a, b) => FILTERS.every((key) => a[key] === b[key]);
export const isFiltered = (state) => FILTERS.some((key) => state[key] !== DEFAULTS[key]);

// A request that has not ended is a request to whoever looks at the list.
const KINDS = { all: "", request: "request,running" };

/** The filters as parameters of `GET /api/v1/logs`. */
export function query(state) {
  const { kind, ...rest } = Object.fromEntries(FILTERS.map((key) => [key, state[key]]));
  return { kind: KINDS[kind] ?? kind, ...rest };
}

/** A change that asks for these filters and no others, with nothing open. */
export function only(filters) {
  const none = Object.fromEntries(FILTERS.map((name) => [name, DEFAULTS[name]]));
  return { ...none, ...filters, view: "requests", trace: "", entry: "" };
}

/** Holds the state and tells of changes, wherever they come from: the page, a link, Back. */
export function createStore(window) {
  const listeners = [];
  let state = parse(window.location.hash);

  const enter = (next) => {
    const before = state;
    state = next;
    if (print(before) !== print(state)) for (const listener of listeners) listener(state, before);
  };
  const read = () => enter(parse(window.location.hash));
  window.addEventListener("hashchange", read);
  window.addEventListener("popstate", read);

  return {
    get: () => state,
    /** The link to the present state with a change. */
    link: (change) => print({ ...state, ...change }),
    /** Applies a change; `replace` leaves no step for Back. */
    set(change, { replace = false } = {}) {
      const next = parse(print({ ...state, ...change }));
      const link = print(next);
      // Browsers limit how often the address may change (a held arrow key); the page goes on without it.
      try {
        window.history[replace ? "replaceState" : "pushState"](
          null,
          "",
          link === "#" ? window.location.pathname : link,
        );
      } catch {}
      enter(next);
    },
    subscribe: (listener) => listeners.push(listener),
  };
}
