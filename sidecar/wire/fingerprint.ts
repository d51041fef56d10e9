/**
 * Tells whether two values of the same object may want the same, without one of them: 32 bits of the desired part (desired.ts).
 * Other bits: they differ. The same bits: whoever wants to know compares the values.
 *
 * Kept in memory only. In the ledger it would be an oracle for guessing Secrets.
 */
import { crc32 } from "node:zlib";
import { METADATA, openEnvelope } from "./envelope.js";
import { META } from "./object-meta.js";
import { FieldReader } from "./protobuf.js";
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

/** 1 to 2^32 - 1; 0: not for this encoding. Of a value that was parsed before. @throws Malformed */
export function fingerprint(object: StoredObject): number {
  if (object.encoding !== "protobuf") return 0;
  const { bytes } = object;
  const { raw, metadata } = openEnvelope(bytes);
  const hasStatus = hasProtobufStatus(object);
  let sum = 0;
  if (metadata !== undefined) {
    const fields = new FieldReader(bytes, metadata.start, metadata.end);
    while (fields.next()) {
      if (!PASSED_OVER.has(fields.number)) sum = add(sum, fields, bytes);
    }
  }
  const fields = new FieldReader(bytes, raw.start, raw.end);
  while (fields.next()) {
    const isPassedOver =
      fields.number === METADATA || (hasStatus && fields.number === PROTOBUF_STATUS);
    if (!isPassedOver) sum = add(sum, fields, bytes);
  }
  return sum === 0 ? 1 : sum;
}

function add(sum: number, { start, end }: FieldReader, bytes: Buffer): number {
  return crc32(bytes.subarray(start, end), sum);
}
