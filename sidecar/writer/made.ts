/** What the books say of an object that was just made. */
import type { Known } from "../ledger/index.js";
import type { LedgerRecord } from "../ledger/record.js";
import type { Wanted } from "../view/source-view.js";
import { fingerprint } from "../wire/fingerprint.js";
import { hasProtobufStatus } from "../wire/status-kinds.js";
import type { StoredObject, WireKind } from "../wire/stored-object.js";

/** @param made with the epoch in force; `destinationRevision` where the object is not written together with its record */
export function recordFor(
  wanted: Wanted,
  made: Pick<LedgerRecord, "epoch" | "destinationUid" | "destinationRevision" | "owners">,
): LedgerRecord {
  return {
    sourceRevision: wanted.revision,
    epoch: made.epoch,
    rule: wanted.rule,
    via: "etcd",
    sourceUid: wanted.object.meta.uid,
    destinationUid: made.destinationUid,
    destinationRevision: made.destinationRevision,
    owners: made.owners,
  };
}

/** What the index keeps of an object that was just made, or found, as it should be. @param content see Known */
export function knownOf(wanted: Wanted, destinationRevision: bigint, content = 0): Known {
  return {
    sourceRevision: wanted.revision,
    destinationRevision,
    rule: wanted.rule,
    isCurrent: true,
    isComparable: true,
    via: "etcd",
    content,
  };
}

/**
 * Known's `content` of an object as it is written: 0 where anything of it is, or may become, the destination's own and would have to
 * be taken over from there: uid, status, generation, finalizers, annotations, references to owners.
 */
export function contentOf(object: StoredObject, kind: WireKind, record: LedgerRecord): number {
  const { generation, finalizers, ownerReferences, annotations } = object.meta;
  const isPlain =
    record.destinationUid === record.sourceUid &&
    generation === 0n &&
    finalizers.length + ownerReferences.length === 0 &&
    kind.localAnnotations.every((name) => annotations[name] === undefined) &&
    object.encoding === "protobuf" &&
    !hasProtobufStatus(object);
  return isPlain ? fingerprint(object) : 0;
}
