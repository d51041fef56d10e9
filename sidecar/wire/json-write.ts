/** JSON text as Go's encoder writes it, and objects with some members exchanged. */
import { type JsonObject, memberOf } from "./json-text.js";

/**
 * Go escapes these for the sake of HTML, and two line ends for the sake of JavaScript. Source: encoding/json,
 * Encoder.SetEscapeHTML.
 */
const ESCAPED = /[<>&\u2028\u2029]/g;

/** A text or a value without numbers above 2^53, as Go writes it: no white space, `<`, `>` and `&` as `\u003c` and so on. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Key -> JSON text of its new value; undefined removes the member, all of them when the key comes twice. */
export type MemberChanges = ReadonlyMap<string, Buffer | undefined>;

const COMMA = Buffer.from(",");
const OPEN = Buffer.from("{");
const CLOSE = Buffer.from("}");

/**
 * The object with some members exchanged; those that stay keep every byte, white space included. A new member comes before
 * the first one with a greater key, as Go's maps are sorted; behind all others when there is none.
 */
export function rewriteObject(bytes: Buffer, object: JsonObject, changes: MemberChanges): Buffer {
  const members: { readonly key: string; readonly text: Buffer }[] = [];
  for (const member of object.members) {
    const { key, whole, valueStart, valueEnd } = member;
    if (!changes.has(key) || (changes.get(key) !== undefined && memberOf(object, key) !== member)) {
      members.push({ key, text: bytes.subarray(whole.start, whole.end) });
      continue;
    }
    const value = changes.get(key);
    if (value === undefined) continue;
    const around = [bytes.subarray(whole.start, valueStart), bytes.subarray(valueEnd, whole.end)];
    members.push({ key, text: Buffer.concat([...around.slice(0, 1), value, ...around.slice(1)]) });
  }
  for (const [key, value] of changes) {
    if (value === undefined || memberOf(object, key) !== undefined) continue;
    const place = members.findIndex((member) => compareUtf8(member.key, key) > 0);
    const text = Buffer.concat([Buffer.from(`${goJson(key)}:`), value]);
    members.splice(place < 0 ? members.length : place, 0, { key, text });
  }
  const parts = members.flatMap(({ text }, index) => (index === 0 ? [text] : [COMMA, text]));
  return Buffer.concat([OPEN, ...parts, CLOSE]);
}

/** The order of Go's strings: by bytes. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
