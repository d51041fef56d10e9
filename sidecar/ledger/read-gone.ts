import { prefixEnd, type TxnOp } from "../etcd/etcd.js";
import type { Transactions } from "../writer/transactions.js";
import type { Books } from "./books.js";
import { isForgotten } from "./gone-uids.js";

const PAGE_KEYS = 1_000;
/** Deletions of one transaction: below etcd's default of 128. */
const AT_ONCE = 100;

/** Reads which uids must not come back, and forgets those that were removed long ago. @throws FenceLost */
export async function readGone(
  transactions: Transactions,
  { keys, gone }: Books,
  nowMs: number,
): Promise<void> {
  const rangeEnd = prefixEnd(keys.gonePrefix);
  const old: TxnOp[] = [];
  for (let key = keys.gonePrefix; ;) {
    const { kvs, more } = await transactions.range({ key, rangeEnd, limit: PAGE_KEYS });
    for (const kv of kvs) {
      const uid = kv.key.slice(keys.gonePrefix.length);
      const isOld = isForgotten(kv.value, nowMs);
      if (isOld) old.push({ kind: "delete", key: kv.key });
      if (isOld) gone.delete(uid);
      else gone.add(uid);
    }
    const last = kvs.at(-1);
    if (!more || last === undefined) break;
    key = `${last.key}\0`;
  }
  for (let at = 0; at < old.length; at += AT_ONCE) {
    const write = old.slice(at, at + AT_ONCE);
    while ((await transactions.commit({ compare: [], write, look: [] })).kind === "unknown");
  }
}
