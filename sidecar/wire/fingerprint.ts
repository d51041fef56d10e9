/**
 * Tells whether two values of the same object may want the same, without one of them: 32 bits of the desired part (desired.ts).
 * Other bits: they differ. The same bits: whoever wants to know compares the values.
 *
 * Kept in memory only. In the ledger it would be an oracle for guessing Secrets.
 */
import { crc32 } from "node:zlib";
import { METADATA, openEnvelope } from "./envelope.js";
import { META } from "./object-meta.js";
import { FieldReader, type Span } from "./protobuf.js";
import { hasProtobufStatus, PROTOBUF_STATUS } from "./status-kinds.js";
import type { StoredObject } from "./stored-object.js";

/** What every write of an API server changes, or what belongs to one side. Of all else desired.ts takes no less into account. */
const PASSED_OVER: ReadonlySet<number> = new Set([
  META.selfLink,
  META.uid,
  META.resourceVersion,
  META.generation,
  META.creationTimestamp,
  META.clusterName,
  META.initializers,
  META.managedFields,
]);

/** Of the object itself. */
const WITHOUT_STATUS: ReadonlySet<number> = new Set([METADATA]);
const WITH_STATUS: ReadonlySet<number> = new Set([METADATA, PROTOBUF_STATUS]);

/** 1 to 2^32 - 1; 0: not for this encoding. Of a value that was parsed before. @throws Malformed */
export function fingerprint(object: StoredObject): number {
  if (object.encoding !== "protobuf") return 0;
  const { bytes } = object;
  const { raw, metadata } = openEnvelope(bytes);
  const hasStatus = hasProtobufStatus(object);
  const ofMeta = metadata === undefined ? 0 : summed(bytes, metadata, PASSED_OVER, 0);
  return summed(bytes, raw, hasStatus ? WITH_STATUS : WITHOUT_STATUS, ofMeta) || 1;
}

/** Of all fields that are not passed over, each stretch of them at once. */
function summed(
  bytes: Buffer,
  { start, end }: Span,
  passedOver: ReadonlySet<number>,
  before: number,
): number {
  const fields = new FieldReader(bytes, start, end);
  let sum = before;
  let from = start;
  while (fields.next()) {
    if (!passedOver.has(fields.number)) continue;
    if (fields.start > from) sum = crc32(bytes.subarray(from, fields.start), sum);
    from = fields.end;
  }
  return end > from ? crc32(bytes.subarray(from, end), sum) : sum;
}
