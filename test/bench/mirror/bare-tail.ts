/**
 * The bare minimum that a tail is compared with: one watch of the source, one put in a transaction of its own for each of its events,
 * as soon as it comes, with the client that the mirror uses. No rules, no ledger, no parsing, no comparison; two changes of one key may
 * overtake each other.
 *
 * Arguments: source and destination (`http://host:port`), the first key, the end of the range. Writes the first key's prefix with
 * `ready` behind it into the destination when it watches.
 */
import "reflect-metadata";
import type { KeyValue } from "../../../sidecar/etcd/etcd.js";
import { openRealEtcd } from "../../harness/open-etcd.js";

const CALL = { signal: new AbortController().signal };

const [source = "", destination = "", key = "", rangeEnd = ""] = process.argv.slice(2);
const from = await openRealEtcd(source);
const to = await openRealEtcd(destination, { name: "destination" });
const { revision } = await from.revision(CALL);
const watch = from.watch({ range: { key, rangeEnd }, from: revision + 1n, signal: CALL.signal });
await put({ key: `${key}ready`, value: Buffer.from("ready") });
for await (const item of watch) {
  if (item.kind !== "events") continue;
  for (const { kv } of item.events) put(kv).catch(fail);
}

async function put({ key: at, value }: Pick<KeyValue, "key" | "value">): Promise<void> {
  const then = [{ kind: "put", key: at, value }] as const;
  await to.txn({ compare: [], then, otherwise: [] }, CALL);
}

function fail(error: unknown): void {
  throw error;
}
