import { prefixEnd } from "../etcd/etcd.js";
import type { ObjectKey } from "../keys/resource.js";
import type { WriterParts } from "../writer/parts.js";

/** What is left in a Namespace, or of a CRD. */
export interface Left {
  /** `ours`: objects of this link, which are to go first or are still wanted; `foreign`: somebody else's, too. */
  readonly kind: "empty" | "ours" | "foreign";
}

const PAGE_KEYS = 1_000;
/** What controllers put into every Namespace, and what hangs on it. Events go with their Namespace and keep nobody. */
const MADE_BY_CONTROLLERS = [
  /^configmaps\/[^/]+\/kube-root-ca\.crt$/,
  /^serviceaccounts\/[^/]+\/default$/,
  /^events\//,
];

/**
 * Looks at every key of the destination: only so is a kind found that no rule and no CRD of the source knows. It is a rare
 * question, and keys without values are short.
 */
export class Emptiness {
  constructor(private readonly parts: WriterParts) {}

  async of(at: ObjectKey): Promise<Left> {
    const isInside =
      at.resource.resource === "namespaces"
        ? (path: string): boolean =>
            path.split("/").at(-2) === at.name && !path.startsWith("namespaces/")
        : prefixOfCrd(at.name);
    let kind: Left["kind"] = "empty";
    for await (const path of this.#paths()) {
      if (!isInside(path) || MADE_BY_CONTROLLERS.some((one) => one.test(path))) continue;
      if (!this.parts.books.index.has(path)) return { kind: "foreign" };
      kind = "ours";
    }
    return { kind };
  }

  async *#paths(): AsyncGenerator<string, void> {
    const { destination, transactions } = this.parts;
    const { prefix } = destination.prefix;
    for (let key = prefix; ;) {
      const rangeEnd = prefixEnd(prefix);
      const page = await transactions.range({ key, rangeEnd, limit: PAGE_KEYS, keysOnly: true });
      for (const kv of page.kvs) yield destination.prefix.path(kv.key);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return;
      key = `${last.key}\0`;
    }
  }
}

/** "widgets.example.com" -> whether a path lies below "example.com/widgets/". */
function prefixOfCrd(name: string): (path: string) => boolean {
  const dot = name.indexOf(".");
  const prefix = `${name.slice(dot + 1)}/${name.slice(0, dot)}/`;
  return (path) => path.startsWith(prefix);
}
