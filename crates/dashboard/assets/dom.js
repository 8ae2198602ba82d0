// Elements out of values. Everything here ends in text nodes: there is no way from a string to markup.

import { splitHidden, visible } from "./format.js";

/** The element with this id; a page without it is a different page. */
export const byId = (id) => document.getElementById(id);

/**
 * A text whose hidden characters stand as small named boxes. `lines` keeps line breaks and tabs,
 * for a place that shows them.
 */
export function shown(value, { lines = false } = {}) {
  const fragment = document.createDocumentFragment();
  for (const part of splitHidden(String(value), lines)) {
    if (part.name === undefined) {
      fragment.append(part.text);
    } else {
      const box = document.createElement("span");
      box.className = "ctl";
      box.textContent = part.name;
      fragment.append(box);
    }
  }
  return fragment;
}

/**
 * `el("td", { class: "number" }, "text", node, null)`. Strings are shown with `shown`, so log content may be
 * passed as it came. Attributes that could carry script or style are refused.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (/^on|^style$|^src/i.test(name)) throw new TypeError(`attribute ${name} is not for el()`);
    if (name === "href" && !value.startsWith("#")) throw new TypeError("links stay on this page");
    element.setAttribute(name, value === true ? "" : visible(String(value)));
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : shown(child));
  }
  return element;
}

/** Sets a custom property through CSSOM, which a strict style-src allows. */
export function setVar(element, name, value) {
  element.style.setProperty(name, value);
}

/** The shape that goes with a tone; the tone's class stands on the parent. */
export const mark = () => el("span", { class: "mark", "aria-hidden": "true" });

/**
 * Makes `parent`'s children exactly `nodes`, in order, moving only what is out of place: focus, selection and
 * scroll anchor of what stays are kept.
 */
export function place(parent, nodes) {
  const keep = new Set(nodes);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const node of nodes) {
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
}

/** True where a click belongs to a text selection or a modifier, not to the row. */
export function isPlainClick(event) {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !modified && (getSelection()?.isCollapsed ?? true);
}
