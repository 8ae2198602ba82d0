// Keys of the page. Inside fields only Escape acts; with a modifier nothing does.

/** `actions`: search, move(step), close, pause. */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const field = event.target.closest("input, select, textarea");
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    // Arrows belong to what scrolls, once somebody is in there.
    const arrows = !event.target.closest(".waterfall, .detail, #routes");
    const act = {
      "/": () => actions.search(),
      Escape: () => actions.close(),
      p: () => actions.pause(),
      j: () => actions.move(1),
      k: () => actions.move(-1),
      ArrowDown: arrows ? () => actions.move(1) : undefined,
      ArrowUp: arrows ? () => actions.move(-1) : undefined,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
