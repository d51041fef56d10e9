import type { Compare, Txn, TxnOp } from "./etcd.js";

/** @param write runs when every compare holds. @param otherwise runs when one does not */
export function transaction(
  compare: readonly Compare[],
  write: readonly TxnOp[],
  otherwise: readonly TxnOp[],
): Txn {
  return { compare, then: write, otherwise };
}
