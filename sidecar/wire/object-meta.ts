/** ObjectMeta by its field numbers. Source: apimachinery pkg/apis/meta/v1/generated.proto. */
import { bytesField, FieldReader, type Span, varintField } from "./protobuf.js";
import type { OwnerReference, StoredMeta } from "./stored-object.js";

/**
 * Field numbers. 15 (clusterName) and 16 (initializers) are gone from Kubernetes, but old values still hold them; like every
 * number that is not named here they are passed over by reading and kept by editing.
 */
export const META = {
  name: 1,
  generateName: 2,
  namespace: 3,
  selfLink: 4,
  uid: 5,
  resourceVersion: 6,
  generation: 7,
  creationTimestamp: 8,
  deletionTimestamp: 9,
  deletionGracePeriodSeconds: 10,
  labels: 11,
  annotations: 12,
  ownerReferences: 13,
  finalizers: 14,
  clusterName: 15,
  initializers: 16,
  managedFields: 17,
} as const;

/** OwnerReference: field numbers; 2 is unused. */
const OWNER = {
  kind: 1,
  name: 3,
  uid: 4,
  apiVersion: 5,
  controller: 6,
  blockOwnerDeletion: 7,
} as const;

/** A map's entry: field numbers. */
const ENTRY = { key: 1, value: 2 } as const;

/** @throws Malformed */
export function readMeta(bytes: Buffer, span: Span | undefined): StoredMeta {
  const meta = emptyMeta();
  if (span === undefined) return meta;
  const reader = new FieldReader(bytes, span.start, span.end);
  while (reader.next()) readField(reader, meta);
  return meta;
}

/** What is being read; handed out as StoredMeta when complete. */
interface MetaInTheMaking extends StoredMeta {
  name: string;
  namespace: string;
  uid: string;
  generation: bigint;
  deleting: boolean;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly ownerReferences: OwnerReference[];
  readonly finalizers: string[];
}

function emptyMeta(): MetaInTheMaking {
  return {
    name: "",
    namespace: "",
    uid: "",
    generation: 0n,
    deleting: false,
    labels: textMap(),
    annotations: textMap(),
    ownerReferences: [],
    finalizers: [],
  };
}

/** Without a prototype: a label may be called `constructor` or `__proto__`. */
export function textMap(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

function readField(reader: FieldReader, meta: MetaInTheMaking): void {
  switch (reader.number) {
    case META.name:
      meta.name = reader.text();
      break;
    case META.namespace:
      meta.namespace = reader.text();
      break;
    case META.uid:
      meta.uid = reader.text();
      break;
    case META.generation:
      meta.generation = BigInt.asIntN(64, reader.bigint());
      break;
    case META.deletionTimestamp:
      meta.deleting = true;
      break;
    case META.labels:
      readEntry(reader, meta.labels);
      break;
    case META.annotations:
      readEntry(reader, meta.annotations);
      break;
    case META.ownerReferences:
      meta.ownerReferences.push(readOwner(reader.message()));
      break;
    case META.finalizers:
      meta.finalizers.push(reader.text());
      break;
  }
}

function readEntry(reader: FieldReader, into: Record<string, string>): void {
  const { key, value } = mapEntry(reader);
  into[key] = value;
}

/** One entry of a map of texts, from a reader that stands on it. What is absent is "". @throws Malformed */
export function mapEntry(reader: FieldReader): { readonly key: string; readonly value: string } {
  const entry = reader.message();
  let key = "";
  let value = "";
  while (entry.next()) {
    if (entry.number === ENTRY.key) key = entry.text();
    else if (entry.number === ENTRY.value) value = entry.text();
  }
  return { key, value };
}

function readOwner(reader: FieldReader): OwnerReference {
  const texts = new Map<number, string>();
  const flags = new Map<number, boolean>();
  while (reader.next()) {
    const { number } = reader;
    if (number === OWNER.controller || number === OWNER.blockOwnerDeletion) {
      flags.set(number, reader.bigint() !== 0n);
    } else if (number <= OWNER.apiVersion) texts.set(number, reader.text());
  }
  return {
    apiVersion: texts.get(OWNER.apiVersion) ?? "",
    kind: texts.get(OWNER.kind) ?? "",
    name: texts.get(OWNER.name) ?? "",
    uid: texts.get(OWNER.uid) ?? "",
    controller: flags.get(OWNER.controller),
    blockOwnerDeletion: flags.get(OWNER.blockOwnerDeletion),
  };
}

/** As Go's encoder writes it: texts also when empty, flags only when set. */
export function ownerField(owner: OwnerReference): Buffer {
  const flag = (number: number, value: boolean | undefined): readonly Buffer[] =>
    value === undefined ? [] : [varintField(number, value ? 1 : 0)];
  return bytesField(META.ownerReferences, [
    bytesField(OWNER.kind, owner.kind),
    bytesField(OWNER.name, owner.name),
    bytesField(OWNER.uid, owner.uid),
    bytesField(OWNER.apiVersion, owner.apiVersion),
    ...flag(OWNER.controller, owner.controller),
    ...flag(OWNER.blockOwnerDeletion, owner.blockOwnerDeletion),
  ]);
}

/** One entry of a map of texts as Go's encoder writes it. */
export function entryField(number: number, key: string, value: string): Buffer {
  return bytesField(number, [bytesField(ENTRY.key, key), bytesField(ENTRY.value, value)]);
}
