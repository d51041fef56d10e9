/** What is to be done about one object, after a look at what the destination holds under its name. */
import type { Known } from "../ledger/index.js";
import type { LedgerRecord } from "../ledger/record.js";
import { transform } from "../transform/transform.js";
import type { Wanted } from "../view/source-view.js";
import { wireKindOf } from "../view/wire-kind.js";
import { differingPaths } from "../wire/desired.js";
import type { OwnerReference, StoredObject, WireKind } from "../wire/stored-object.js";
import { Adoption } from "./adoption.js";
import { asRecorded } from "./as-recorded.js";
import { contentOf, knownOf, recordFor } from "./made.js";
import type { Observation } from "./observation.js";
import { OwnerReferences, type RewrittenOwners } from "./owner-references.js";
import type { Owed } from "./owing.js";
import type { WriterParts } from "./parts.js";
import { leftAt, recordOf, type Seen } from "./seen.js";

/** One object on its way. */
export interface Job {
  readonly observation: Observation;
  readonly wanted: Wanted;
  readonly known: Known | undefined;
}

/** What is to be done, after a look. */
export type Plan =
  { readonly kind: "owe"; readonly owed: Owed } | { readonly kind: "nothing" } | Write;

export interface Write {
  readonly kind: "write";
  readonly record: LedgerRecord;
  /** Sealed; undefined: the destination's object is as it should be, only the record is written. */
  readonly value: Buffer | undefined;
  /** Owners that the object is written without, and that are to come. */
  readonly missing: readonly string[];
  /** Owners that the object is written without because nobody wants them. */
  readonly unwanted: readonly string[];
  /** See Known. Worked out where it is wanted: not for what goes together with others. */
  readonly content: () => number;
}

/** What is to be, beside what is there. */
interface Compared {
  readonly object: StoredObject;
  readonly existing: StoredObject;
  readonly kind: WireKind;
  /** To owners, rewritten for the destination. */
  readonly references: readonly OwnerReference[];
}

const NOT_THERE = { kind: "free", existing: undefined } as const;

export class PutPlan {
  readonly owners: OwnerReferences;
  readonly #adoption: Adoption;

  constructor(private readonly parts: WriterParts) {
    this.owners = new OwnerReferences(parts);
    this.#adoption = new Adoption(parts);
  }

  async of(job: Job, seen: Seen): Promise<Plan> {
    const { wanted } = job;
    const record = recordOf(seen.record);
    const found = seen.data.kv === undefined ? NOT_THERE : await this.#existing(job, seen, record);
    if (found.kind === "owe") return found;
    const { existing } = found;
    const rewritten = this.owners.rewritten(wanted, seen);
    const owners = rewritten instanceof Promise ? await rewritten : rewritten;
    const uid = existing?.meta.uid ?? this.#uid(wanted, record);
    const kind = wireKindOf(wanted, this.parts.view.catalog);
    const source = wanted.object;
    const references = owners.references;
    const made = transform({ source, existing, kind, uid, owners: references });
    if (made.kind === "unreadable") return owe("source-unreadable", made.message);
    if (made.kind === "same") return this.#same(job, seen, { uid, owners, record });
    if (existing !== undefined && this.#isTouched(job, seen, record)) {
      const now = { object: made.object, existing, kind, references };
      const left = await this.#left(job, record, now);
      if (left !== undefined) return left;
    }
    const { key } = seen.data;
    const sealed = this.parts.destination.seal(made.object.bytes, key, wanted.at.resource);
    const value = sealed instanceof Promise ? await sealed : sealed;
    const written = this.#record(wanted, uid, owners, undefined);
    return {
      kind: "write",
      record: written,
      value,
      missing: owners.missing,
      unwanted: owners.unwanted,
      content: () => contentOf(made.object, kind, written),
    };
  }

  /** The destination's object, if we may write over it. */
  async #existing(
    { wanted, observation }: Job,
    { data }: Seen,
    record: LedgerRecord | undefined,
  ): Promise<
    | { readonly kind: "free"; readonly existing: StoredObject | undefined }
    | Extract<Plan, { kind: "owe" }>
  > {
    if (data.kv === undefined) return NOT_THERE;
    const opened = await this.parts.destination.open(data.kv, wanted.at.resource);
    if (opened.kind === "unreadable") return owe("dest-undecryptable", opened.detail);
    const existing = opened.object;
    const isForeign = record === undefined;
    if (isForeign && (await this.#adoption.verdict(observation.path, existing)) === "leave") {
      return owe("occupied", undefined);
    }
    return { kind: "free", existing };
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
    const { books, tally, destination } = this.parts;
    const { path } = observation;
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
      // It may have been written just now, and the answer was lost: then nothing of it is known here yet.
      books.index.set(path, knownOf(wanted, at));
      books.owners.set(path, record.owners);
      books.longing.set(path, made.owners.unwanted);
      destination.forget(path);
      return { kind: "nothing" };
    }
    return {
      kind: "write",
      record,
      value: undefined,
      missing: made.owners.missing,
      unwanted: made.owners.unwanted,
      content: () => 0,
    };
  }

  #record(
    wanted: Wanted,
    destinationUid: string,
    owners: RewrittenOwners,
    destinationRevision: bigint | undefined,
  ): LedgerRecord {
    const epoch = this.parts.epoch();
    return recordFor(wanted, { epoch, destinationUid, destinationRevision, owners: owners.held });
  }

  /** A new object keeps the source's uid, unless this link has removed that uid, or somebody here has removed the object. */
  #uid(wanted: Wanted, record: LedgerRecord | undefined): string {
    const { uid } = wanted.object.meta;
    const isSpent = record !== undefined || this.parts.books.gone.has(uid);
    return isSpent ? this.parts.freshUid() : uid;
  }

  /** Somebody else wrote it since we did. */
  #isTouched(
    { known }: Job,
    { data, record: key }: Seen,
    record: LedgerRecord | undefined,
  ): record is LedgerRecord {
    if (data.kv === undefined || key.kv === undefined || record === undefined) return false;
    const { modRevision } = data.kv;
    return leftAt(record, key.kv) !== modRevision && known?.destinationRevision !== modRevision;
  }

  /** What somebody has changed stays, where that is the policy. @returns undefined: it is written over */
  async #left(job: Job, record: LedgerRecord, now: Compared): Promise<Plan | undefined> {
    const paths = await this.#changedByOthers(job, record, now);
    if (paths.length === 0) return undefined;
    const isLeft = this.#drift(job.observation.path, paths) === "leave";
    return isLeft ? owe("drifted", paths.join(", ")) : undefined;
  }

  /**
   * Where the destination's object is not what it was made to be: none when only what is the destination's own was written.
   * Where that cannot be told any more, it is what the source wants now that counts.
   */
  async #changedByOthers(
    { observation, wanted }: Job,
    record: LedgerRecord,
    { object, existing, kind, references }: Compared,
  ): Promise<readonly string[]> {
    const hasMoved = record.sourceRevision !== wanted.revision;
    const before = hasMoved ? await asRecorded(this.parts, observation.path, record) : undefined;
    if (before === undefined) return differingPaths(object, existing, kind);
    const { object: source, mirrorsStatus } = before;
    const { uid } = existing.meta;
    const kindThen = { ...kind, mirrorsStatus };
    const made = transform({ source, existing, kind: kindThen, uid, owners: references });
    switch (made.kind) {
      case "same":
        this.parts.tally.touched += 1;
        return [];
      case "write":
        return differingPaths(made.object, existing, kindThen);
      case "unreadable":
        return differingPaths(object, existing, kind);
    }
  }

  #drift(path: string, fields: readonly string[]): "repair" | "leave" {
    const { policy, tally, log } = this.parts;
    if (policy.onDrift === "report") {
      tally.driftReported += 1;
      log.warn({ path, fields }, "changed by somebody else in the destination, left so");
      return "leave";
    }
    tally.driftRepaired += 1;
    log.warn({ path, fields }, "changed by somebody else in the destination, repaired");
    return "repair";
  }
}

function owe(
  code: Owed["code"],
  detail: string | undefined,
): { readonly kind: "owe"; readonly owed: Owed } {
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
