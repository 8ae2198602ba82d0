// Theme: the system's, until somebody chooses the other. Runs before the first paint.
"use strict";
(() => {
  const STORED = "hoplog.theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Storage may be forbidden; then the choice lasts as long as the page.
  let chosen = null;
  try {
    chosen = localStorage.getItem(STORED);
  } catch {}
  const theme = () => (chosen === "dark" || chosen === "light" ? chosen : dark.matches ? "dark" : "light");
  const apply = () => document.documentElement.setAttribute("data-theme", theme());

  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    // The page of the interface has no such button.
    document.getElementById("theme")?.addEventListener("click", () => {
      const other = theme() === "dark" ? "light" : "dark";
      // Choosing what the system says anyway means following it again.
      chosen = other === (dark.matches ? "dark" : "light") ? null : other;
      try {
        if (chosen) localStorage.setItem(STORED, chosen);
        else localStorage.removeItem(STORED);
      } catch {}
      apply();
    });
  });
})();
