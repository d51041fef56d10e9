/** How the fields of a map are read: by names without regard to case, each other name a problem. */
import { suggest } from "../../src/config/suggest.js";
import type { YamlNode } from "./yaml-tree.js";

/** One of a few words; undefined when none is written, or, with a problem, another one. */
export function choice<T extends string>(
  node: YamlNode | undefined,
  known: readonly T[],
): T | undefined {
  const written = node?.text();
  if (node === undefined || written === undefined) return undefined;
  const found = known.find((one) => one === written);
  if (found === undefined) {
    node.problem(`"${written}" is not one of ${known.join(", ")}${meant(written, known)}`);
  }
  return found;
}

/** "" counts as not written: Go leaves a field empty in both cases. */
export function text(node: YamlNode | undefined): string | undefined {
  const written = node?.text();
  return written === "" ? undefined : written;
}

/** A map's fields by their names, in whatever case they are written; keys that are none of them are problems. */
export function fieldsOf<K extends string>(
  node: YamlNode,
  known: readonly K[],
): (key: K) => YamlNode | undefined {
  const found = new Map<string, YamlNode>();
  for (const [written, value] of node.entries((key) => key.toLowerCase()) ?? []) {
    const key = known.find((one) => one.toLowerCase() === written.toLowerCase());
    if (key !== undefined) found.set(key, value);
    else value.problem(`is not known here; known are ${known.join(", ")}${meant(written, known)}`);
  }
  return (key) => found.get(key);
}

/** "; did you mean kind?", or nothing. */
export function meant(written: string, known: Iterable<string>): string {
  const near = suggest(written, known);
  return near === undefined ? "" : `; did you mean ${near}?`;
}
