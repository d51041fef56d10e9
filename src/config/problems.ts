/** What is wrong with a configuration: collected, never thrown, so that a user sees everything at once. */
import { printable } from "../ports/printable.js";

/** One mistake, in the words of whoever made it. */
export interface Problem {
  /** The setting as it was written: `--http-port`, `SVC_FERRY_HTTP_PORT`, `ferry.yaml:12 routes[0].selector`. */
  readonly setting: string;
  /** undefined when nothing was written. */
  readonly value: string | undefined;
  /** Follows the value in a sentence: "is not a number". */
  readonly reason: string;
  /** What would have been right; undefined when `reason` says it all. */
  readonly allowed: string | undefined;
  /** The name that was probably meant. */
  readonly suggestion: string | undefined;
}

export interface ProblemDetails {
  readonly value?: string | undefined;
  readonly allowed?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** A problem without the parts that are not known. */
export function problem(setting: string, reason: string, details: ProblemDetails = {}): Problem {
  return {
    setting,
    reason,
    value: details.value,
    allowed: details.allowed,
    suggestion: details.suggestion,
  };
}

/** One line for a person: `--http-port: "abc" is not a whole number; allowed: 0 to 65535`. Safe to print. */
export function problemLine({ setting, value, reason, allowed, suggestion }: Problem): string {
  const subject = value === undefined ? "" : `"${value}" `;
  const rule = allowed === undefined ? "" : `; allowed: ${allowed}`;
  const hint = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  return printable(`${setting}: ${subject}${reason}${rule}${hint}`, 1_000);
}
