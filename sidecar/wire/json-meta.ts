/**
 * A JSON value's metadata: from a parsed copy, since JSON.parse loses integers above 2^53 and the original bytes are what is
 * forwarded.
 */
import { memberOf, type JsonObject, objectAt } from "./json-text.js";
import { textMap } from "./object-meta.js";
import { Malformed } from "./protobuf.js";
import type { OwnerReference, StoredMeta, StoredObject } from "./stored-object.js";

/** Duplicate keys: the last one counts, for JSON.parse as for Go. @throws Malformed */
export function parseJson(bytes: Buffer): StoredObject {
  const root = record(parsed(bytes), "the value");
  const apiVersion = text(root["apiVersion"], "apiVersion");
  const kind = text(root["kind"], "kind");
  if (apiVersion === "" || kind === "") throw new Malformed("its kind is empty");
  const metadata = record(root["metadata"] ?? {}, "metadata");
  return { encoding: "json", apiVersion, kind, meta: metaOf(metadata, bytes), bytes };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // The parser's own message quotes the text, and the text may be a Secret.
    throw new Malformed("it is no JSON");
  }
}

function metaOf(metadata: Record<string, unknown>, bytes: Buffer): StoredMeta {
  return {
    name: text(metadata["name"], "metadata.name"),
    namespace: text(metadata["namespace"], "metadata.namespace"),
    uid: text(metadata["uid"], "metadata.uid"),
    generation: generation(metadata["generation"], bytes),
    deleting: (metadata["deletionTimestamp"] ?? null) !== null,
    labels: texts(metadata["labels"], "metadata.labels"),
    annotations: texts(metadata["annotations"], "metadata.annotations"),
    ownerReferences: list(metadata["ownerReferences"], "metadata.ownerReferences").map(owner),
    finalizers: list(metadata["finalizers"], "metadata.finalizers").map((one) =>
      text(one, "metadata.finalizers"),
    ),
  };
}

function generation(value: unknown, bytes: Buffer): bigint {
  if (value === undefined || value === null) return 0n;
  if (typeof value !== "number") throw new Malformed("metadata.generation is no number");
  if (Number.isSafeInteger(value)) return BigInt(value);
  const spelled = spelledGeneration(bytes, objectAt(bytes, 0));
  if (!/^-?\d+$/.test(spelled)) throw new Malformed("metadata.generation is no integer");
  return BigInt(spelled);
}

function spelledGeneration(bytes: Buffer, root: JsonObject): string {
  const metadata = memberOf(root, "metadata");
  const member = metadata && memberOf(objectAt(bytes, metadata.valueStart), "generation");
  return bytes.toString("latin1", member?.valueStart, member?.valueEnd);
}

function owner(value: unknown): OwnerReference {
  const reference = record(value, "an owner reference");
  return {
    apiVersion: text(reference["apiVersion"], "an owner's apiVersion"),
    kind: text(reference["kind"], "an owner's kind"),
    name: text(reference["name"], "an owner's name"),
    uid: text(reference["uid"], "an owner's uid"),
    controller: flag(reference["controller"], "an owner's controller"),
    blockOwnerDeletion: flag(reference["blockOwnerDeletion"], "an owner's blockOwnerDeletion"),
  };
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Malformed(`${what} is no object`);
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Malformed(`${what} is no list`);
  return value;
}

/** Absent and null are "", as Go reads them. */
function text(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") throw new Malformed(`${what} is no text`);
  return value;
}

function flag(value: unknown, what: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw new Malformed(`${what} is neither true nor false`);
  return value;
}

function texts(value: unknown, what: string): Readonly<Record<string, string>> {
  const map = textMap();
  if (value === undefined || value === null) return map;
  for (const [key, one] of Object.entries(record(value, what))) map[key] = text(one, what);
  return map;
}
