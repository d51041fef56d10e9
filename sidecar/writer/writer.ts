/**
 * Turns observations of the source into transactions on the destination.
 *
 * 1. `offer` takes a place; while there is none the caller waits, and so does whatever it reads from: that is the back-pressure.
 * 2. The value is decrypted, parsed and judged, once.
 * 3. Everything that concerns one key happens in the order of the offers, different keys side by side; an owner and what refers to
 *    it are never under way together.
 * 4. An observation is applied iff it is newer than what the ledger's record was made from.
 */
import { FenceLost } from "../fence/held-fence.js";
import type { Reading, Wanted } from "../view/source-view.js";
import { Bulk } from "./bulk.js";
import { Departure } from "./departure.js";
import { KeyChains } from "./key-chains.js";
import type { Observation, Outcome } from "./observation.js";
import { ownerPaths } from "./owner-references.js";
import { proveHistory } from "./one-history.js";
import { Owing } from "./owing.js";
import type { WriterParts } from "./parts.js";
import { readPatiently } from "./patient-reading.js";
import { patiently } from "./patiently.js";
import { Put } from "./put.js";
import type { Job } from "./put-plan.js";
import { Removal } from "./removal.js";
import { Slots, type Priority } from "./slots.js";

/** Transactions under way at once: the rate of npm etcd3 against etcd 3.6 does not rise beyond. Passes leave some to the tail. */
const IN_FLIGHT = { live: 64, bulk: 56 } as const;
/** Objects under way at once where many share a transaction: eight transactions. */
const COLD_IN_FLIGHT = { live: 1_024, bulk: 1_024 } as const;
/** An observation that was taken; what becomes of it is told later. */
export interface Offered {
  readonly done: Promise<Outcome>;
}

/** Nothing was done, and nothing is under way. */
export const IGNORED: Offered = { done: Promise.resolve("ignored") };

export class Writer {
  readonly owing: Owing;
  readonly bulk: Bulk;
  readonly put: Put;
  readonly removal: Removal;
  readonly #departure: Departure;
  readonly #chains = new KeyChains();
  readonly #slots: Slots;
  readonly #failed = new AbortController();

  constructor(private readonly parts: WriterParts) {
    this.owing = new Owing(parts);
    this.bulk = new Bulk(parts);
    this.put = new Put(parts, this.owing, this.bulk);
    // It may turn out to be live.
    this.#slots = new Slots(() => (this.bulk.isOn ? COLD_IN_FLIGHT : IN_FLIGHT));
    this.removal = new Removal(parts, this.owing);
    this.#departure = new Departure(parts, this.owing, this.removal);
  }

  /** Aborts with the error when a write failed for a reason that no retry mends: the term is over. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** A write of this path is under way or waits. */
  isBusy(path: string): boolean {
    return this.#chains.isBusy(path);
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#slots.idle();
  }

  /**
   * Waits for a place, not for the write; where one is free, all of it happens in this tick. NB: `done` never has to be awaited; when
   * it rejects, `failed` aborts.
   * @throws what ended the term
   */
  offer(observation: Observation, priority: Priority): Offered | Promise<Offered> {
    this.#failed.signal.throwIfAborted();
    const reading = readPatiently(this.parts, observation.kv);
    if (!(reading instanceof Promise)) return this.#place(observation, reading, priority);
    return reading.then((read) => this.#place(observation, read, priority));
  }

  #place(
    observation: Observation,
    reading: Reading,
    priority: Priority,
  ): Offered | Promise<Offered> {
    const isGone = reading.kind === "absent" || reading.kind === "unwanted";
    if (isGone && this.#isNothing(observation.path)) {
      this.#departure.ofNothing(observation);
      return IGNORED;
    }
    if (this.#slots.tryTake(priority)) return this.#begin(observation, reading);
    return this.#slots.take(priority).then(() => this.#begin(observation, reading));
  }

  /** A place was taken. It is given back by whoever finds the term over too: somebody waits until nothing is under way. */
  #begin(observation: Observation, reading: Reading): Offered {
    if (this.#failed.signal.aborted) this.#slots.release();
    this.#failed.signal.throwIfAborted();
    const done = this.#run(observation, reading);
    const free = (): void => this.#slots.release();
    done.then(free, (error: unknown) => {
      free();
      this.#fail(error);
    });
    return { done };
  }

  /** Nothing of this path is ours, owed or under way. */
  #isNothing(path: string): boolean {
    const { books } = this.parts;
    return !books.index.has(path) && !books.debts.has(path) && !this.#chains.isBusy(path);
  }

  async #run(observation: Observation, reading: Reading): Promise<Outcome> {
    const { path } = observation;
    if (reading.kind === "wanted") {
      const owners = ownerPaths(reading, this.parts.view);
      const outcome = await this.#chains.run(path, owners, () =>
        this.#wanted(observation, reading),
      );
      if (outcome === "put") await this.#callBack(path);
      return outcome;
    }
    if (reading.kind === "unreadable") {
      return this.#chains.run(path, [], () => this.#unreadable(observation, reading));
    }
    const isPresent = reading.kind === "unwanted";
    const leave = (): Promise<Outcome> =>
      this.#chains.run(path, [], () => this.#departure.run(observation, isPresent));
    return isPresent && this.#departure.lettingGo(observation)
      ? this.#withoutChildren(path, leave)
      : leave();
  }

  async #wanted(observation: Observation, wanted: Wanted): Promise<Outcome> {
    const { books } = this.parts;
    const { path, revision } = observation;
    const known = books.index.get(path);
    if (books.tombstones.covers(path, revision)) return "old";
    this.removal.isWanted(path);
    if (known?.isComparable === true) {
      if (wanted.revision < known.sourceRevision) {
        await proveHistory(this.parts, observation, wanted.revision);
        return "old";
      }
      const isSame = wanted.revision === known.sourceRevision && known.isCurrent;
      if (isSame && observation.check !== true && !books.debts.has(path)) return "unchanged";
    }
    const asked = this.isMirroredHere(path, wanted.revision);
    if (asked instanceof Promise ? await asked : asked) {
      await this.owing.settle(path);
      return "ignored";
    }
    if (wanted.via === "api") return this.#throughApi(observation, wanted);
    const job = { observation, wanted, known };
    return patiently(this.parts, async () => {
      const together = this.#mayShare(job) ? await this.put.together(job) : undefined;
      return together ?? this.put.run(job);
    });
  }

  /** Another link has written it into the source. What of it is ours already stays as it is. @param revision of the value */
  isMirroredHere(path: string, revision: bigint): boolean | Promise<boolean> {
    const { mirroredHere, transactions } = this.parts;
    if (mirroredHere === undefined || mirroredHere.hasNone(revision)) return false;
    const { signal } = transactions;
    return patiently(this.parts, () => mirroredHere.has(path, revision, { signal }));
  }

  /** Only what a pass finds new, before anything is followed: its batch is folded before anybody looks for its record. */
  #mayShare({ observation, wanted, known }: Job): boolean {
    const isNew = known === undefined && !this.parts.books.debts.has(observation.path);
    const isPlain = wanted.object.meta.ownerReferences.length === 0;
    return (
      this.bulk.isOn && isNew && isPlain && observation.cause === "pass" && this.parts.isCopying()
    );
  }

  /** Children that were written without this owner, because nobody wanted it then. */
  async #callBack(owner: string): Promise<void> {
    for (const child of this.parts.books.longing.children(owner)) await this.lookAgain(child);
  }

  async #throughApi({ path, cause }: Observation, { revision }: Wanted): Promise<Outcome> {
    const { books, hasApi } = this.parts;
    // Whoever pays goes on from here; a debt under another name would have to be waited for anew.
    if (cause === "debt" && hasApi && books.debts.has(path)) return "api";
    return this.owing.owe(path, { code: hasApi ? "via-api" : "needs-api" }, revision);
  }

  async #unreadable(
    { path, revision }: Observation,
    { code, detail }: Extract<Reading, { kind: "unreadable" }>,
  ): Promise<Outcome> {
    const { books } = this.parts;
    const known = books.index.get(path);
    const isOld = known?.isComparable === true && revision < known.sourceRevision;
    if (isOld || books.tombstones.covers(path, revision)) return "old";
    return this.owing.owe(path, { code, detail }, revision);
  }

  /**
   * An owner that leaves the rules takes nobody with it: what refers to it and is still wanted is written without the reference
   * first, and that is waited for. Otherwise the destination's garbage collector would delete it.
   */
  async #withoutChildren(path: string, leave: () => Promise<Outcome>): Promise<Outcome> {
    const { departing } = this.put.owners;
    departing.add(path);
    let outcome: Outcome;
    try {
      for (const child of this.parts.books.owners.children(path)) await this.lookAgain(child);
      outcome = await leave();
    } finally {
      departing.delete(path);
    }
    // It came back meanwhile.
    if (outcome === "old") await this.#callBack(path);
    return outcome;
  }

  /** Runs `job` when nothing else of this path is under way, and keeps everything else of it waiting meanwhile. */
  alone<T>(path: string, job: () => Promise<T>): Promise<T> {
    return this.#chains.run(path, [], job);
  }

  /** Reads the source's current value and applies it, without a place of its own. @throws what ended the term */
  async lookAgain(path: string): Promise<Outcome> {
    const { source, sourcePrefix, transactions, view, books } = this.parts;
    const { signal } = transactions;
    return patiently(this.parts, async () => {
      const reader = books.tombstones.reads();
      try {
        const { header, kvs } = await source.range({ key: sourcePrefix.key(path) }, { signal });
        const { revision } = header;
        reader.isAt(revision);
        const [kv] = kvs;
        const observation = { path, revision, kv, cause: "debt", check: true } as const;
        return await this.#run(observation, await view.read(kv));
      } finally {
        reader.end();
      }
    });
  }

  #fail(error: unknown): void {
    if (this.#failed.signal.aborted) return;
    if (!(error instanceof FenceLost))
      this.parts.log.error({ err: error }, "a write failed for good");
    this.#failed.abort(error);
  }
}
