/** Makes one object of the destination what the source's is, together with its ledger record, in one transaction. */
import type { Debt } from "../debts/debt.js";
import type { Compare, KeyValue, TxnOp } from "../etcd/etcd.js";
import { encodeRecord } from "../ledger/record.js";
import { CRDS, NAMESPACES } from "../view/source-view.js";
import type { Bulk } from "./bulk.js";
import { byHeart } from "./by-heart.js";
import { Hindrance } from "./hindrance.js";
import type { Outcome } from "./observation.js";
import { ownerPaths, type OwnerReferences } from "./owner-references.js";
import type { Owed, Owing } from "./owing.js";
import type { WriterParts } from "./parts.js";
import { knownOf } from "./made.js";
import { PutPlan, type Job, type Plan, type Write } from "./put-plan.js";
import { SealProof } from "./seal-proof.js";
import { compareOf, comparesOf, keysOf, seenAgain, type Guard, type Seen } from "./seen.js";

/** What a write stands on. */
interface Basis {
  /** What was seen, or is not there as far as we know. */
  readonly seen: Seen;
  /** Proves it, when it is written. */
  readonly compare: readonly Compare[];
}

export class Put {
  readonly #proof: SealProof;
  readonly #hindrance: Hindrance;
  readonly #plan: PutPlan;

  constructor(
    private readonly parts: WriterParts,
    private readonly owing: Owing,
    private readonly bulk: Bulk,
  ) {
    this.#proof = new SealProof(parts);
    this.#hindrance = new Hindrance(parts, this.#proof);
    this.#plan = new PutPlan(parts);
  }

  get owners(): OwnerReferences {
    return this.#plan.owners;
  }

  /**
   * A new object of a first copy, together with others. @returns undefined: it has to be written alone
   * @throws FenceLost
   */
  async together(job: Job): Promise<Outcome | undefined> {
    const asked = this.#hindrance.of(job.wanted);
    const hindrance = asked instanceof Promise ? await asked : asked;
    if (hindrance.kind === "hindered" || !this.#proof.isProven(job.wanted.at.resource)) {
      return undefined;
    }
    const plan = await this.#plan.of(job, this.#unseen(job, []));
    if (plan.kind !== "write" || plan.value === undefined) return undefined;
    const { value } = plan;
    const outcome = await this.bulk.add(job, { ...plan, value }, hindrance.namespace);
    return outcome === "put" ? "put" : undefined;
  }

  /** @throws FenceLost */
  run(job: Job): Promise<Outcome> {
    const { observation, wanted } = job;
    return this.#proof.inTurn(observation.path, wanted.at.resource, () => this.#run(job));
  }

  async #run(job: Job): Promise<Outcome> {
    const { path } = job.observation;
    let seen: Seen | undefined;
    for (;;) {
      const asked = this.#hindrance.of(job.wanted);
      const hindrance = asked instanceof Promise ? await asked : asked;
      if (hindrance.kind === "hindered") {
        return this.owing.owe(path, hindrance.owed, job.wanted.revision);
      }
      const { plan, ...basis } = await this.#planned(job, seen);
      if (plan.kind === "owe") return this.owing.owe(path, plan.owed, job.wanted.revision);
      if (plan.kind === "nothing") {
        await this.owing.settle(path);
        return "unchanged";
      }
      const again = await this.#commit(job, basis, plan, hindrance.namespace);
      if ("outcome" in again) return again.outcome;
      seen = again.seen;
    }
  }

  /** @param seen undefined: nothing was looked at yet */
  async #planned(job: Job, seen: Seen | undefined): Promise<Basis & { readonly plan: Plan }> {
    const known = seen === undefined ? await byHeart(this.parts, job) : undefined;
    if (known !== undefined) return { ...known, seen: this.#unseen(job, []) };
    const now = seen ?? (await this.#firstLook(job));
    return { seen: now, compare: comparesOf(now), plan: await this.#plan.of(job, now) };
  }

  /** A new object needs no look: that it is not there is part of the transaction. */
  async #firstLook(job: Job): Promise<Seen> {
    const { books, view } = this.parts;
    const owners = ownerPaths(job.wanted, view);
    const unseen = this.#unseen(job, owners);
    const isOwed = books.debts.has(job.observation.path);
    const mustLook = job.known !== undefined || owners.length > 0 || isOwed;
    return mustLook ? this.#look(unseen) : unseen;
  }

  /** As if nothing were there. @param owners paths */
  #unseen({ observation }: Job, owners: readonly string[]): Seen {
    const { books, destination } = this.parts;
    const { path } = observation;
    return {
      data: { key: destination.prefix.key(path), kv: undefined },
      record: { key: books.keys.own(path), kv: undefined },
      owners: owners.map((owner) => ({ key: books.keys.own(owner), kv: undefined })),
    };
  }

  async #look(seen: Seen): Promise<Seen> {
    return seenAgain(seen, await this.parts.transactions.read(keysOf(seen)));
  }

  /** @returns what became of it, or what is there now when it has to be planned anew */
  async #commit(
    job: Job,
    { seen, compare }: Basis,
    plan: Write,
    namespace: Guard | undefined,
  ): Promise<{ readonly outcome: Outcome } | { readonly seen: Seen }> {
    const { books, transactions } = this.parts;
    const { path } = job.observation;
    const debt = this.#debt(job, plan);
    const also = namespace === undefined ? [] : [namespace];
    const committed = await transactions.commit({
      compare: [...compare, ...also.map(compareOf)],
      write: [...this.#write(seen, plan), ...books.debts.change(path, debt)],
      look: [...keysOf(seen), ...also.map(({ key }) => key)],
    });
    switch (committed.kind) {
      case "done":
        books.debts.changed(path, debt);
        this.#wrote(job, plan, seen.data.kv, committed.revision);
        return { outcome: plan.value === undefined ? "ledger" : "put" };
      case "conflict":
        await this.#sawNamespace(job, namespace, committed.found.at(-1));
        return { seen: seenAgain(seen, committed.found) };
      case "unknown":
        return { seen: await this.#look(seen) };
      case "impossible":
        return { outcome: await this.#tooLarge(job, plan, committed.why) };
    }
  }

  #write({ data, record }: Seen, plan: Write): TxnOp[] {
    const write: TxnOp[] = [{ kind: "put", key: record.key, value: encodeRecord(plan.record) }];
    if (plan.value !== undefined) write.push({ kind: "put", key: data.key, value: plan.value });
    return write;
  }

  /** It is written, and still owes something. */
  #debt({ observation, wanted }: Job, { missing }: Write): Debt | undefined {
    if (missing.length === 0) return undefined;
    const owed: Owed = { code: "owner-missing", detail: missing.join(", ") };
    return this.owing.debt(observation.path, owed, wanted.revision);
  }

  /** The Namespace may be why: the next attempt goes by what it is now. */
  async #sawNamespace(
    { wanted }: Job,
    guard: Guard | undefined,
    now: KeyValue | undefined,
  ): Promise<void> {
    const { namespace } = wanted.at;
    if (guard === undefined || namespace === undefined) return;
    await this.parts.destination.sawNamespace(namespace, now);
  }

  #tooLarge({ observation, wanted }: Job, { value, record }: Write, why: string): Promise<Outcome> {
    const bytes = (value?.length ?? 0) + encodeRecord(record).length;
    const owners = wanted.object.meta.ownerReferences.length;
    const size = why === "too-many-ops" ? `${owners} owners` : `${bytes} bytes with its record`;
    const detail = `${size}: ${why}`;
    return this.owing.owe(observation.path, { code: "too-large", detail }, wanted.revision);
  }

  #wrote(
    { observation, wanted }: Job,
    plan: Write,
    data: KeyValue | undefined,
    revision: bigint,
  ): void {
    const { books, tally, destination } = this.parts;
    const { path } = observation;
    const at = plan.value === undefined ? (data?.modRevision ?? revision) : revision;
    books.index.set(path, knownOf(wanted, at, plan.content()));
    books.owners.set(path, plan.record.owners);
    books.longing.set(path, plan.unwanted);
    books.tombstones.delete(path);
    if (plan.value === undefined) {
      tally.ledgerOnly += 1;
      return;
    }
    tally.put += 1;
    tally.bytesWritten += plan.value.length;
    if (path.startsWith(NAMESPACES)) destination.wroteNamespace(wanted.at.name, revision);
    if (path.startsWith(CRDS)) destination.forget(path);
  }
}
