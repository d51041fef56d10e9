/**
 * What one key of the books says, taken into the books in memory: page by page when a link is opened, and change by change while a
 * process stands by. Batches are not among them: they are folded into records before anybody decides by the books.
 */
import { decodeDebt } from "../debts/debt.js";
import type { KeyValue } from "../etcd/etcd.js";
import type { Books } from "./books.js";
import { historyOf } from "./epoch.js";
import { isForgotten } from "./gone-uids.js";
import type { Known } from "./index.js";
import { decodeRecord, type LedgerRecord } from "./record.js";

/** What entries are judged by. */
export interface JudgedBy {
  /** In force: decides which records are current, and which revisions can be compared. */
  readonly epoch: string;
  /** Wall clock: decides which uids were removed too long ago to matter. */
  readonly nowMs: number;
}

export class Entries {
  constructor(
    private readonly books: Books,
    private readonly by: JudgedBy,
  ) {}

  /** The key holds this now. Keys that are no entries change nothing. @throws BookUnreadable */
  put(kv: KeyValue): void {
    const { books } = this;
    const { ownPrefix, debtPrefix, gonePrefix } = books.keys;
    if (kv.key.startsWith(ownPrefix)) {
      this.#record(kv.key.slice(ownPrefix.length), kv);
    } else if (kv.key.startsWith(debtPrefix)) {
      books.debts.changed(kv.key.slice(debtPrefix.length), decodeDebt(kv.value));
    } else if (kv.key.startsWith(gonePrefix)) {
      this.#gone(kv.key.slice(gonePrefix.length), kv.value);
    }
  }

  /** The key is not there any more. */
  delete(key: string): void {
    const { index, owners, witnesses, debts, gone, keys } = this.books;
    const { ownPrefix, debtPrefix, gonePrefix } = keys;
    if (key.startsWith(ownPrefix)) {
      const path = key.slice(ownPrefix.length);
      index.delete(path);
      owners.set(path, []);
      witnesses.delete(path);
    } else if (key.startsWith(debtPrefix)) {
      debts.changed(key.slice(debtPrefix.length), undefined);
    } else if (key.startsWith(gonePrefix)) {
      gone.delete(key.slice(gonePrefix.length));
    }
  }

  #record(path: string, { value, modRevision }: KeyValue): void {
    const { index, owners, witnesses } = this.books;
    const record = decodeRecord(value);
    const entry = known(record, modRevision, this.by.epoch);
    // Only one that is known can be a witness, or hold on to an owner: whoever reads a hundred thousand looks for none of them.
    const isKnown = index.has(path);
    index.set(path, entry);
    if (isKnown) witnesses.delete(path);
    if (entry.isComparable) witnesses.add(path, entry.sourceRevision);
    if (isKnown || record.owners.length > 0) owners.set(path, record.owners);
  }

  #gone(uid: string, value: Buffer): void {
    const { gone } = this.books;
    if (isForgotten(value, this.by.nowMs)) gone.delete(uid);
    else gone.add(uid);
  }
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
