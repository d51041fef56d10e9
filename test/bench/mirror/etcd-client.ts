/** The benchmark's own view of an etcd: what it needs to fill one and to look how far a copy is. */
import { type Etcd, prefixEnd, type TxnOp } from "../../../sidecar/etcd/etcd.js";
import { openRealEtcd } from "../../harness/open-etcd.js";
import type { Stored } from "./config-maps.js";

const PUTS = 128;
const CALL = { signal: new AbortController().signal };

export class EtcdClient {
  private constructor(
    readonly address: string,
    private readonly etcd: Etcd,
  ) {}

  /** @param address `http://host:port` */
  static async open(address: string): Promise<EtcdClient> {
    return new EtcdClient(address, await openRealEtcd(address));
  }

  async put(stored: Stored): Promise<void> {
    await this.#write([stored]);
  }

  async putAll(stored: Iterable<Stored>): Promise<void> {
    let batch: Stored[] = [];
    for (const each of stored) {
      batch.push(each);
      if (batch.length < PUTS) continue;
      await this.#write(batch);
      batch = [];
    }
    if (batch.length > 0) await this.#write(batch);
  }

  async count(prefix: string): Promise<number> {
    const range = { key: prefix, rangeEnd: prefixEnd(prefix), countOnly: true };
    return Number((await this.etcd.range(range, CALL)).count);
  }

  /** Keys below `prefix` whose last write came after `revision`. */
  async writtenSince(prefix: string, revision: bigint): Promise<number> {
    const range = { key: prefix, rangeEnd: prefixEnd(prefix), keysOnly: true };
    const { kvs } = await this.etcd.range(range, CALL);
    return kvs.filter(({ modRevision }) => modRevision > revision).length;
  }

  async revision(): Promise<bigint> {
    return (await this.etcd.revision(CALL)).revision;
  }

  /** Calls `seen` for each put below `prefix` from now on; resolves when the watch is open. `stop` ends it. */
  async watch(
    prefix: string,
    seen: (key: string, value: Buffer) => void,
  ): Promise<{ stop(): Promise<void> }> {
    const over = new AbortController();
    const from = (await this.revision()) + 1n;
    const range = { key: prefix, rangeEnd: prefixEnd(prefix) };
    const watching = (async () => {
      for await (const item of this.etcd.watch({ range, from, signal: over.signal })) {
        if (item.kind !== "events") continue;
        for (const { kind, kv } of item.events) if (kind === "put") seen(kv.key, kv.value);
      }
    })();
    return {
      stop: async () => {
        over.abort();
        await watching;
      },
    };
  }

  async close(): Promise<void> {
    await this.etcd.close();
  }

  async #write(stored: readonly Stored[]): Promise<void> {
    const then = stored.map(({ key, value }): TxnOp => ({ kind: "put", key, value }));
    await this.etcd.txn({ compare: [], then, otherwise: [] }, CALL);
  }
}
