/**
 * An etcd that is only read: writes are carried out in memory, and told. The whole mirror runs on it unchanged, and so `plan` and
 * `verify` say what the mirror itself would do, by the same code.
 *
 * Invariant: nothing that changes anything ever reaches the etcd behind it: no put, no delete, no lease, no compaction.
 *
 * What was "written" is seen by later reads and compares, but for the values of objects: memory must not follow the size of
 * what would be copied. Kept are our own books, and objects that are looked at again: because something of them is owed, or
 * because others stand on them (`keeps`).
 */
import type {
  Etcd,
  EtcdCallOptions,
  EtcdHeader,
  EtcdWatch,
  EtcdWatchOptions,
  GrantedLease,
  MemberStatus,
  RangeOptions,
  RangeResult,
  Txn,
  TxnOp,
  TxnOpResult,
  TxnResult,
} from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import { BOOKS, type Keyspace } from "../link/keyspace.js";
import { Overlay } from "./overlay.js";

export interface RehearsalParts {
  readonly etcd: Etcd;
  readonly keys: Keyspace;
  /** Objects that are looked at again: Namespaces and CRDs. */
  readonly keeps: (key: string) => boolean;
  /** Called with each transaction that would have been carried out, in order. */
  readonly onWrite: (txn: Txn) => void;
}

type Get = Extract<TxnOp, { readonly kind: "get" }>;

export class RehearsedEtcd implements Etcd {
  readonly name: string;
  readonly #overlay = new Overlay();
  #leases = 0n;

  constructor(private readonly parts: RehearsalParts) {
    this.name = parts.etcd.name;
    // Whoever writes the link really is not disturbed, and does not disturb.
    this.#overlay.delete(parts.keys.fence);
  }

  /** As if it stood there. */
  pretend(key: string, value: Buffer, modRevision: bigint): void {
    this.#overlay.put({ key, value, modRevision, lease: 0n });
  }

  async range(options: RangeOptions, call: EtcdCallOptions): Promise<RangeResult> {
    for (let { key } = options; ;) {
      const page = await this.parts.etcd.range({ ...options, key }, call);
      const merged = this.#overlay.merged(page, options);
      const last = page.kvs.at(-1);
      // A page of which everything is gone is no end: whoever reads page by page would stop there.
      if (merged.kvs.length > 0 || !page.more || last === undefined) return merged;
      key = `${last.key}\0`;
    }
  }

  async txn(txn: Txn, call: EtcdCallOptions): Promise<TxnResult> {
    const fails = txn.compare.some((one) => this.#overlay.holds(one) === false);
    const real = fails ? [] : txn.compare.filter((one) => this.#overlay.holds(one) === undefined);
    const asked = fails
      ? { then: gets(txn.otherwise), otherwise: [] }
      : { then: gets(txn.then), otherwise: gets(txn.otherwise) };
    const answer = await this.parts.etcd.txn(transaction(real, asked.then, asked.otherwise), call);
    const succeeded = !fails && answer.succeeded;
    const ops = succeeded ? txn.then : txn.otherwise;
    const results = this.#results(ops, answer.results);
    if (!succeeded) return { header: answer.header, succeeded, results };
    if (ops.every(({ kind }) => kind === "get"))
      return { header: answer.header, succeeded, results };
    const revision = this.#overlay.next(answer.header.revision);
    this.#apply(txn, revision);
    this.parts.onWrite(txn);
    return { header: { ...answer.header, revision }, succeeded, results };
  }

  watch(options: EtcdWatchOptions): EtcdWatch {
    return this.parts.etcd.watch(options);
  }

  revision(call: EtcdCallOptions): Promise<EtcdHeader> {
    return this.parts.etcd.revision(call);
  }

  async grantLease(ttlSeconds: number): Promise<GrantedLease> {
    this.#leases += 1n;
    return { id: this.#leases, ttlSeconds };
  }

  /** Long enough for everybody: a rehearsal has nobody to hand over to. */
  async keepAlive(): Promise<number> {
    return 3_600;
  }

  async revokeLease(): Promise<void> {
    // There is none.
  }

  members(call: EtcdCallOptions): Promise<readonly MemberStatus[]> {
    return this.parts.etcd.members(call);
  }

  async compact(): Promise<void> {
    // It would take away what others still need.
  }

  close(): Promise<void> {
    return this.parts.etcd.close();
  }

  #results(ops: readonly TxnOp[], answered: readonly TxnOpResult[]): readonly TxnOpResult[] {
    let next = 0;
    return ops.map((op) => {
      if (op.kind === "put") return { kind: "put" };
      if (op.kind === "delete") return { kind: "delete", deleted: 1n };
      const answer = answered[next];
      next += 1;
      if (answer?.kind !== "get") return { kind: "get", kvs: [], more: false };
      return this.#overlay.merged(answer, op);
    });
  }

  #apply({ then }: Txn, revision: bigint): void {
    const isOwed = then.some(({ kind, key }) => kind === "put" && this.#isDebt(key));
    for (const op of then) {
      if (op.kind === "get") continue;
      const isKept = isOwed || op.key.startsWith(BOOKS) || this.parts.keeps(op.key);
      if (!isKept) continue;
      if (op.kind === "delete") this.#overlay.delete(op.key, op.rangeEnd);
      else this.#overlay.put({ ...op, modRevision: revision, lease: op.lease ?? 0n });
    }
  }

  #isDebt(key: string | undefined): boolean {
    return key?.startsWith(this.parts.keys.debtPrefix) === true;
  }
}

function gets(ops: readonly TxnOp[]): readonly Get[] {
  return ops.filter((op) => op.kind === "get");
}
