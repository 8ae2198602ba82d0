// What did not get here, in words, from `GET /api/v1/completeness`. Pure.

import { count, moment } from "./format.js";

const WORDS = {
  queue_full_newest: "queue full",
  queue_full_oldest: "queue full, oldest first",
  entry_too_large: "entry too large",
  spool_full_oldest: "spool full, oldest first",
  spool_full_newest: "spool full",
  spool_expired: "too long in the spool",
  spool_corrupt: "spool damaged",
  spool_io_error: "spool could not be written",
  server_rejected: "rejected by the collector",
  auth_rejected: "key rejected",
  shutdown_deadline: "no time left at shutdown",
  after_close: "logged after the end",
  poison: "never taken by the collector",
};

/** Lost before they had a place in the sequence: they leave no gap. */
const UNNUMBERED = [
  "queue_full_newest",
  "queue_full_oldest",
  "after_close",
  "rate_limited_local",
  "redaction_failed",
  "serialize_error",
];

export const reason = (name) => WORDS[name] ?? String(name).replaceAll("_", " ");

/** `14:03`, with the date where it is not today's. */
export function minute(seconds, now = Date.now()) {
  const at = moment(seconds, now);
  return at === null ? "an unknown time" : `${at.date === "" ? "" : `${at.date} `}${at.clock.slice(0, 5)}`;
}

const sum = (numbers) => numbers.reduce((all, n) => all + n, 0);

/** `[{at, service, text}]`, the latest first. */
export function notices(answer, now = Date.now()) {
  const found = (answer?.senders ?? []).flatMap((sender) => of(sender, now));
  return found.sort((a, b) => b.at - a.at);
}

function of(sender, now) {
  const service = sender.service ?? "unknown";
  const list = [];
  const say = (at, text) => list.push({ at, service, text });
  const told = new Map();
  // What one minute lost for one reason is one loss to whoever reads.
  const minutes = new Map();
  for (const loss of sender.losses ?? []) {
    told.set(loss.reason, (told.get(loss.reason) ?? 0) + loss.entries);
    const key = `${minute(loss.at, now)} ${loss.reason}`;
    const known = minutes.get(key);
    if (known) known.entries += loss.entries;
    else minutes.set(key, { ...loss });
  }
  for (const { at, entries, reason: why } of minutes.values()) {
    say(at, `${count(entries)} lost at ${minute(at, now)}, ${reason(why)}`);
  }
  const dropped = Object.entries(sender.dropped ?? {});
  for (const [why, entries] of dropped) {
    const rest = entries - (told.get(why) ?? 0);
    if (rest > 0) say(sender.last_seen, `${count(rest)} lost by ${minute(sender.last_seen, now)}, ${reason(why)}`);
  }
  // What has a number and is dropped is missing as well, and said above.
  const numbered = sum(dropped.filter(([why]) => !UNNUMBERED.includes(why)).map(([, entries]) => entries));
  const missing = sender.missing - numbered;
  const running = sender.ended === "running";
  // Of one that runs they may still come: no news that stands before the others.
  if (missing > 0 && running) say(sender.first_seen, `${count(missing)} sent and not here yet`);
  else if (missing > 0) say(sender.last_seen, `${count(missing)} sent and not here`);
  if (sender.ended === "abruptly") {
    const where = [sender.source?.host, sender.source?.pid].filter((part) => part !== undefined && part !== "");
    const who = where.length > 0 ? ` (${where.join(", process ")})` : "";
    const kept = `${count(sender.stored)} of its entries are here`;
    say(sender.last_seen, `ended abruptly after ${minute(sender.last_seen, now)}${who}: ${kept}, the last may be lost`);
  }
  return list;
}
