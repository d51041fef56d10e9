/** The benchmark's own view of an etcd: what it needs to fill one and to look how far a copy is. */
import { Etcd3 } from "etcd3";
import type { Stored } from "./config-maps.js";

const PUTS = 128;

export class EtcdClient {
  readonly #etcd: Etcd3;

  /** @param address `http://host:port` */
  constructor(readonly address: string) {
    this.#etcd = new Etcd3({ hosts: address });
  }

  async put({ key, value }: Stored): Promise<void> {
    await this.#etcd.kv.put({ key: Buffer.from(key), value });
  }

  async putAll(stored: Iterable<Stored>): Promise<void> {
    let batch: Stored[] = [];
    const send = async (): Promise<void> => {
      const success = batch.map(({ key, value }) => ({
        request_put: { key: Buffer.from(key), value },
      }));
      batch = [];
      await this.#etcd.kv.txn({ success });
    };
    for (const each of stored) {
      batch.push(each);
      if (batch.length === PUTS) await send();
    }
    if (batch.length > 0) await send();
  }

  async get(key: string): Promise<Buffer | undefined> {
    const { kvs } = await this.#etcd.kv.range({ key: Buffer.from(key) });
    return kvs[0]?.value;
  }

  /** Keys that begin with `prefix`, written after `afterRevision`. */
  async count(prefix: string, afterRevision = "0"): Promise<number> {
    const { count } = await this.#etcd.kv.range({
      ...range(prefix),
      count_only: afterRevision === "0",
      keys_only: true,
      ...(afterRevision !== "0" && { min_mod_revision: String(BigInt(afterRevision) + 1n) }),
    });
    return Number(count);
  }

  /** Keys below `prefix` whose last write came after `revision`. */
  async writtenSince(prefix: string, revision: string): Promise<number> {
    const { kvs } = await this.#etcd.kv.range({ ...range(prefix), keys_only: true });
    return kvs.filter((kv) => BigInt(kv.mod_revision) > BigInt(revision)).length;
  }

  async revision(): Promise<string> {
    const { header } = await this.#etcd.kv.range({ key: Buffer.from("none"), count_only: true });
    return header.revision;
  }

  async clear(prefix: string): Promise<void> {
    await this.#etcd.kv.deleteRange(range(prefix));
  }

  /** Calls `seen` for each put below `prefix` from now on, in the tick in which it came. */
  async watch(
    prefix: string,
    seen: (key: string, value: Buffer) => void,
  ): Promise<() => Promise<void>> {
    const watcher = await this.#etcd.watch().prefix(prefix).create();
    watcher.on("put", (kv) => seen(kv.key.toString(), kv.value));
    return async () => watcher.cancel();
  }

  close(): void {
    this.#etcd.close();
  }
}

function range(prefix: string): { readonly key: Buffer; readonly range_end: Buffer } {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { key: Buffer.from(prefix), range_end: end };
}
