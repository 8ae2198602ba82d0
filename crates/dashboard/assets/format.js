// Values as text: numbers, times, sizes, and characters that would hide. Pure.

export const NONE = "–";

// Controls, format characters (bidi, zero width), lone surrogates, line separators and every other character
// that draws nothing; U+FE0F, which only picks an emoji's look, is left alone.
const HIDDEN = /(?!\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

const NAMES = new Map([
  [0x00, "NUL"],
  [0x07, "BEL"],
  [0x08, "BS"],
  [0x09, "⇥"],
  [0x0a, "⏎"],
  [0x0d, "CR"],
  [0x1b, "ESC"],
  [0x7f, "DEL"],
  [0x9b, "CSI"],
  [0xad, "SHY"],
  [0x200b, "ZWSP"],
  [0x200c, "ZWNJ"],
  [0x200d, "ZWJ"],
  [0x200e, "LRM"],
  [0x200f, "RLM"],
  [0x202a, "LRE"],
  [0x202b, "RLE"],
  [0x202c, "PDF"],
  [0x202d, "LRO"],
  [0x202e, "RLO"],
  [0x2066, "LRI"],
  [0x2067, "RLI"],
  [0x2068, "FSI"],
  [0x2069, "PDI"],
  [0xfeff, "BOM"],
]);

const nameOf = (character) => {
  const code = character.codePointAt(0);
  return NAMES.get(code) ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
};

/** Splits a text into `{text}` and `{name}` parts, the latter for each hidden character. */
export function splitHidden(text, lines = false) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (lines && (match[0] === "\n" || match[0] === "\t")) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push({ name: nameOf(match[0]) });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

/** The same as one string, for places that hold no elements (titles). */
export const visible = (text) => text.replace(HIDDEN, (character) => `‹${nameOf(character)}›`);

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** `12,345`. */
export const count = (value) => (isNumber(value) ? whole.format(value) : NONE);

/** `1,240.02`: milliseconds for a column, decimals under one another. */
export const millis = (value) => (isNumber(value) ? cents.format(value) : NONE);

/** `840 µs`, `12.3 ms`, `1.24 s`, `2 min 5 s`: a duration for a sentence. */
export function duration(ms) {
  if (!isNumber(ms)) return NONE;
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
}

/** `47 s`, `1m 40s`, `2h 05m`: how long something has lasted by now, in few characters. */
export function lasting(ms) {
  if (!isNumber(ms)) return NONE;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const [of, rest, units] =
    seconds < 3600 ? [Math.floor(seconds / 60), seconds % 60, "ms"] : [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), "hm"];
  return `${count(of)}${units[0]} ${two(rest)}${units[1]}`;
}

/** `0 B`, `1.5 KiB`, `3 MiB`. */
export function bytes(value) {
  if (!isNumber(value)) return NONE;
  let [size, unit] = [value, 0];
  while (size >= 1024 && unit < 4) [size, unit] = [size / 1024, unit + 1];
  return `${unit === 0 ? size : Number(size.toPrecision(3))} ${["B", "KiB", "MiB", "GiB", "TiB"][unit]}`;
}

/** `3.1 %`, and never `0 %` for something that happened. */
export function percent(part, of) {
  if (!isNumber(part) || !isNumber(of) || of <= 0) return NONE;
  const share = (100 * part) / of;
  if (share > 0 && share < 0.1) return "<0.1 %";
  return `${share.toFixed(1)} %`;
}

const two = (n) => String(n).padStart(2, "0");

/** Unix seconds as local time: `{date: "11-20" or "" for today, clock: "14:03:22", fraction: ".118"}`, or null. */
export function moment(seconds, now = Date.now()) {
  const at = new Date(isNumber(seconds) ? seconds * 1000 : NaN);
  if (Number.isNaN(at.getTime())) return null;
  const today = new Date(now).toDateString() === at.toDateString();
  return {
    date: today ? "" : `${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    clock: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    fraction: `.${String(at.getMilliseconds()).padStart(3, "0")}`,
  };
}

/** The same instant in full, UTC: `2025-11-20T13:03:22.118Z`. */
export function instant(seconds) {
  const at = new Date(isNumber(seconds) ? seconds * 1000 : NaN);
  return Number.isNaN(at.getTime()) ? NONE : at.toISOString();
}

/** Any value for one line: a text as it is, all else as JSON. */
export const inLine = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** `body_aborted` as `body aborted`. */
export const words = (value) => (typeof value === "string" && value !== "" ? value.replaceAll("_", " ") : "");
