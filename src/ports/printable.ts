/**
 * Text of strangers (names, messages of other servers, values of a user) made safe for one line of a log or a
 * terminal: nothing in it can end the line, move the cursor, change the reading direction or grow without bound.
 */

/** Longest untrusted value that is shown, characters. */
export const MAX_UNTRUSTED_CHARS = 256;

/**
 * Control characters, format characters (bidirectional marks, zero-width ones, tags, the byte order mark), lone
 * surrogates, line and paragraph separators. See "Trojan Source" (CVE-2021-42574).
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Most text, and not worth a search by character class. */
const PLAIN = /^[\x20-\x7e]*$/;

/** `text` with unsafe characters spelled as `\n`, `\t`, `\u202e` …, cut to `maxChars` (the cut shows as `…`). */
export function printable(text: string, maxChars: number = MAX_UNTRUSTED_CHARS): string {
  if (text.length <= maxChars && PLAIN.test(text)) return text;
  const escaped = text.slice(0, maxChars + 1).replaceAll(UNSAFE, spelled);
  return escaped.length <= maxChars && text.length <= maxChars
    ? escaped
    : `${escaped.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function spelled(unsafe: string): string {
  const units = Array.from({ length: unsafe.length }, (_, index) => unsafe.charCodeAt(index));
  return SHORT[unsafe] ?? units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
