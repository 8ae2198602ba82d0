// The list's memory: pages of entries, newest first, put together without gaps and within a bound. Pure.

/** How many entries the page keeps. */
export const MOST = 2_000;

export function createFeed(most = MOST) {
  let entries = [];
  // Where the next older page begins, by the entry after which it begins; null where nothing is older.
  let cursors = new Map();

  const tail = () => entries.at(-1)?.id;

  const remember = (page) => {
    if (page.logs.length > 0) cursors.set(page.logs.at(-1).id, page.next_cursor ?? null);
  };

  // Cuts at a known cursor only, so that "older" goes on without a gap.
  const trim = () => {
    if (entries.length <= most) return;
    let cut = Math.min(most, entries.length) - 1;
    while (cut > 0 && !cursors.has(entries[cut].id)) cut -= 1;
    if (cut === 0) return;
    for (const gone of entries.splice(cut + 1)) cursors.delete(gone.id);
  };

  // Entries that a refresh took away leave their cursors behind.
  const sweep = () => {
    if (cursors.size <= entries.length) return;
    const present = new Set(entries.map((entry) => entry.id));
    cursors = new Map([...cursors].filter(([id]) => present.has(id)));
  };

  return {
    get entries() {
      return entries;
    },
    /** The cursor of the next older page, or null: none, or the bound is reached. */
    get cursor() {
      return entries.length < most ? (cursors.get(tail()) ?? null) : null;
    },
    get full() {
      return entries.length >= most && cursors.get(tail()) != null;
    },
    /** Forgets everything and begins with this page. */
    restart(page) {
      entries = [...page.logs];
      cursors = new Map();
      remember(page);
    },
    /** How many entries of a first page are not in the list yet. */
    unseen(page) {
      const known = new Set(entries.map((entry) => entry.id));
      return page.logs.filter((entry) => !known.has(entry.id)).length;
    },
    /**
     * Takes the first page anew: it is right about everything down to its last entry (late arrivals, entries
     * that went), and what the list holds below stays. A page that does not reach the list replaces it.
     */
    refresh(page) {
      const place = new Map(entries.map((entry, index) => [entry.id, index]));
      const meeting = page.logs.findLast((entry) => place.has(entry.id));
      if (meeting === undefined) {
        this.restart(page);
        return;
      }
      const fresh = new Set(page.logs.map((entry) => entry.id));
      const below = entries.slice(place.get(meeting.id) + 1).filter((entry) => !fresh.has(entry.id));
      // The page ends the list for good: nothing older is stored any more.
      entries = page.next_cursor ? [...page.logs, ...below] : [...page.logs];
      remember(page);
      trim();
      sweep();
    },
    /** Puts an entry in the place of another, or only takes that one out. */
    replace(id, entry = null) {
      const at = entries.findIndex((known) => known.id === id);
      if (at < 0) return;
      const there = entry === null || entries.some((known) => known.id === entry.id);
      entries = entries.toSpliced(at, 1, ...(there ? [] : [entry]));
      // Where a page ended with it, that page ends with what stands there now.
      const end = there ? entries[at - 1]?.id : entry.id;
      if (cursors.has(id) && end !== undefined) cursors.set(end, cursors.get(id));
      cursors.delete(id);
    },
    /** Adds the page that follows the last entry. */
    extend(page) {
      const known = new Set(entries.map((entry) => entry.id));
      entries.push(...page.logs.filter((entry) => !known.has(entry.id)));
      if (page.logs.length > 0) cursors.set(tail(), page.next_cursor ?? null);
      else if (entries.length > 0) cursors.set(tail(), null);
    },
  };
}
