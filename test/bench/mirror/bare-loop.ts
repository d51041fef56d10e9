/**
 * The bare minimum that a first copy is compared with: pages of 1,000 keys in, puts out, with the client that the mirror uses.
 * No rules, no ledger, no parsing, no comparison. `cold`: transactions of 128 puts, one after the other. `live`: one put in each
 * transaction, 64 of them in flight.
 *
 * Arguments: cold|live, source and destination (`http://host:port`), the first key, the end of the range.
 */
import "reflect-metadata";
import type { Etcd, KeyValue, TxnOp } from "../../../sidecar/etcd/etcd.js";
import { openRealEtcd } from "../../harness/open-etcd.js";

const PAGE = 1_000;
const PUTS = 128;
const IN_FLIGHT = 64;
const NEVER = new AbortController().signal;

const [mode = "", source = "", destination = "", first = "", rangeEnd = ""] = process.argv.slice(2);
const from = await openRealEtcd(source);
const to = await openRealEtcd(destination, { name: "destination" });

await copy(mode === "cold" ? putInBulk : putOneByOne);
await Promise.all([from.close(), to.close()]);

async function copy(put: (to: Etcd, page: readonly KeyValue[]) => Promise<void>): Promise<void> {
  let key = first;
  for (;;) {
    const { kvs, more } = await from.range({ key, rangeEnd, limit: PAGE }, { signal: NEVER });
    await put(to, kvs);
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    key = `${last.key}\0`;
  }
}

async function putInBulk(etcd: Etcd, page: readonly KeyValue[]): Promise<void> {
  for (let at = 0; at < page.length; at += PUTS) await write(etcd, page.slice(at, at + PUTS));
}

async function putOneByOne(etcd: Etcd, page: readonly KeyValue[]): Promise<void> {
  const waiting = page.values();
  const lane = async (): Promise<void> => {
    for (const kv of waiting) await write(etcd, [kv]);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function write(etcd: Etcd, kvs: readonly KeyValue[]): Promise<void> {
  const then = kvs.map(({ key, value }): TxnOp => ({ kind: "put", key, value }));
  await etcd.txn({ compare: [], then, otherwise: [] }, { signal: NEVER });
}
