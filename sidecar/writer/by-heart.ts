/**
 * Writing over an object without a look at it first: one round trip instead of two, for what this process itself has written.
 *
 * 1. The transaction compares that the object has the mod_revision of our write, and its record the very text that we wrote with it.
 *    So the object is byte for byte what it was made to be then: nobody has touched it, and it is of the same source uid.
 * 2. Only objects of which nothing is the destination's own are known by heart (contentOf), so what is there now has no part in what
 *    is to be there.
 * 3. What the source wants differs from what was written (fingerprint). Where it may not, there may be nothing to write, so the
 *    destination is looked at, as it is for everything else.
 * 4. Where a compare fails, the transaction answers with what is there, and the object is planned with that: adopted, repaired or left,
 *    by the same rules as ever. Nothing is written over that was not read, but our own.
 */
import type { Compare } from "../etcd/etcd.js";
import type { Known } from "../ledger/index.js";
import { encodeRecord } from "../ledger/record.js";
import { transform } from "../transform/transform.js";
import { wireKindOf } from "../view/wire-kind.js";
import { contentOf, recordFor } from "./made.js";
import type { WriterParts } from "./parts.js";
import type { Job, Write } from "./put-plan.js";

export interface ByHeart {
  readonly plan: Write;
  /** Proves that what is written over is what is known: the object, and its record. */
  readonly compare: readonly Compare[];
}

/** @returns undefined: it has to be looked at. @throws EncryptionUnavailable */
export async function byHeart(parts: WriterParts, job: Job): Promise<ByHeart | undefined> {
  const { observation, wanted } = job;
  const known = knownByHeart(parts, job);
  if (known === undefined) return undefined;
  const { books, destination, view, epoch } = parts;
  const { object: source } = wanted;
  const { uid } = source.meta;
  const kind = wireKindOf(wanted, view.catalog);
  const made = transform({ source, existing: undefined, kind, uid, owners: [] });
  if (made.kind !== "write") return undefined;
  const record = recordFor(wanted, {
    epoch: epoch(),
    destinationUid: uid,
    destinationRevision: undefined,
    owners: [],
  });
  const content = contentOf(made.object, kind, record);
  if (content === 0 || content === known.content) return undefined;
  const key = destination.prefix.key(observation.path);
  const { sourceRevision, rule, destinationRevision } = known;
  const before = encodeRecord({ ...record, sourceRevision, rule });
  const sealed = destination.seal(made.object.bytes, key, wanted.at.resource);
  const value = sealed instanceof Promise ? await sealed : sealed;
  return {
    plan: { kind: "write", record, value, missing: [], unwanted: [], content: () => content },
    compare: [
      { key, target: "mod", is: "=", value: destinationRevision },
      { key: books.keys.own(observation.path), target: "value", is: "=", value: before },
    ],
  };
}

/** What the index knows, where the destination holds our own write and nothing of its own. */
function knownByHeart(
  { books }: WriterParts,
  { observation, wanted, known }: Job,
): Known | undefined {
  if (known === undefined || known.content === 0) return undefined;
  const isOurs = known.isCurrent && known.isComparable && known.via === "etcd";
  const isPlain = wanted.object.meta.ownerReferences.length === 0;
  const isSettled = observation.check !== true && !books.debts.has(observation.path);
  return isOurs && isPlain && isSettled ? known : undefined;
}
