/** Reads the books of a link after its fence was taken, so that nobody else changes them any more. */
import { decodeDebt } from "../debts/debt.js";
import { prefixEnd, type KeyValue, type RangeResult } from "../etcd/etcd.js";
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
  for await (const kvs of pages(transactions, keys.ownPrefix)) {
    for (const kv of kvs) addRecord(books, kv, epoch);
  }
  for await (const kvs of pages(transactions, keys.debtPrefix)) {
    for (const { key, value } of kvs) {
      books.debts.changed(key.slice(keys.debtPrefix.length), decodeDebt(value));
    }
  }
  await readGone(transactions, books, nowMs);
  return books;
}

function addRecord(books: Books, { key, value, modRevision }: KeyValue, epoch: string): void {
  const path = key.slice(books.keys.ownPrefix.length);
  const record = decodeRecord(value);
  const entry = known(record, modRevision, epoch);
  books.index.set(path, entry);
  if (entry.isComparable) books.witnesses.add(path, entry.sourceRevision);
  if (record.owners.length > 0) books.owners.set(path, record.owners);
}

function known(record: LedgerRecord, modRevision: bigint, epoch: string): Known {
  return {
    sourceRevision: record.sourceRevision,
    destinationRevision: record.destinationRevision ?? modRevision,
    rule: record.rule,
    isCurrent: record.epoch === epoch,
    isComparable: historyOf(record.epoch) === historyOf(epoch),
    via: record.via,
    content: 0,
  };
}

/** The next page is read while the last is worked on: whoever takes over is waited for. */
async function* pages(
  transactions: Transactions,
  prefix: string,
): AsyncGenerator<readonly KeyValue[], void> {
  const read = (key: string): Promise<RangeResult> =>
    transactions.range({ key, rangeEnd: prefixEnd(prefix), limit: PAGE_KEYS });
  let page = await read(prefix);
  for (;;) {
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) {
      yield page.kvs;
      return;
    }
    const next = read(`${last.key}\0`);
    // Whoever leaves early leaves it behind: it must not end the process.
    next.catch(() => undefined);
    yield page.kvs;
    page = await next;
  }
}
