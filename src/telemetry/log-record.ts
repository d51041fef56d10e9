/** What one record may carry: plain, short, harmless values. Both formats print exactly this. */
import type { LogFields, LogRoute } from "../ports/log.js";
import { MAX_UNTRUSTED_CHARS, printable } from "../ports/printable.js";
import { isSecretName, redacted, REDACTED } from "./redact.js";

/** A field's value after cleaning. */
export type Plain =
  string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface LogRecord {
  readonly route: LogRoute | undefined;
  /** The sentence for people, in place of the constant message. */
  readonly text: string | undefined;
  readonly fields: Readonly<Record<string, Plain>>;
}

/** `text` lists names; 1,024 shows some forty of them. */
const MAX_TEXT_CHARS = 1_024;
/** Longest text that is searched for secrets: far more than is printed, far less than would hold up the process. */
const MAX_SEARCHED_CHARS = 4_096;
const MAX_STACK_CHARS = 2_048;
const MAX_ENTRIES = 32;
const MAX_DEPTH = 4;

/** Cleans the fields of one record: secrets out, strangers' text escaped and cut, errors as fields. */
export function logRecord({ route, text, err, ...fields }: LogFields): LogRecord {
  const plain = plainFields(fields, 0);
  return {
    route: route && { from: harmless(route.from), to: harmless(route.to) },
    text: typeof text === "string" ? harmless(text, MAX_TEXT_CHARS) : undefined,
    fields: err === undefined ? plain : { ...plain, err: plainError(err, 0) },
  };
}

function plainFields(
  fields: Readonly<Record<string, unknown>>,
  depth: number,
): Readonly<Record<string, Plain>> {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .slice(0, MAX_ENTRIES)
    .map(([key, value]): [string, Plain] => [
      harmless(key),
      isSecretName(key) ? REDACTED : plainValue(value, depth),
    ]);
  return Object.fromEntries(entries);
}

function plainValue(value: unknown, depth: number): Plain {
  switch (typeof value) {
    case "string":
      return harmless(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "object":
      return value === null ? null : plainObject(value, depth);
    case "bigint":
    case "undefined":
    case "symbol":
    case "function":
      return harmless(String(value));
  }
}

function plainObject(value: object, depth: number): Plain {
  if (value instanceof Error) return plainError(value, depth);
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? "[…]" : "{…}";
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].slice(0, MAX_ENTRIES).map((item) => plainValue(item, depth + 1));
  }
  return plainFields(Object.fromEntries(Object.entries(value)), depth + 1);
}

/** Code, message, status and causes. The stack only of errors without a code: those are defects of ours. */
function plainError(error: unknown, depth: number): Plain {
  if (!(error instanceof Error)) return plainValue(error, depth + 1);
  const known: unknown = "code" in error ? error.code : undefined;
  const status: unknown = "status" in error ? error.status : undefined;
  const code = typeof known === "string" ? harmless(known) : undefined;
  return {
    name: harmless(error.name),
    ...(code === undefined ? {} : { code }),
    ...(typeof status === "number" ? { status } : {}),
    message: harmless(error.message),
    ...(error.cause === undefined
      ? {}
      : { cause: depth >= MAX_DEPTH ? "…" : plainError(error.cause, depth + 1) }),
    ...(code === undefined ? { stack: harmless(error.stack ?? "", MAX_STACK_CHARS) } : {}),
  };
}

function harmless(text: string, maxChars: number = MAX_UNTRUSTED_CHARS): string {
  return printable(redacted(text.slice(0, MAX_SEARCHED_CHARS)), maxChars);
}
