// The routes table, from `GET /api/v1/routes`: who is asked for what, how often it fails, how long it takes.

import { byId, el, isPlainClick, mark } from "./dom.js";
import { bytes, count, millis, NONE, percent } from "./format.js";
import { only } from "./state.js";

const text = (value) => String(value ?? "");
// `of` is what a column is sorted by; `spare` columns leave in a narrow pane, `narrow-off` in a very narrow one.
const COLUMNS = [
  { name: "Service", of: (r) => text(r.service), col: "c-service" },
  { name: "Method", of: (r) => text(r.method), col: "c-method" },
  { name: "Route", of: (r) => text(r.route) },
  { name: "Requests", of: (r) => r.requests, number: true },
  { name: "Errors", of: (r) => r.errors, number: true, col: "c-errors" },
  { name: "p50 ms", of: (r) => r.duration_ms?.p50, number: true, class: "narrow-off" },
  { name: "p95 ms", of: (r) => r.duration_ms?.p95, number: true },
  { name: "p99 ms", of: (r) => r.duration_ms?.p99, number: true, class: "spare narrow-off" },
  { name: "TTFB p95 ms", of: (r) => r.ttfb_ms?.p95, number: true, class: "spare narrow-off" },
  { name: "Bytes out", of: (r) => r.bytes, number: true, class: "spare narrow-off" },
];

export function createRoutes({ api, store }) {
  const table = byId("route-table");
  let routes = null;
  let sort = { by: 3, down: true };

  const heads = COLUMNS.map((column, index) => {
    const button = el("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      sort = { by: index, down: sort.by === index ? !sort.down : Boolean(column.number) };
      draw();
    });
    return el("th", { scope: "col", class: classes(column) }, button);
  });
  table.prepend(
    el(
      "colgroup",
      {},
      COLUMNS.map((column) => el("col", { class: columnClasses(column) })),
    ),
  );
  table.tHead.append(el("tr", {}, heads));

  function draw() {
    if (!routes) return;
    const { service, q } = store.get();
    const wanted = q.toLowerCase();
    const shown = routes
      .filter((r) => service === "" || r.service === service)
      .filter((r) => wanted === "" || `${r.service} ${r.method} ${r.route}`.toLowerCase().includes(wanted))
      .toSorted((a, b) => compare(COLUMNS[sort.by].of(a), COLUMNS[sort.by].of(b)) * (sort.down ? -1 : 1));
    heads.forEach((head, index) => {
      if (index === sort.by) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    // A redraw must not take the focus from a link that stays.
    const focused = table.tBodies[0].contains(document.activeElement) ? document.activeElement.hash : null;
    table.tBodies[0].replaceChildren(...shown.map((route) => drawRoute(route, store)));
    if (focused) [...table.querySelectorAll("a")].find((a) => a.hash === focused)?.focus();
    table.hidden = shown.length === 0;
    byId("no-routes").hidden = shown.length > 0;
  }

  table.tBodies[0].addEventListener("click", (event) => {
    if (event.target.closest("a") || !isPlainClick(event)) return;
    event.target.closest("tr")?.querySelector("a").click();
  });

  return {
    draw,
    async refresh() {
      routes = await api.routes();
      draw();
    },
  };
}

const classes = (column) => [column.number && "number", column.class, column.col].filter(Boolean).join(" ");
const columnClasses = (column) => [column.number && "c-number", column.class, column.col].filter(Boolean).join(" ");

function drawRoute(route, store) {
  const wanted = { service: text(route.service), method: text(route.method), route: text(route.route) };
  const href = store.link(only(wanted));
  const failed = route.errors > 0;
  const [, , , ...numbers] = COLUMNS;
  return el(
    "tr",
    {},
    el("td", { class: "c-service" }, text(route.service) || NONE),
    el("td", { class: "c-method dim" }, text(route.method) || NONE),
    el(
      "td",
      { class: "route", title: text(route.route) },
      el("a", { href }, text(route.route) || "(no route)"),
      el("div", { class: "under" }, `${text(route.method)} ${text(route.service)}`),
    ),
    numbers.map((column) => {
      if (column.name !== "Errors")
        return el("td", { class: classes(column), title: basis(column, route) }, numberOf(column, route));
      const share = failed ? el("span", { class: "share narrow-off" }, percent(route.errors, route.requests)) : null;
      const value = el(
        "span",
        { class: failed ? "tone-bad" : "dim" },
        failed ? mark() : null,
        count(route.errors),
        share,
      );
      return el("td", { class: "number" }, value);
    }),
  );
}

// What a count of sampled requests rests on.
const basis = (column, route) =>
  column.name === "Requests" && route.stored !== route.requests ? `from ${count(route.stored)} stored` : null;

function numberOf(column, route) {
  const value = column.of(route);
  if (column.name === "Requests") return count(value);
  return column.name === "Bytes out" ? bytes(value) : millis(value);
}

// Missing values below everything else.
function compare(a, b) {
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b);
  return (a ?? -Infinity) - (b ?? -Infinity) || 0;
}
