/** Bytes of a stranger become JSON, or a reason why not. Costs little before it is known that they are worth more. */
import { isUtf8 } from "node:buffer";

export type JsonText =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "bad"; readonly reason: string };

/**
 * A review with its two objects is some 12 levels deep, 9 of them managedFields. Nobody nests a Service deeper; 7 MiB of "["
 * would be millions of objects and overflow the stack of whoever walks them.
 */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Brackets and braces differ in this bit only. */
const BRACE_BIT = 0x20;
const OPENING = 0x7b;
const CLOSING = 0x7d;

/** Text in which a key may be `__proto__`, also spelled with escapes of its letters. Only then it is looked for. */
const SUSPECT = /__proto__|\\u00[567]/;

/**
 * NB: `__proto__` as a key is refused whole. As the key of a label or an annotation Kubernetes has no such name (it begins
 * with "_"), so no valid object is lost, and what is copied key by key later cannot get a prototype from it. `constructor` and
 * `prototype` are lawful label keys and pass as the data that they are.
 */
export function readJson(body: Buffer): JsonText {
  if (body.length === 0) return bad("the body is empty");
  if (!isUtf8(body)) return bad("the body is not UTF-8");
  if (isTooDeep(body)) return bad(`the body is nested deeper than ${MAX_DEPTH} levels`);
  const text = body.toString("utf8");
  const value = parsed(text);
  if (value === undefined) return bad("the body is not JSON");
  return SUSPECT.test(text) && hasProtoKey(value)
    ? bad('the body has a key "__proto__"')
    : { kind: "json", value };
}

function bad(reason: string): JsonText {
  return { kind: "bad", reason };
}

/** undefined for what is not JSON; no JSON gives undefined itself. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message holds pieces of the body; the caller says that it is not JSON.
    return undefined;
  }
}

/** Before it is parsed, for what it would become in memory. */
function isTooDeep(body: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(body, at + 1);
    } else if ((byte | BRACE_BIT) === OPENING) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if ((byte | BRACE_BIT) === CLOSING) {
      depth -= 1;
    }
  }
  return false;
}

/** Where the quote stands that ends a string, or beyond all bytes. Most bytes of a review are in strings. */
function endOfString(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Recursion ends with MAX_DEPTH. */
function hasProtoKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Object.hasOwn(value, "__proto__")) return true;
  return Object.values(value).some(hasProtoKey);
}
