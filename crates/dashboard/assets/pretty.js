// JSON text, indented. Works on the text itself: digits, escapes and order stay as they were sent, and a text that was
// cut short is indented as far as it goes. Pure.

const INDENT = "  ";
/** Deeper levels are not moved further to the right. */
const DEEPEST = 20;

/** `{"a":[1,2]}` with a line per member; null where the text is no JSON object or array, cut short or not. */
export function indented(text) {
  if (!/^\s*[[{]/.test(text)) return null;
  const pieces = [];
  const open = [];
  const line = () => pieces.push("\n", INDENT.repeat(Math.min(open.length, DEEPEST)));
  // A text (cut short or not), a bracket or sign, blanks, or a number or word.
  const tokens = text.matchAll(/"(?:[^"\\]|\\[^])*(?:"|\\?$)|[[\]{},:]|\s+|[^\s"[\]{},:]+/g);
  let before = "";
  for (const [token] of tokens) {
    const first = token[0];
    if (/\s/.test(first)) continue;
    if (open.length === 0 && before !== "") return null;
    if (first === "}" || first === "]") {
      if (open.pop() !== first) return null;
      if (before !== "{" && before !== "[") line();
      pieces.push(token);
    } else {
      if (before === "{" || before === "[" || before === ",") line();
      pieces.push(first === ":" ? ": " : token);
      if (first === "{" || first === "[") open.push(first === "{" ? "}" : "]");
    }
    before = first;
  }
  return pieces.join("");
}
