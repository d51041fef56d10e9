/** Makes one object of the destination what the source's is, together with its ledger record, in one transaction. */
import { localAnnotations } from "../wire/local-annotations.js";
import { differingPaths } from "../wire/desired.js";
import type { StoredObject, WireKind } from "../wire/stored-object.js";
import type { KeyValue, TxnOp } from "../etcd/etcd.js";
import type { Known } from "../ledger/index.js";
import { encodeRecord, type LedgerRecord } from "../ledger/record.js";
import { transform } from "../transform/transform.js";
import type { Wanted } from "../view/source-view.js";
import { CRDS, NAMESPACES } from "../view/source-view.js";
import { Adoption } from "./adoption.js";
import { Hindrance } from "./hindrance.js";
import type { Observation, Outcome } from "./observation.js";
import { OwnerReferences, ownerPaths, type RewrittenOwners } from "./owner-references.js";
import type { Owed, Owing } from "./owing.js";
import type { WriterParts } from "./parts.js";
import {
  compareOf,
  guardOf,
  keysOf,
  leftAt,
  recordOf,
  seenAgain,
  type Guard,
  type Seen,
  type SeenKey,
} from "./seen.js";

/** One object on its way. */
interface Job {
  readonly observation: Observation;
  readonly wanted: Wanted;
  readonly known: Known | undefined;
}

/** What is to be done, after a look. */
type Plan = { readonly kind: "owe"; readonly owed: Owed } | { readonly kind: "nothing" } | Write;

interface Write {
  readonly kind: "write";
  readonly record: LedgerRecord;
  /** Sealed; undefined: the destination's object is as it should be, only the record is written. */
  readonly value: Buffer | undefined;
  /** Owners that the object is written without. */
  readonly missing: readonly string[];
}

export class Put {
  readonly owners: OwnerReferences;
  readonly #hindrance: Hindrance;
  readonly #adoption: Adoption;

  constructor(
    private readonly parts: WriterParts,
    private readonly owing: Owing,
  ) {
    this.owners = new OwnerReferences(parts);
    this.#hindrance = new Hindrance(parts);
    this.#adoption = new Adoption(parts);
  }

  /** @throws FenceLost */
  async run(job: Job): Promise<Outcome> {
    const { path } = job.observation;
    let seen = await this.#firstLook(job);
    for (;;) {
      const hindrance = await this.#hindrance.of(job.wanted);
      if (hindrance.kind === "hindered") {
        return this.owing.owe(path, hindrance.owed, job.wanted.revision);
      }
      const plan = await this.#plan(job, seen);
      if (plan.kind === "owe") return this.owing.owe(path, plan.owed, job.wanted.revision);
      if (plan.kind === "nothing") {
        await this.owing.settle(path);
        return "unchanged";
      }
      const again = await this.#commit(job, seen, plan, hindrance.namespace);
      if (again.kind === "outcome") return again.outcome;
      seen = again.seen;
    }
  }

  /** A new object needs no look: that it is not there is part of the transaction. */
  async #firstLook({ observation, wanted, known }: Job): Promise<Seen> {
    const { books, destination, view } = this.parts;
    const { path } = observation;
    const owners = ownerPaths(wanted, view);
    const blind: Seen = {
      data: { key: destination.prefix.key(path), kv: undefined },
      record: { key: books.keys.own(path), kv: undefined },
      owners: owners.map((owner) => ({ key: books.keys.own(owner), kv: undefined })),
    };
    const mustLook = known !== undefined || owners.length > 0 || books.debts.has(path);
    return mustLook ? this.#look(blind) : blind;
  }

  async #look(seen: Seen): Promise<Seen> {
    return seenAgain(seen, await this.parts.transactions.read(keysOf(seen)));
  }

  async #plan(job: Job, seen: Seen): Promise<Plan> {
    const { wanted } = job;
    const { data, record: recordKey } = seen;
    const record = recordOf(recordKey);
    let existing: StoredObject | undefined;
    if (data.kv !== undefined) {
      const opened = await this.parts.destination.open(data.kv, wanted.at.resource);
      if (opened.kind === "unreadable") return owe("dest-undecryptable", opened.detail);
      existing = opened.object;
    }
    if (existing !== undefined && record === undefined) {
      const verdict = await this.#adoption.verdict(job.observation.path, existing);
      if (verdict === "leave") return owe("occupied", undefined);
    }
    const owners = await this.owners.rewritten(wanted, seen);
    const uid = existing?.meta.uid ?? this.#uid(wanted, record);
    const made = transform({
      source: wanted.object,
      existing,
      kind: this.wireKind(wanted),
      uid,
      owners: owners.references,
      mirrorsStatus: wanted.mirrorsStatus,
    });
    if (made.kind === "unreadable") return owe("source-unreadable", made.message);
    if (made.kind === "same") return this.#same(job, seen, { uid, owners, record });
    if (existing !== undefined && record !== undefined && this.#hasDrifted(job, data, recordKey)) {
      const paths = differingPaths(made.object, existing, this.wireKind(wanted));
      if (this.#drift(job, paths) === "leave") return owe("drifted", paths.join(", "));
    }
    const { key } = data;
    const value = await this.parts.destination.seal(made.object.bytes, key, wanted.at.resource);
    const written = this.#record(wanted, uid, owners, undefined);
    return { kind: "write", record: written, value, missing: owners.missing };
  }

  /** Nothing but the record, and not even that when it says so already. */
  #same(
    { observation, wanted }: Job,
    { data, record: recordKey }: Seen,
    made: {
      readonly uid: string;
      readonly owners: RewrittenOwners;
      readonly record: LedgerRecord | undefined;
    },
  ): Plan {
    const { books, tally } = this.parts;
    const at = data.kv?.modRevision;
    const left = made.record && recordKey.kv && leftAt(made.record, recordKey.kv);
    if (left !== undefined && left !== at) tally.touched += 1;
    const record = this.#record(wanted, made.uid, made.owners, at);
    // Touched: the destination's own controllers write again and again. What the watch notices is kept in memory; the record follows
    // with the next pass or the next change of the source.
    const isKept =
      (left === at || observation.cause === "debt") &&
      made.record !== undefined &&
      sameRecord(made.record, record) &&
      made.owners.missing.length === 0;
    if (isKept && at !== undefined) {
      books.index.set(observation.path, this.#known(wanted, at));
      return { kind: "nothing" };
    }
    return { kind: "write", record, value: undefined, missing: made.owners.missing };
  }

  #record(
    wanted: Wanted,
    destinationUid: string,
    owners: RewrittenOwners,
    destinationRevision: bigint | undefined,
  ): LedgerRecord {
    return {
      sourceRevision: wanted.revision,
      epoch: this.parts.epoch(),
      rule: wanted.rule,
      via: "etcd",
      sourceUid: wanted.object.meta.uid,
      destinationUid,
      destinationRevision,
      owners: owners.held,
    };
  }

  async #commit(
    job: Job,
    seen: Seen,
    plan: Write,
    namespace: Guard | undefined,
  ): Promise<
    | { readonly kind: "outcome"; readonly outcome: Outcome }
    | { readonly kind: "again"; readonly seen: Seen }
  > {
    const { books, transactions, destination } = this.parts;
    const { path } = job.observation;
    const owed: Owed = { code: "owner-missing", detail: plan.missing.join(", ") };
    const debt =
      plan.missing.length === 0 ? undefined : this.owing.debt(path, owed, job.wanted.revision);
    const write: TxnOp[] = [
      { kind: "put", key: seen.record.key, value: encodeRecord(plan.record) },
      ...books.debts.change(path, debt),
    ];
    if (plan.value !== undefined)
      write.push({ kind: "put", key: seen.data.key, value: plan.value });
    const guards = [seen.data, seen.record, ...seen.owners].map(guardOf);
    if (namespace !== undefined) guards.push(namespace);
    const committed = await transactions.commit({
      compare: guards.map(compareOf),
      write,
      look: guards.map(({ key }) => key),
    });
    switch (committed.kind) {
      case "done":
        books.debts.changed(path, debt);
        this.#wrote(job, plan, seen.data.kv, committed.revision);
        return { kind: "outcome", outcome: plan.value === undefined ? "ledger" : "put" };
      case "conflict": {
        if (namespace !== undefined) {
          const now = committed.found[guards.length - 1];
          await destination.sawNamespace(job.wanted.at.namespace ?? "", now);
        }
        return { kind: "again", seen: seenAgain(seen, committed.found) };
      }
      case "unknown":
        return { kind: "again", seen: await this.#look(seen) };
      case "impossible": {
        const detail = `${plan.value?.length ?? 0} bytes: ${committed.why}`;
        const outcome = await this.owing.owe(
          path,
          { code: "too-large", detail },
          job.wanted.revision,
        );
        return { kind: "outcome", outcome };
      }
    }
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
    books.index.set(path, this.#known(wanted, at));
    books.owners.set(path, plan.record.owners);
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

  #known(wanted: Wanted, destinationRevision: bigint): Known {
    return {
      sourceRevision: wanted.revision,
      destinationRevision,
      rule: wanted.rule,
      isCurrent: true,
      isComparable: true,
      via: "etcd",
    };
  }

  /** A new object keeps the source's uid, unless this link has removed that uid, or somebody here has removed the object. */
  #uid(wanted: Wanted, record: LedgerRecord | undefined): string {
    const { uid } = wanted.object.meta;
    const isSpent = record !== undefined || this.parts.books.gone.has(uid);
    return isSpent ? this.parts.freshUid() : uid;
  }

  /** Somebody else wrote it since we did, and not only what is theirs. */
  #hasDrifted({ known }: Job, { kv }: SeenKey, record: SeenKey): boolean {
    if (kv === undefined || record.kv === undefined) return false;
    const written = recordOf(record);
    if (written === undefined || leftAt(written, record.kv) === kv.modRevision) return false;
    return known?.destinationRevision !== kv.modRevision;
  }

  #drift({ observation }: Job, fields: readonly string[]): "repair" | "leave" {
    const { policy, tally, log } = this.parts;
    const { path } = observation;
    if (policy.onDrift === "report") {
      tally.driftReported += 1;
      log.warn({ path, fields }, "changed by somebody else in the destination, left so");
      return "leave";
    }
    tally.driftRepaired += 1;
    log.warn({ path, fields }, "changed by somebody else in the destination, repaired");
    return "repair";
  }

  /** How values of this object's kind are compared. */
  wireKind({ at, object }: Wanted): WireKind {
    const { resource } = at;
    const crd = this.parts.view.catalog.crdOf(resource);
    const version = object.apiVersion.slice(object.apiVersion.indexOf("/") + 1);
    return {
      apiVersion: object.apiVersion,
      kind: object.kind,
      hasStatus: crd?.versions.find(({ name }) => name === version)?.hasStatus ?? true,
      localAnnotations: localAnnotations(resource.group, resource.kind),
    };
  }
}

function owe(code: Owed["code"], detail: string | undefined): Plan {
  return { kind: "owe", owed: { code, detail } };
}

function sameRecord(a: LedgerRecord, b: LedgerRecord): boolean {
  return (
    a.sourceRevision === b.sourceRevision &&
    a.epoch === b.epoch &&
    a.rule === b.rule &&
    a.via === b.via &&
    a.sourceUid === b.sourceUid &&
    a.destinationUid === b.destinationUid &&
    a.owners.join() === b.owners.join()
  );
}
