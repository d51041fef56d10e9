import type { TxnOp } from "../etcd/etcd.js";
import type { Keyspace } from "../link/keyspace.js";
import { DEBT_CODES, encodeDebt, type Debt, type DebtCode } from "./debt.js";

/** The open debts of a link, in memory as they stand in etcd. */
export class DebtBook {
  readonly #debts = new Map<string, Debt>();
  readonly #counts = new Map<DebtCode, number>();

  constructor(private readonly keys: Keyspace) {}

  get size(): number {
    return this.#debts.size;
  }

  get counts(): Readonly<Record<DebtCode, number>> {
    const zeros: Record<DebtCode, number> = { ...NO_DEBTS };
    for (const code of DEBT_CODES) zeros[code] = this.count(code);
    return zeros;
  }

  count(code: DebtCode): number {
    return this.#counts.get(code) ?? 0;
  }

  has(path: string): boolean {
    return this.#debts.has(path);
  }

  get(path: string): Debt | undefined {
    return this.#debts.get(path);
  }

  /** Wall clock, ms, since when something is owed for this reason; undefined: nothing is. Looks at every debt. */
  oldestSinceMs(code: DebtCode): number | undefined {
    if (this.count(code) === 0) return undefined;
    let oldest = Infinity;
    for (const debt of this.#debts.values()) {
      if (debt.code === code) oldest = Math.min(oldest, debt.sinceMs);
    }
    return oldest;
  }

  /** In the order in which they were made. */
  all(): IterableIterator<[string, Debt]> {
    return this.#debts.entries();
  }

  /**
   * How the debt of a path becomes `debt`, as part of a transaction; none where nothing changes.
   * @param debt undefined: paid
   */
  change(path: string, debt: Debt | undefined): readonly TxnOp[] {
    const key = this.keys.debt(path);
    const before = this.#debts.get(path);
    if (debt === undefined) return before === undefined ? [] : [{ kind: "delete", key }];
    if (before !== undefined && sameDebt(before, debt)) return [];
    return [{ kind: "put", key, value: encodeDebt(debt) }];
  }

  /** The transaction with that change was done. */
  changed(path: string, debt: Debt | undefined): void {
    const before = this.#debts.get(path);
    if (before !== undefined) this.#count(before.code, -1);
    if (debt === undefined) {
      this.#debts.delete(path);
      return;
    }
    this.#debts.set(path, debt);
    this.#count(debt.code, 1);
  }

  #count(code: DebtCode, by: number): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + by);
  }
}

/** A debt for the same reason keeps the time since when it is owed; looking again is no news. */
export function sameDebt(a: Debt, b: Debt): boolean {
  return a.code === b.code && a.detail === b.detail;
}

const NO_DEBTS: Readonly<Record<DebtCode, number>> = {
  occupied: 0,
  "no-namespace": 0,
  "namespace-terminating": 0,
  "no-crd": 0,
  "version-not-served": 0,
  "owner-missing": 0,
  "source-undecryptable": 0,
  "source-unreadable": 0,
  "dest-plaintext": 0,
  "dest-undecryptable": 0,
  "too-large": 0,
  braked: 0,
  "rules-settling": 0,
  "via-api": 0,
  "api-refused": 0,
  "needs-api": 0,
  "not-empty": 0,
  drifted: 0,
};
