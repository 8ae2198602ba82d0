// The API key: asked for when the collector answers 401 or 403, kept in this tab's session storage, nowhere else.

import { byId } from "./dom.js";

const STORED = "hoplog.key";

/** `onKey()` after a key was given or forgotten. */
export function createKey({ onKey }) {
  const dialog = byId("key-dialog");
  const form = byId("key-form");
  const problem = byId("key-problem");
  const forget = byId("forget-key");
  let key = stored();
  forget.hidden = key === "";

  function stored() {
    try {
      return sessionStorage.getItem(STORED) ?? "";
    } catch {
      return "";
    }
  }

  function keep(value) {
    key = value;
    forget.hidden = key === "";
    // Forbidden storage means asking again after a reload, no more.
    try {
      if (key) sessionStorage.setItem(STORED, key);
      else sessionStorage.removeItem(STORED);
    } catch {}
  }

  function complain(text) {
    problem.textContent = text;
    problem.hidden = text === "";
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = form.elements.key.value.trim();
    if (!/^[\x21-\x7e]+$/.test(given)) {
      complain("A key has no spaces and only ASCII characters. Paste it again.");
      return;
    }
    keep(given);
    complain("");
    form.reset();
    dialog.close();
    onKey();
  });
  forget.addEventListener("click", () => {
    keep("");
    onKey();
  });

  return {
    /** The key, or "". */
    current: () => key,
    /** Asks; a key that was just refused is named as the reason. */
    ask() {
      if (key !== "") complain("The collector refused this key.");
      keep("");
      if (!dialog.open) dialog.showModal();
    },
  };
}
