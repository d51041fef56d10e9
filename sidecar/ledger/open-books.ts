/** Reads the books of a link after its fence was taken, so that nobody else changes them any more. */
import { decodeDebt } from "../debts/debt.js";
import { prefixEnd, type KeyValue } from "../etcd/etcd.js";
import type { Keyspace } from "../link/keyspace.js";
import { decodeState, type LinkState } from "../link/state.js";
import type { Transactions } from "../writer/transactions.js";
import { Books } from "./books.js";
import { foldBatches } from "./fold.js";
import type { Known } from "./index.js";
import { decodeRecord, type LedgerRecord } from "./record.js";
import { historyOf } from "./epoch.js";
import { readGone } from "./read-gone.js";

const PAGE_KEYS = 1_000;

/** @throws BookUnreadable, FenceLost */
export async function readState(
  transactions: Transactions,
  keys: Keyspace,
): Promise<LinkState | undefined> {
  const [kv] = await transactions.read([keys.state]);
  return kv === undefined ? undefined : decodeState(kv.value);
}

/**
 * @param at epoch: what is in force now, decides which records are current and which revisions can be compared; nowMs: wall clock
 * @throws BookUnreadable, FenceLost
 */
export async function openBooks(
  transactions: Transactions,
  keys: Keyspace,
  at: { readonly epoch: string; readonly nowMs: number },
): Promise<Books> {
  const { epoch, nowMs } = at;
  await foldBatches(transactions, keys);
  const books = new Books(keys);
  for await (const kv of all(transactions, keys.ownPrefix)) {
    const path = kv.key.slice(keys.ownPrefix.length);
    const record = decodeRecord(kv.value);
    const entry = known(record, kv.modRevision, epoch);
    books.index.set(path, entry);
    if (entry.isComparable) books.witnesses.add(path, entry.sourceRevision);
    if (record.owners.length > 0) books.owners.set(path, record.owners);
  }
  for await (const kv of all(transactions, keys.debtPrefix)) {
    books.debts.changed(kv.key.slice(keys.debtPrefix.length), decodeDebt(kv.value));
  }
  await readGone(transactions, books, nowMs);
  return books;
}

function known(record: LedgerRecord, modRevision: bigint, epoch: string): Known {
  return {
    sourceRevision: record.sourceRevision,
    destinationRevision: record.destinationRevision ?? modRevision,
    rule: record.rule,
    isCurrent: record.epoch === epoch,
    isComparable: historyOf(record.epoch) === historyOf(epoch),
    via: record.via,
  };
}

async function* all(transactions: Transactions, prefix: string): AsyncGenerator<KeyValue, void> {
  const rangeEnd = prefixEnd(prefix);
  for (let key = prefix; ;) {
    const page = await transactions.range({ key, rangeEnd, limit: PAGE_KEYS });
    yield* page.kvs;
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return;
    key = `${last.key}\0`;
  }
}
