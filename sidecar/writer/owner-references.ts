/**
 * The references that an object may carry in the destination: rewritten to the owner's uid there, and only to an owner that this
 * link has written. The garbage collector deletes what refers to an owner that it does not find.
 */
import { ownersOf } from "../transform/owner-paths.js";
import type { SourceView, Wanted } from "../view/source-view.js";
import type { OwnerReference } from "../wire/stored-object.js";
import { recordOf, type Seen } from "./seen.js";
import type { WriterParts } from "./parts.js";

export interface RewrittenOwners {
  readonly references: readonly OwnerReference[];
  /** Paths of the owners that are referred to. */
  readonly held: readonly string[];
  /** Paths of owners that are not in the destination, and are to be. */
  readonly missing: readonly string[];
  /** Paths of owners that are not in the destination, and that nobody wants there now. */
  readonly unwanted: readonly string[];
}

const NO_OWNERS: RewrittenOwners = { references: [], held: [], missing: [], unwanted: [] };

/** Paths of the owners, in the order in which their records are read. */
export function ownerPaths(wanted: Wanted, view: SourceView): readonly string[] {
  const { ownerReferences } = wanted.object.meta;
  if (ownerReferences.length === 0) return [];
  return ownersOf(wanted.at, ownerReferences, view.catalog).map(({ path }) => path);
}

export class OwnerReferences {
  /** Owners that are about to be removed: whoever is written now lets go of them. */
  readonly departing = new Set<string>();

  constructor(private readonly parts: WriterParts) {}

  /** @param seen with a record, or none, for each of `ownerPaths` */
  rewritten(wanted: Wanted, seen: Seen): RewrittenOwners | Promise<RewrittenOwners> {
    const hasNone = wanted.object.meta.ownerReferences.length === 0;
    return hasNone ? NO_OWNERS : this.#rewritten(wanted, seen);
  }

  async #rewritten(wanted: Wanted, seen: Seen): Promise<RewrittenOwners> {
    const { view } = this.parts;
    const references: OwnerReference[] = [];
    const held: string[] = [];
    const missing: string[] = [];
    const unwanted: string[] = [];
    const owners = ownersOf(wanted.at, wanted.object.meta.ownerReferences, view.catalog);
    for (const [index, { reference, path }] of owners.entries()) {
      const slot = seen.owners[index];
      const record = slot === undefined || this.departing.has(path) ? undefined : recordOf(slot);
      if (record?.sourceUid === reference.uid) {
        references.push({ ...reference, uid: record.destinationUid });
        held.push(path);
      } else if (!this.departing.has(path) && (await this.#isToCome(path, reference.uid))) {
        missing.push(path);
      } else {
        unwanted.push(path);
      }
    }
    return { references, held, missing, unwanted };
  }

  /** Is this very owner in the source, and wanted? An owner that no rule wants is never waited for. */
  async #isToCome(path: string, uid: string): Promise<boolean> {
    const { source, sourcePrefix, view, transactions } = this.parts;
    const key = sourcePrefix.key(path);
    const at = view.catalog.fromKey(key);
    if (at === undefined || !view.rules.wants(at.resource)) return false;
    const { kvs } = await source.range({ key }, { signal: transactions.signal });
    const reading = await view.read(kvs[0]);
    return reading.kind === "wanted" && reading.object.meta.uid === uid;
  }
}
