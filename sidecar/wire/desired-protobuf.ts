/** The part of desired.ts that looks at protobuf bytes: all that StoredMeta does not hold. */
import { type Envelope, METADATA, openEnvelope } from "./envelope.js";
import { META } from "./object-meta.js";
import { FieldReader, type Span } from "./protobuf.js";
import { hasProtobufStatus, PROTOBUF_STATUS } from "./status-kinds.js";
import type { StoredObject, WireKind } from "./stored-object.js";

/** In ObjectMeta only this one is wanted by a user and not in StoredMeta; a number that is not known yet counts as wanted. */
const META_NAMES = new Map<number, string>([[META.generateName, "generateName"]]);
/** Compared as StoredMeta, or not wanted at all. */
const META_PASSED_OVER: ReadonlySet<number> = new Set(
  Object.values(META).filter((number) => !META_NAMES.has(number)),
);
/** Field 2 of every kind with a status is its spec; a unit test looks it up. */
const NAMES = new Map<number, string>([
  [2, "spec"],
  [PROTOBUF_STATUS, "status"],
]);

export function* differingProtobuf(
  a: StoredObject,
  b: StoredObject,
  { mirrorsStatus }: WireKind,
): Generator<string, void> {
  const [left, right] = [openEnvelope(a.bytes), openEnvelope(b.bytes)];
  const metaOf = (bytes: Buffer, { metadata }: Envelope): Fields =>
    fieldsOf(bytes, metadata ?? { start: 0, end: 0 }, META_PASSED_OVER);
  for (const number of differing(metaOf(a.bytes, left), metaOf(b.bytes, right))) {
    yield `metadata.${META_NAMES.get(number) ?? `field ${number}`}`;
  }
  const hasStatus = hasProtobufStatus(a);
  const passesStatus = hasStatus && !mirrorsStatus;
  const passedOver = new Set(passesStatus ? [METADATA, PROTOBUF_STATUS] : [METADATA]);
  const rawOf = (bytes: Buffer, { raw }: Envelope): Fields => fieldsOf(bytes, raw, passedOver);
  for (const number of differing(rawOf(a.bytes, left), rawOf(b.bytes, right))) {
    yield (hasStatus && NAMES.get(number)) || `field ${number}`;
  }
}

/** Field number -> its occurrences in their order, tags included. */
type Fields = ReadonlyMap<number, readonly Buffer[]>;

function fieldsOf(bytes: Buffer, message: Span, passedOver: ReadonlySet<number>): Fields {
  const fields = new Map<number, Buffer[]>();
  const reader = new FieldReader(bytes, message.start, message.end);
  while (reader.next()) {
    if (passedOver.has(reader.number)) continue;
    const field = bytes.subarray(reader.start, reader.end);
    const before = fields.get(reader.number);
    if (before === undefined) fields.set(reader.number, [field]);
    else before.push(field);
  }
  return fields;
}

function differing(a: Fields, b: Fields): readonly number[] {
  const same = (number: number): boolean =>
    Buffer.concat(a.get(number) ?? []).equals(Buffer.concat(b.get(number) ?? []));
  return [...new Set([...a.keys(), ...b.keys()])].filter((number) => !same(number));
}
