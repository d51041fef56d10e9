/** The books of a link while another process writes them: as they were read once, and with every change that was heard of since. */
import type { KeyValue, WatchedEvent } from "../etcd/etcd.js";
import { Books } from "../ledger/books.js";
import { Entries, type JudgedBy } from "../ledger/entries.js";
import type { Keyspace } from "../link/keyspace.js";
import { decodeState } from "../link/state.js";

export class FollowedBooks {
  readonly books: Books;
  readonly #entries: Entries;
  /** Keys of batches: nothing of theirs is in the books before they are folded. */
  readonly #batches = new Set<string>();
  #fence: bigint | undefined;
  #history: number;

  /** @param history of the source, as the state says at the revision at which the books are read */
  constructor(
    private readonly keys: Keyspace,
    readonly judgedBy: JudgedBy,
    history: number,
  ) {
    this.books = new Books(keys);
    this.#entries = new Entries(this.books, judgedBy);
    this.#history = history;
  }

  /** Of the source, as the newest state says that was heard of. */
  get history(): number {
    return this.#history;
  }

  /**
   * Whether nothing is missing for the process whose fence was made at this revision. It has seen its own fence then, and with it
   * all that others wrote before; what it has folded since is there when no batch is left.
   */
  areWhole(fence: bigint): boolean {
    return this.#fence === fence && this.#batches.size === 0 && this.books.witnesses.areEnough;
  }

  /** @throws BookUnreadable */
  saw({ kind, kv }: WatchedEvent): void {
    if (kind === "put") this.put(kv);
    else this.#delete(kv.key);
  }

  /** @throws BookUnreadable */
  put(kv: KeyValue): void {
    if (kv.key === this.keys.fence) this.#fence = kv.createRevision;
    else if (kv.key === this.keys.state) this.#history = decodeState(kv.value).history;
    else if (kv.key.startsWith(this.keys.batchPrefix)) this.#batches.add(kv.key);
    else this.#entries.put(kv);
  }

  #delete(key: string): void {
    if (key === this.keys.fence) this.#fence = undefined;
    else if (key.startsWith(this.keys.batchPrefix)) this.#batches.delete(key);
    else this.#entries.delete(key);
  }
}
