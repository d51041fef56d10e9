/** The first look at JSON that somebody else wrote. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** undefined for anything that is not JSON; `undefined` itself cannot be written in JSON, so nothing is confused. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // What a caller does without an answer is its decision; every one of them reports it.
    return undefined;
  }
}

/** "" for anything that is not a string. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
