import type { NamespaceIndex } from "../rules/ruleset.js";

interface Entry {
  /** undefined: there is no such Namespace, or its labels were never known. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly revision: bigint;
  /** It is there, and could not be read. */
  readonly isUnread: boolean;
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
    this.#entries.set(namespace, { labels, revision, isUnread: false });
    return before?.isUnread === true || !sameLabels(before?.labels, labels);
  }

  /** It is there, and nobody can read it now: until somebody can, it counts as labelled as it was. */
  sawUnread(namespace: string, revision: bigint): void {
    const before = this.#entries.get(namespace);
    if (before !== undefined && before.revision >= revision) return;
    this.#entries.set(namespace, { labels: before?.labels, revision, isUnread: true });
  }

  /** It is there, and nobody has ever known what it is labelled with. */
  isUnknown(namespace: string): boolean {
    const entry = this.#entries.get(namespace);
    return entry?.isUnread === true && entry.labels === undefined;
  }

  /**
   * A list at `revision` held exactly these.
   * @param all undefined: it could not be read
   */
  replace(
    all: ReadonlyMap<string, Readonly<Record<string, string>> | undefined>,
    revision: bigint,
  ): void {
    for (const [namespace, entry] of this.#entries) {
      if (!all.has(namespace) && entry.revision <= revision) this.#entries.delete(namespace);
    }
    for (const [namespace, labels] of all) {
      if (labels === undefined) this.sawUnread(namespace, revision);
      else this.set(namespace, labels, revision);
    }
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
