/** Opens the books of a link after its fence was taken, so that nobody else changes them any more. */
import { prefixEnd, type KeyValue, type RangeResult } from "../etcd/etcd.js";
import type { Keyspace } from "../link/keyspace.js";
import { decodeState, type LinkState } from "../link/state.js";
import type { Transactions } from "../writer/transactions.js";
import { Books } from "./books.js";
import { Entries, type JudgedBy } from "./entries.js";
import { foldBatches } from "./fold.js";
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

/** Asked when no batch is left. @returns the books as they are now, where they are in memory already */
type HandOver = (epoch: string) => Promise<Books | undefined> | undefined;

/** @throws BookUnreadable, FenceLost */
export async function openBooks(
  transactions: Transactions,
  keys: Keyspace,
  at: JudgedBy,
  handOver?: HandOver,
): Promise<Books> {
  await foldBatches(transactions, keys);
  const followed = await handOver?.(at.epoch);
  if (followed !== undefined) return followed;
  const books = new Books(keys);
  const entries = new Entries(books, at);
  for (const prefix of [keys.ownPrefix, keys.debtPrefix]) {
    for await (const kvs of pages(transactions, prefix)) {
      for (const kv of kvs) entries.put(kv);
    }
  }
  await readGone(transactions, books, at.nowMs);
  return books;
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
