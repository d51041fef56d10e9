/**
 * Many new objects in one transaction: for a destination on which no API server runs. Where one runs, several objects of a
 * resource with one revision make its watches lose some of them; so each transaction also compares that no API server has
 * announced itself, and after the first that has, everything is written one by one, for good.
 */
import { prefixEnd, type Compare, type TxnOp } from "../etcd/etcd.js";
import { encodeBatch } from "../ledger/record.js";
import { NAMESPACES } from "../view/source-view.js";
import type { WriterParts } from "./parts.js";
import { knownOf } from "./made.js";
import type { Job, Write } from "./put-plan.js";
import { compareOf, type Guard } from "./seen.js";

/** etcd's default for each of the three lists of a transaction: compares, and either branch. */
const MAX_OPS = 128;
/** The fence and the API servers' announcements are compared too. */
const RESERVED = 2;
/** etcd takes 1.5 MiB in all; the record and the compares need some of that. */
const MAX_BYTES = 1024 * 1024;
/** How long a transaction waits to be filled. */
const FILL_MS = 2;

/** One new object on its way. */
interface Item {
  readonly job: Job;
  readonly plan: Write & { readonly value: Buffer };
  readonly namespace: Guard | undefined;
  /** `alone`: it has to be written by itself. */
  readonly resolve: (outcome: "put" | "alone") => void;
  readonly reject: (error: unknown) => void;
}

export class Bulk {
  #filling: Item[] = [];
  /** Namespaces of what is being filled: each is compared once. */
  #namespaces = new Set<string>();
  #bytes = 0;
  #batches = 0;
  #maxOps: number;
  #isOn: boolean;

  constructor(private readonly parts: WriterParts) {
    this.#isOn = parts.policy.destinationIsCold;
    this.#maxOps = parts.policy.maxTxnOps ?? MAX_OPS;
  }

  /** False for good as soon as an API server has been seen. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Transactions that were begun: their batches have to be folded. */
  get batches(): number {
    return this.#batches;
  }

  /** Resolves when it is written, or has to be written alone. @throws FenceLost */
  add(job: Job, plan: Write & { readonly value: Buffer }, namespace: Guard | undefined) {
    return new Promise<"put" | "alone">((resolve, reject) => {
      const bytes = plan.value.length + job.observation.path.length * 3;
      if (this.#bytes + bytes > MAX_BYTES || this.#isFull(namespace)) this.#flush();
      const isFirst = this.#filling.length === 0;
      this.#filling.push({ job, plan, namespace, resolve, reject });
      if (namespace !== undefined) this.#namespaces.add(namespace.key);
      this.#bytes += bytes;
      if (isFirst) this.#flushLater();
    });
  }

  #isFull(namespace: Guard | undefined): boolean {
    const isAnother = namespace !== undefined && !this.#namespaces.has(namespace.key);
    const compared = this.#filling.length + this.#namespaces.size + (isAnother ? 1 : 0);
    return compared + 1 + RESERVED > this.#maxOps;
  }

  #flushLater(): void {
    const { clock, transactions } = this.parts;
    const current = this.#filling;
    const flush = (): void => {
      if (this.#filling === current) this.#flush();
    };
    clock.sleep(FILL_MS, transactions.signal).then(flush, flush);
  }

  #flush(): void {
    const items = this.#filling;
    this.#filling = [];
    this.#namespaces = new Set();
    this.#bytes = 0;
    if (items.length > 0) this.#send(items);
  }

  #send(items: readonly Item[]): void {
    this.#commit(items).catch((error: unknown) => {
      for (const { reject } of items) reject(error);
    });
  }

  async #commit(items: readonly Item[]): Promise<void> {
    const { books, transactions, epoch } = this.parts;
    const batch = books.keys.batch(epoch(), (this.#batches += 1));
    for (;;) {
      const committed = await transactions.commit({
        compare: this.#compare(items),
        write: this.#write(items, batch),
        look: items.map(({ job }) => this.#key(job)),
      });
      switch (committed.kind) {
        case "done":
          return this.#wrote(items, committed.revision);
        case "conflict":
          return this.#conflict(items, committed.found);
        case "impossible":
          return this.#smaller(items, committed.why);
        case "unknown": {
          // The batch is this transaction's own: where it is, the objects are too.
          const [kv] = await transactions.read([batch]);
          if (kv !== undefined) return this.#wrote(items, kv.modRevision);
        }
      }
    }
  }

  #compare(items: readonly Item[]): readonly Compare[] {
    const announced = this.parts.destination.prefix.key("masterleases/");
    const namespaces = new Map<string, Guard>();
    for (const { namespace } of items) if (namespace) namespaces.set(namespace.key, namespace);
    return [
      { key: announced, rangeEnd: prefixEnd(announced), target: "create", is: "=", value: 0n },
      ...items.map(({ job }) => compareOf({ key: this.#key(job), revision: 0n })),
      ...[...namespaces.values()].map(compareOf),
    ];
  }

  #write(items: readonly Item[], batch: string): readonly TxnOp[] {
    const entries = items.map(({ job, plan }) => ({
      path: job.observation.path,
      record: plan.record,
    }));
    return [
      { kind: "put", key: batch, value: encodeBatch(entries) },
      ...items.map(
        ({ job, plan }) => ({ kind: "put", key: this.#key(job), value: plan.value }) as const,
      ),
    ];
  }

  #wrote(items: readonly Item[], revision: bigint): void {
    const { books, tally, destination } = this.parts;
    for (const { job, plan, resolve } of items) {
      const { path } = job.observation;
      books.index.set(path, knownOf(job.wanted, revision));
      tally.put += 1;
      tally.bytesWritten += plan.value.length;
      if (path.startsWith(NAMESPACES)) destination.wroteNamespace(job.wanted.at.name, revision);
      resolve("put");
    }
  }

  /** Those that are in the way go alone, where it is found out why; the rest is sent again. */
  async #conflict(items: readonly Item[], found: readonly unknown[]): Promise<void> {
    const { transactions, destination, log } = this.parts;
    const announced = destination.prefix.key("masterleases/");
    const { kvs } = await transactions.range({
      key: announced,
      rangeEnd: prefixEnd(announced),
      limit: 1,
    });
    if (kvs.length > 0) {
      this.#isOn = false;
      log.error(
        {},
        "an API server runs on the destination: no more bulk writes; restart the API servers there",
      );
    }
    const free = items.filter((_, index) => found[index] === undefined);
    const isStuck = free.length === items.length;
    for (const item of items) {
      if (!this.#isOn || isStuck || !free.includes(item)) item.resolve("alone");
    }
    if (this.#isOn && !isStuck && free.length > 0) this.#send(free);
  }

  #smaller(items: readonly Item[], why: "too-many-ops" | "too-large"): void {
    const half = Math.ceil(items.length / 2);
    if (why === "too-many-ops") this.#maxOps = Math.max(4, half);
    if (items.length === 1) {
      for (const { resolve } of items) resolve("alone");
      return;
    }
    this.#send(items.slice(0, half));
    this.#send(items.slice(half));
  }

  #key({ observation }: Job): string {
    return this.parts.destination.prefix.key(observation.path);
  }
}
