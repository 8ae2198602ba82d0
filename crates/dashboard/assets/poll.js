// When to ask again: every interval after the last answer, only while the tab is visible, less often while
// the collector is away. One question at a time.

/**
 * `run()` does one round and may throw; `onState("live" | "paused" | "hidden" | "away", error?)` hears of changes.
 * `clock` has setTimeout and clearTimeout; `page` is the document.
 */
export function createPoller({
  run,
  onState,
  interval = 2_000,
  slowest = 15_000,
  clock = globalThis,
  page = document,
}) {
  let timer = null;
  let running = false;
  let again = false;
  let paused = false;
  let wait = interval;

  const asleep = () => paused || page.hidden;
  const stop = () => {
    clock.clearTimeout(timer);
    timer = null;
  };

  async function round() {
    stop();
    if (running) {
      again = true;
      return;
    }
    running = true;
    let failure = null;
    try {
      await run();
    } catch (error) {
      failure = error;
    }
    running = false;
    wait = failure ? Math.min(wait * 2, slowest) : interval;
    if (failure) onState("away", failure);
    else onState(paused ? "paused" : page.hidden ? "hidden" : "live");
    if (again) {
      again = false;
      await round();
    } else if (!asleep()) {
      timer = clock.setTimeout(round, wait);
    }
  }

  page.addEventListener("visibilitychange", () => {
    if (page.hidden) stop();
    else if (!paused) round();
  });

  return {
    /** Asks at once, even while paused. */
    now: round,
    get paused() {
      return paused;
    },
    pause(on) {
      paused = on;
      if (!on) return round();
      stop();
      return onState("paused");
    },
  };
}
