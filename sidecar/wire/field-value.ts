/**
 * Values of single fields, for field selectors. Objects in JSON are open: any path of members can be asked for. A protobuf
 * value has no names in it, so of built-in kinds only those fields are known that the API itself offers for field selectors
 * (Source: `GetAttrs` and `AddFieldLabelConversionFunc` of each kind in kubernetes pkg/registry and pkg/apis), with their
 * numbers from generated.proto.
 */
import { isListAt, isObjectAt, isTextAt, memberOf, objectAt, textIn } from "./json-text.js";
import { openEnvelope } from "./envelope.js";
import { FieldReader } from "./protobuf.js";
import { type BuiltInField, builtInFields } from "./selectable-fields.js";
import type { StoredObject } from "./stored-object.js";

const META_FIELDS = ["metadata.name", "metadata.namespace"] as const;

/**
 * The fields that a selector can ask a built-in kind for. Not for CustomResourceDefinitions, APIServices and objects of
 * CRDs: they are stored as JSON, where every path is possible.
 */
export function knownFields(group: string, kind: string): readonly string[] {
  return [...META_FIELDS, ...builtInFields(group, kind).keys()];
}

/**
 * The field's value as text: numbers and booleans as they are spelled, null is "". A known field of a built-in kind that is
 * not there has its zero value, as for the API server. undefined: no such field, or an object or list stands there.
 *
 * @param path with dots, "spec.nodeName"; a dot at the beginning is allowed
 */
export function fieldValue(object: StoredObject, path: string): string | undefined {
  const plain = path.startsWith(".") ? path.slice(1) : path;
  if (plain === "metadata.name") return object.meta.name;
  if (plain === "metadata.namespace") return object.meta.namespace;
  const field = builtInFields(groupOf(object.apiVersion), object.kind).get(plain);
  switch (object.encoding) {
    case "protobuf":
      return field && protobufValue(object, field);
    case "json":
      return jsonValue(object.bytes, (field?.json ?? plain).split(".")) ?? field?.zero;
  }
}

function groupOf(apiVersion: string): string {
  return apiVersion.slice(0, Math.max(0, apiVersion.indexOf("/")));
}

function jsonValue(bytes: Buffer, path: readonly string[]): string | undefined {
  let at = 0;
  let end = 0;
  for (const name of path) {
    if (!isObjectAt(bytes, at)) return undefined;
    const member = memberOf(objectAt(bytes, at), name);
    if (member === undefined) return undefined;
    at = member.valueStart;
    end = member.valueEnd;
  }
  if (isObjectAt(bytes, at) || isListAt(bytes, at)) return undefined;
  if (isTextAt(bytes, at)) return textIn(bytes, { start: at, end });
  const spelled = bytes.toString("latin1", at, end);
  return spelled === "null" ? "" : spelled;
}

function protobufValue({ bytes }: StoredObject, field: BuiltInField): string {
  const { raw } = openEnvelope(bytes);
  let reader: FieldReader = new FieldReader(bytes, raw.start, raw.end);
  for (const number of field.numbers.slice(0, -1)) {
    if (!moveTo(reader, number)) return field.zero;
    reader = reader.message();
  }
  if (!moveTo(reader, field.numbers.at(-1) ?? 0)) return field.zero;
  switch (field.type) {
    case "text":
      return reader.text();
    case "number":
      return BigInt.asIntN(64, reader.bigint()).toString();
    case "flag":
      return reader.bigint() === 0n ? "false" : "true";
  }
}

/** None of these fields is repeated, and Go writes each once. */
function moveTo(reader: FieldReader, number: number): boolean {
  while (reader.next()) if (reader.number === number) return true;
  return false;
}
