/**
 * Where the members of JSON objects stand in their text. All that JSON means by its structure is ASCII, so bytes are looked
 * at, not characters, and a span found here can be cut out of the buffer without touching what is around it.
 *
 * The text must be JSON (parse.ts has seen to that); what is not ends in Malformed, never in an endless loop or beyond the end.
 */
import { Malformed, type Span } from "./protobuf.js";

/** One member of an object. */
export interface JsonMember {
  readonly key: string;
  /** The member with the white space around it, without commas. */
  readonly whole: Span;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** An object: `span` includes the braces. */
export interface JsonObject {
  readonly span: Span;
  /** In their order; a key may come twice. */
  readonly members: readonly JsonMember[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** The member that counts: Go and JSON.parse take the last of several with one key. */
export function memberOf(object: JsonObject, key: string): JsonMember | undefined {
  return object.members.findLast((member) => member.key === key);
}

export function isObjectAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_OBJECT;
}

export function isListAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === OPEN_LIST;
}

export function isTextAt(bytes: Buffer, at: number): boolean {
  return bytes[at] === QUOTE;
}

/** The object that begins at `start`. @throws Malformed */
export function objectAt(bytes: Buffer, start: number): JsonObject {
  if (!isObjectAt(bytes, start)) throw new Malformed("an object was expected");
  const members: JsonMember[] = [];
  let at = start + 1;
  if (bytes[skipSpace(bytes, at)] === CLOSE_OBJECT) {
    return { span: { start, end: skipSpace(bytes, at) + 1 }, members };
  }
  for (;;) {
    const member = memberAt(bytes, at);
    members.push(member);
    at = member.whole.end + 1;
    const after = bytes[member.whole.end];
    if (after === CLOSE_OBJECT) return { span: { start, end: at }, members };
    if (after !== COMMA) throw new Malformed("an object is cut off");
  }
}

/** The elements of the list that begins at `start`. @throws Malformed */
export function elementsAt(bytes: Buffer, start: number): readonly Span[] {
  const elements: Span[] = [];
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === CLOSE_LIST) return elements;
  for (;;) {
    const end = valueEnd(bytes, at);
    elements.push({ start: at, end });
    const after = skipSpace(bytes, end);
    if (bytes[after] === CLOSE_LIST) return elements;
    if (bytes[after] !== COMMA) throw new Malformed("a list is cut off");
    at = skipSpace(bytes, after + 1);
  }
}

/** The text of a string, its escapes resolved. */
export function textIn(bytes: Buffer, span: Span): string {
  const raw = bytes.toString("utf8", span.start + 1, span.end - 1);
  return raw.includes("\\") ? String(JSON.parse(`"${raw}"`)) : raw;
}

function memberAt(bytes: Buffer, from: number): JsonMember {
  const keyStart = skipSpace(bytes, from);
  if (!isTextAt(bytes, keyStart)) throw new Malformed("a member has no key");
  const keyEnd = stringEnd(bytes, keyStart);
  const colon = skipSpace(bytes, keyEnd);
  if (bytes[colon] !== COLON) throw new Malformed("a member has no value");
  const valueStart = skipSpace(bytes, colon + 1);
  const end = valueEnd(bytes, valueStart);
  return {
    key: textIn(bytes, { start: keyStart, end: keyEnd }),
    whole: { start: from, end: skipSpace(bytes, end) },
    valueStart,
    valueEnd: end,
  };
}

/** Counts brackets instead of descending: a deep value costs no stack. */
function valueEnd(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth++;
      at++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--;
      at++;
    } else if (depth > 0) {
      at++;
      continue;
    } else {
      return wordEnd(bytes, at);
    }
    if (depth === 0) return at;
  }
  throw new Malformed("a value is cut off");
}

/** The end of a number, `true`, `false` or `null`. */
function wordEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && !endsWord(bytes[at] ?? 0)) at++;
  if (at === start) throw new Malformed("a value is missing");
  return at;
}

function endsWord(byte: number): boolean {
  return isSpace(byte) || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST;
}

function stringEnd(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  throw new Malformed("a text is cut off");
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isSpace(bytes[at] ?? 0)) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
