// The page of the interface: /openapi.json drawn, with nothing from elsewhere.

import { byId, el } from "./dom.js";
import { operations } from "./schema.js";

const link = (id, text) => el("a", { href: `#${id}` }, text);

function parameters(list) {
  if (list.length === 0) return null;
  const rows = list.map(({ name, place, type, about }) =>
    el("tr", {}, el("td", {}, el("code", {}, name)), el("td", {}, place), el("td", {}, type), el("td", {}, about)));
  const head = el("tr", {}, ["Parameter", "In", "Type", "What it says"].map((text) => el("th", { scope: "col" }, text)));
  return [el("h3", {}, "Parameters"), el("table", {}, el("thead", {}, head), el("tbody", {}, rows))];
}

function bodies(title, list) {
  return list.map(({ media, shape }) => [el("h3", {}, `${title}: ${media}`), shape === "" ? null : el("pre", {}, shape)]);
}

function section(operation) {
  const { id, method, path, summary } = operation;
  const head = el("summary", {}, el("span", { class: "method" }, method), el("span", { class: "path" }, path),
    el("span", { class: "about" }, summary));
  const inside = el("div", { class: "inside" }, parameters(operation.parameters), bodies("Sent", operation.sent),
    bodies("Answered", operation.answered));
  return el("details", { id }, head, inside);
}

function draw(spec) {
  const all = operations(spec);
  const tags = spec.tags.map(({ name, description }) => ({ name, description, own: all.filter((o) => o.tag === name) }));
  byId("contents").append(el("ul", {}, all.map((o) => el("li", {}, link(o.id, `${o.method.toUpperCase()} ${o.path}`)))));
  byId("operations").append(...tags.flatMap(({ name, description, own }) =>
    [el("h2", {}, name), el("p", {}, description), ...own.map(section)]));
  open();
}

/** The operation that the address names is open. */
function open() {
  const target = location.hash.length > 1 ? byId(location.hash.slice(1)) : null;
  if (target?.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", open);
try {
  const answer = await fetch("/openapi.json", { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`the collector answers ${answer.status}`);
  draw(await answer.json());
} catch (error) {
  byId("operations").append(el("p", {}, `The interface cannot be shown: ${error.message}. Reload the page.`));
}
