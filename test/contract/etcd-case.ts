/** Short words for the contract suite of Etcd: each case has a prefix of its own. */
import { randomUUID } from "node:crypto";
import {
  type Etcd,
  EtcdError,
  type EtcdErrorKind,
  type KeyValue,
  prefixEnd,
  type TxnOp,
  type TxnResult,
  type WatchItem,
} from "../../sidecar/etcd/etcd.js";
import type { GetEtcd } from "./etcd-under-test.js";

export class EtcdCase {
  readonly prefix = `/contract/${randomUUID()}/`;
  readonly #ended = new AbortController();

  constructor(private readonly under: GetEtcd) {}

  get etcd(): Etcd {
    return this.under().etcd;
  }

  get call(): { readonly signal: AbortSignal } {
    return { signal: this.#ended.signal };
  }

  get all(): { readonly key: string; readonly rangeEnd: string } {
    return { key: this.prefix, rangeEnd: prefixEnd(this.prefix) };
  }

  key(name: string): string {
    return this.prefix + name;
  }

  putOp(name: string, value = "", lease?: bigint): TxnOp {
    return { kind: "put", key: this.key(name), value: Buffer.from(value), lease };
  }

  deleteOp(name: string): TxnOp {
    return { kind: "delete", key: this.key(name) };
  }

  /** One transaction without a condition. */
  run(...then: readonly TxnOp[]): Promise<TxnResult> {
    return this.etcd.txn({ compare: [], then, otherwise: [] }, this.call);
  }

  /** @returns the revision it was written at */
  async put(name: string, value = "", lease?: bigint): Promise<bigint> {
    return (await this.run(this.putOp(name, value, lease))).header.revision;
  }

  async get(name: string): Promise<KeyValue | undefined> {
    return (await this.etcd.range({ key: this.key(name) }, this.call)).kvs[0];
  }

  /** Names under the prefix. */
  names(kvs: readonly KeyValue[]): readonly string[] {
    return kvs.map(({ key }) => key.slice(this.prefix.length));
  }

  /** Follows the case's prefix from a revision on; ends with the case. */
  watch(from: bigint): WatchedCase {
    const { signal } = this.#ended;
    return new WatchedCase(this.etcd.watch({ range: this.all, from, signal }), this.prefix);
  }

  end(): void {
    this.#ended.abort();
  }
}

/** A watch that is read item by item. */
export class WatchedCase {
  readonly #iterator: AsyncIterator<WatchItem>;

  constructor(
    items: AsyncIterable<WatchItem>,
    private readonly prefix: string,
  ) {
    this.#iterator = items[Symbol.asyncIterator]();
  }

  async next(): Promise<WatchItem | undefined> {
    const { done, value } = await this.#iterator.next();
    return done === true ? undefined : value;
  }

  /** Reads on until so many events have come. @returns them as `put a=1`, `delete a` */
  async events(count: number): Promise<readonly string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const item = await this.next();
      if (item === undefined) break;
      if (item.kind !== "events") continue;
      for (const { kind, kv } of item.events) {
        const name = kv.key.slice(this.prefix.length);
        seen.push(kind === "put" ? `put ${name}=${kv.value.toString()}` : `delete ${name}`);
      }
    }
    return seen;
  }
}

/** What a call failed with. @throws when it did not, or with something else */
export async function kindOf(call: Promise<unknown>): Promise<EtcdErrorKind> {
  try {
    await call;
  } catch (error) {
    if (error instanceof EtcdError) return error.kind;
    throw error;
  }
  throw new Error("the call succeeded");
}
