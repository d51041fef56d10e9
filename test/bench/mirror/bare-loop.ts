/**
 * The bare minimum that a first copy is compared with: pages of 1,000 keys in, puts out, with the client that the mirror uses.
 * No rules, no ledger, no parsing, no comparison. `cold`: transactions of 128 puts, one after the other. `live`: one put in each
 * transaction, 64 of them in flight.
 *
 * Arguments: cold|live, source and destination (`host:port`), the first key, the end of the range.
 */
import { Etcd3, type IKeyValue, type IRequestOp } from "etcd3";

const PAGE = 1_000;
const PUTS = 128;
const IN_FLIGHT = 64;

const [mode = "", source = "", destination = "", first = "", end = ""] = process.argv.slice(2);
const grpcOptions = { "grpc.max_receive_message_length": 64 * 1024 * 1024 };
const from = new Etcd3({ hosts: source, grpcOptions });
const to = new Etcd3({ hosts: destination, grpcOptions });

await copy(mode === "cold" ? putInBulk : putOneByOne);
from.close();
to.close();

async function copy(put: (page: readonly IKeyValue[]) => Promise<void>): Promise<void> {
  let key: Buffer = Buffer.from(first);
  for (;;) {
    const { kvs, more } = await from.kv.range({ key, range_end: Buffer.from(end), limit: PAGE });
    await put(kvs);
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    key = Buffer.concat([last.key, Buffer.from([0])]);
  }
}

async function putInBulk(page: readonly IKeyValue[]): Promise<void> {
  for (let at = 0; at < page.length; at += PUTS) {
    await to.kv.txn({ success: page.slice(at, at + PUTS).map(putOf) });
  }
}

async function putOneByOne(page: readonly IKeyValue[]): Promise<void> {
  const waiting = page.values();
  const lane = async (): Promise<void> => {
    for (const kv of waiting) await to.kv.txn({ success: [putOf(kv)] });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

function putOf({ key, value }: IKeyValue): IRequestOp {
  return { request_put: { key, value } };
}
