/** Takes one object of ours out of the destination, together with its ledger record. */
import type { Debt } from "../debts/debt.js";
import type { TxnOp } from "../etcd/etcd.js";
import type { Known } from "../ledger/index.js";
import type { LedgerRecord } from "../ledger/record.js";
import { CRDS, NAMESPACES } from "../view/source-view.js";
import type { Observation, Outcome } from "./observation.js";
import type { Owed, Owing } from "./owing.js";
import type { WriterParts } from "./parts.js";
import { compareOf, guardOf, recordOf, seenAgain, type Seen } from "./seen.js";

/** Only the API server's own controllers can delete these without leaving what is in them behind. */
export function needsApi(path: string): boolean {
  return path.startsWith(NAMESPACES) || path.startsWith(CRDS);
}

export class Removal {
  /** What the brake has let pass and only the API server may remove: it may take a while, and is counted once. */
  readonly #passed = new Set<string>();

  constructor(
    private readonly parts: WriterParts,
    private readonly owing: Owing,
  ) {}

  /**
   * Why the object stays for now; undefined: it may go. Asked once for each removal: the brake counts.
   * @param isPresent it is in the source, and only left the rules
   */
  hindrance(observation: Observation, known: Known, isPresent: boolean): Owed | undefined {
    const { path } = observation;
    const owed = this.#owed(observation, known, isPresent);
    if (owed?.code === "via-api") this.#passed.add(path);
    else this.#passed.delete(path);
    return owed;
  }

  /** It is to be there after all. */
  isWanted(path: string): void {
    this.#passed.delete(path);
  }

  #owed(observation: Observation, known: Known, isPresent: boolean): Owed | undefined {
    const { clock, hasApi, rulesSettledAtMs } = this.parts;
    const { path } = observation;
    if (isPresent && clock.now() < rulesSettledAtMs()) return { code: "rules-settling" };
    if (!this.#passed.has(path) && this.#isBraked(observation)) return { code: "braked" };
    if (known.via === "api") return { code: "via-api" };
    if (!needsApi(path)) return undefined;
    return hasApi ? { code: "via-api" } : { code: "needs-api" };
  }

  /** What a walk removes was counted before, all at once; what the brake has held once goes when it is released. */
  #isBraked({ path, cause }: Observation): boolean {
    const { brake, books } = this.parts;
    if (cause !== "event" && cause !== "debt") return false;
    const wasHeld = cause === "debt" && books.debts.get(path)?.code === "braked";
    return wasHeld ? brake.isEngaged : !brake.allowsEvent(books.index.size);
  }

  /** @throws FenceLost */
  async run({ path, revision }: Observation, known: Known): Promise<Outcome> {
    const { books, destination, transactions } = this.parts;
    let seen = await this.#look({
      data: { key: destination.prefix.key(path), kv: undefined },
      record: { key: books.keys.own(path), kv: undefined },
      owners: [],
    });
    for (;;) {
      const record = recordOf(seen.record);
      if (record === undefined) {
        // Another path has the same hash, or an earlier attempt came through: nothing of ours is here.
        await this.owing.settle(path);
        return "ignored";
      }
      if (known.isComparable && record.sourceRevision > revision) return "old";
      const guards = [guardOf(seen.data), guardOf(seen.record)];
      const committed = await transactions.commit({
        compare: guards.map(compareOf),
        write: this.#write(path, seen, record),
        look: guards.map(({ key }) => key),
      });
      if (committed.kind === "done") {
        this.removed(path, revision, record);
        return "removed";
      }
      if (committed.kind === "impossible") throw new Error(`a removal cannot be ${committed.why}`);
      seen =
        committed.kind === "conflict"
          ? seenAgain(seen, committed.found)
          : await this.#look(seen, { path, revision });
    }
  }

  /** The object and its record are gone. @param debt as given to `bookkeeping` */
  removed(path: string, revision: bigint, record: LedgerRecord, debt?: Debt): void {
    const { books, tally } = this.parts;
    this.#passed.delete(path);
    books.index.delete(path);
    books.owners.set(path, []);
    books.longing.set(path, []);
    books.debts.changed(path, debt);
    books.tombstones.add(path, revision);
    books.gone.add(record.destinationUid);
    tally.deleted += 1;
  }

  /**
   * The record goes, and what keeps its uid from coming back stands in its place.
   * @param debt what is owed under the path afterwards; mostly nothing
   */
  bookkeeping(path: string, record: LedgerRecord, debt?: Debt): readonly TxnOp[] {
    const { books, clock } = this.parts;
    const write: TxnOp[] = [
      { kind: "delete", key: books.keys.own(path) },
      ...books.debts.change(path, debt),
    ];
    if (record.destinationUid !== "") {
      const value = Buffer.from(String(clock.now()), "latin1");
      write.push({ kind: "put", key: books.keys.gone(record.destinationUid), value });
    }
    return write;
  }

  #write(path: string, { data }: Seen, record: LedgerRecord): readonly TxnOp[] {
    const write = this.bookkeeping(path, record);
    return data.kv === undefined ? write : [{ kind: "delete", key: data.key }, ...write];
  }

  /** @param lost an attempt of which nobody knows what became: when the record is gone, it came through */
  async #look(
    seen: Seen,
    lost?: { readonly path: string; readonly revision: bigint },
  ): Promise<Seen> {
    const before = recordOf(seen.record);
    const now = seenAgain(
      seen,
      await this.parts.transactions.read([seen.data.key, seen.record.key]),
    );
    if (lost !== undefined && before !== undefined && now.record.kv === undefined) {
      this.removed(lost.path, lost.revision, before);
    }
    return now;
  }
}
