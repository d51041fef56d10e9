import type { NamespaceIndex } from "../rules/ruleset.js";

interface Entry {
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly revision: bigint;
}

/** What the source's Namespaces are labelled with now. An older word about one never replaces a newer one. */
export class SourceNamespaces implements NamespaceIndex {
  readonly #entries = new Map<string, Entry>();

  labels(namespace: string): Readonly<Record<string, string>> | undefined {
    return this.#entries.get(namespace)?.labels;
  }

  /**
   * @param labels undefined: there is no such Namespace
   * @returns whether rules may judge its objects differently now
   */
  set(
    namespace: string,
    labels: Readonly<Record<string, string>> | undefined,
    revision: bigint,
  ): boolean {
    const before = this.#entries.get(namespace);
    if (before !== undefined && before.revision >= revision) return false;
    this.#entries.set(namespace, { labels, revision });
    return !sameLabels(before?.labels, labels);
  }

  /** A list at `revision` held exactly these. */
  replace(all: ReadonlyMap<string, Readonly<Record<string, string>>>, revision: bigint): void {
    for (const [namespace, entry] of this.#entries) {
      if (!all.has(namespace) && entry.revision <= revision) this.#entries.delete(namespace);
    }
    for (const [namespace, labels] of all) this.set(namespace, labels, revision);
  }
}

function sameLabels(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  if (a === undefined || b === undefined) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
