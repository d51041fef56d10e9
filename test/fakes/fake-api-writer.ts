import type {
  ApiApplied,
  ApiObject,
  ApiRemoved,
  ApiTerm,
  ApiUnavailable,
  ApiWanted,
  ApiWriter,
  RemovePreconditions,
} from "../../sidecar/api/api-writer.js";
import { transaction } from "../../sidecar/etcd/transaction.js";
import type { FakeEtcd } from "./fake-etcd.js";

const AWAY: ApiUnavailable = { kind: "unavailable", isAway: true, detail: "FERRY-K001" };
const FOREVER = new AbortController().signal;

/** An API server on an etcd in memory, for objects in JSON, which a test takes away, holds up or makes refuse. */
export class FakeApiWriter implements ApiWriter {
  /** What was asked, in order, answered or not: `apply /registry/configmaps/shop/web`. */
  readonly calls: string[] = [];
  isDown = false;
  /** Answers come when this is resolved. */
  held: Promise<void> = Promise.resolve();
  /** Names of objects that are somebody else's. */
  readonly native = new Set<string>();
  /** Names of objects that it says no to. */
  readonly refused = new Set<string>();
  /** Names of objects that somebody has changed, and where that is only reported. */
  readonly drifted = new Set<string>();
  #uids = 0;

  constructor(private readonly etcd: FakeEtcd) {}

  async apply(at: ApiObject, { object }: ApiWanted, term: ApiTerm): Promise<ApiApplied> {
    await this.#asked("apply", at, term);
    if (this.isDown) return AWAY;
    if (this.native.has(at.name)) return { kind: "occupied" };
    if (this.refused.has(at.name)) return { kind: "refused", detail: "FERRY-K003" };
    if (this.drifted.has(at.name)) return { kind: "drifted", fields: ["spec.selector"] };
    const before = this.#meta(at);
    const uid = before?.uid ?? `api-${(this.#uids += 1)}`;
    const stored = { ...JSON.parse(object.bytes.toString()) };
    const value = { ...stored, metadata: { ...stored.metadata, uid } };
    const put = { kind: "put", key: keyOf(at), value: Buffer.from(JSON.stringify(value)) } as const;
    const { header } = await this.etcd.txn(transaction([], [put], []), { signal: FOREVER });
    return {
      kind: "applied",
      uid,
      resourceVersion: String(header.revision),
      written: true,
      repaired: [],
    };
  }

  async remove(at: ApiObject, only: RemovePreconditions, term: ApiTerm): Promise<ApiRemoved> {
    await this.#asked("remove", at, term);
    if (this.isDown) return AWAY;
    if (this.#meta(at)?.uid !== only.uid) return { kind: "removed" };
    const gone = { kind: "delete", key: keyOf(at) } as const;
    await this.etcd.txn(transaction([], [gone], []), { signal: FOREVER });
    return { kind: "removed" };
  }

  async release(at: ApiObject, _: RemovePreconditions, term: ApiTerm): Promise<ApiRemoved> {
    await this.#asked("release", at, term);
    return this.isDown ? AWAY : { kind: "removed" };
  }

  async #asked(what: string, at: ApiObject, { signal }: ApiTerm): Promise<void> {
    this.calls.push(`${what} ${keyOf(at)}`);
    await this.held;
    signal.throwIfAborted();
  }

  #meta(at: ApiObject): { readonly uid?: string } | undefined {
    const kv = this.etcd.store.get(keyOf(at));
    return kv === undefined ? undefined : JSON.parse(kv.value.toString()).metadata;
  }
}

function keyOf({ resource, namespace, name }: ApiObject): string {
  return `/registry/${resource.path}/${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
