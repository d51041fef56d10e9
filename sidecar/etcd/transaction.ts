import type { Compare, Txn, TxnOp } from "./etcd.js";

/** @param write runs when every compare holds. @param otherwise runs when one does not */
export function transaction(
  compare: readonly Compare[],
  write: readonly TxnOp[],
  otherwise: readonly TxnOp[],
): Txn {
  // oxlint-disable-next-line unicorn/no-thenable -- etcd's own word; it is no function
  return { compare, then: write, otherwise };
}
