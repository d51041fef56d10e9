import { prefixEnd } from "../etcd/etcd.js";
import type { ObjectKey } from "../keys/resource.js";
import type { WriterParts } from "../writer/parts.js";

/**
 * What is left in a Namespace, or of a CRD.
 * - `ours`: objects of this link, which are to go first or are still wanted
 * - `leftovers`: what the destination's controllers made for objects of ours and will clear away: slices of a Service, Pods
 * - `foreign`: somebody else's, too
 */
export interface Left {
  readonly kind: "empty" | "ours" | "leftovers" | "foreign";
}

const PAGE_KEYS = 1_000;
/** What controllers put into every Namespace, and what hangs on it. Events go with their Namespace and keep nobody. */
const MADE_BY_CONTROLLERS = [
  /^configmaps\/[^/]+\/kube-root-ca\.crt$/,
  /^serviceaccounts\/[^/]+\/default$/,
  /^events\//,
];
/** Endpoints have no owner; their controller removes them with their Service. */
const ENDPOINTS = "services/endpoints/";

/**
 * Looks at the destination's keys, not at its API: only so is a kind found that nobody serves any more. From resource to
 * resource it jumps, so the cost follows the number of resources and of what is in the Namespace, not of all keys.
 */
export class Emptiness {
  constructor(private readonly parts: WriterParts) {}

  async of(at: ObjectKey): Promise<Left> {
    let kind: Left["kind"] = "empty";
    for await (const path of this.#inside(at)) {
      if (MADE_BY_CONTROLLERS.some((one) => one.test(path))) continue;
      if (this.parts.books.index.has(path)) {
        kind = "ours";
      } else if (!(await this.#isLeftover(path))) {
        return { kind: "foreign" };
      } else if (kind === "empty") {
        kind = "leftovers";
      }
    }
    return { kind };
  }

  /** A controller made it, or it is going already. What cannot be read counts as somebody's. */
  async #isLeftover(path: string): Promise<boolean> {
    if (path.startsWith(ENDPOINTS)) return true;
    const { destination, transactions, view, sourcePrefix } = this.parts;
    const at = view.catalog.fromKey(sourcePrefix.key(path));
    const [kv] = await transactions.read([destination.prefix.key(path)]);
    if (kv === undefined) return true;
    if (at === undefined) return false;
    const opened = await destination.open(kv, at.resource);
    if (opened.kind === "unreadable") return false;
    const { deleting, ownerReferences, annotations } = opened.object.meta;
    const isToken = annotations["kubernetes.io/service-account.name"] === "default";
    return deleting || isToken || ownerReferences.some(({ controller }) => controller === true);
  }

  async *#inside({ resource, name }: ObjectKey): AsyncGenerator<string, void> {
    if (resource.resource !== "namespaces") {
      // "widgets.example.com": "example.com/widgets/".
      const dot = name.indexOf(".");
      yield* this.#paths(`${name.slice(dot + 1)}/${name.slice(0, dot)}/`);
      return;
    }
    for await (const path of this.#resources()) yield* this.#paths(`${path}/${name}/`);
  }

  /** Where resources lie: one segment, or two below a group's name and `services`, as Catalog reads keys. */
  async *#resources(): AsyncGenerator<string, void> {
    const { destination, transactions } = this.parts;
    const { prefix } = destination.prefix;
    const rangeEnd = prefixEnd(prefix);
    for (let key = prefix; ;) {
      const { kvs } = await transactions.range({ key, rangeEnd, limit: 1, keysOnly: true });
      const [kv] = kvs;
      if (kv === undefined) return;
      const [first = "", second = ""] = destination.prefix.path(kv.key).split("/");
      const path = first === "services" || first.includes(".") ? `${first}/${second}` : first;
      yield path;
      key = prefixEnd(`${prefix}${path}/`);
    }
  }

  async *#paths(below: string): AsyncGenerator<string, void> {
    const { destination, transactions } = this.parts;
    const begin = destination.prefix.key(below);
    const rangeEnd = prefixEnd(begin);
    for (let key = begin; ;) {
      const page = await transactions.range({ key, rangeEnd, limit: PAGE_KEYS, keysOnly: true });
      for (const kv of page.kvs) yield destination.prefix.path(kv.key);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return;
      key = `${last.key}\0`;
    }
  }
}
