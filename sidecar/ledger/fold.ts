/**
 * Batches are how bulk transactions keep their books short: one record for all their objects. Everything else works with single
 * records, so batches are folded into those before anybody needs them: when a bulk copy ends, and when a link is opened.
 * Hence a deletion never meets a batch that still names its key.
 */
import { prefixEnd, type KeyValue } from "../etcd/etcd.js";
import type { Keyspace } from "../link/keyspace.js";
import type { Transactions } from "../writer/transactions.js";
import { decodeBatch, encodeRecord } from "./record.js";

/** Batches in one answer: each holds up to 126 records. */
const PAGE_BATCHES = 20;

/** @throws BookUnreadable, FenceLost */
export async function foldBatches(transactions: Transactions, keys: Keyspace): Promise<void> {
  const rangeEnd = prefixEnd(keys.batchPrefix);
  for (;;) {
    const { kvs } = await transactions.range({
      key: keys.batchPrefix,
      rangeEnd,
      limit: PAGE_BATCHES,
    });
    if (kvs.length === 0) return;
    await Promise.all(kvs.map((batch) => fold(transactions, keys, batch)));
  }
}

/** One transaction: afterwards either the batch says it or the single records do. A single record that exists is newer and stays. */
async function fold(transactions: Transactions, keys: Keyspace, batch: KeyValue): Promise<void> {
  const entries = decodeBatch(batch.value);
  const present = await transactions.read(entries.map(({ path }) => keys.own(path)));
  const singles = entries.filter((_, index) => present[index] === undefined);
  await transactions.commit({
    compare: [
      { key: batch.key, target: "mod", is: "=", value: batch.modRevision },
      ...singles.map(
        ({ path }) => ({ key: keys.own(path), target: "create", is: "=", value: 0n }) as const,
      ),
    ],
    write: [
      { kind: "delete", key: batch.key },
      ...singles.map(
        ({ path, record }) =>
          ({
            kind: "put",
            key: keys.own(path),
            value: encodeRecord({ ...record, destinationRevision: batch.modRevision }),
          }) as const,
      ),
    ],
    look: [],
  });
  // Whatever became of it, the next look at the batches tells.
}
