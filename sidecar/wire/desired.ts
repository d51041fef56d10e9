/**
 * The desired part of a value: what its users want, without what the cluster writes in which it lives. Two values with the
 * same desired part need no write.
 *
 * Not compared: status (where the kind has one, and the rule does not want the source's), uid, resourceVersion, generation,
 * selfLink, managedFields, local annotations, and what newer servers no longer know (clusterName, initializers).
 * creationTimestamp is not compared either: it tells when *that* object was made, on update the mirror leaves the
 * destination's, and comparing it would call every adopted object different for ever. ownerReferences and finalizers *are*
 * compared, as they stand in both values: the caller gives what it would write, rewriting done.
 *
 * Maps are compared without order, numbers of JSON as they are spelled, everything else of protobuf byte by byte: without a
 * schema nobody can tell an empty field from a missing one that means something. So values of servers that encode
 * differently may be called different though they mean the same; they are never called the same though they differ.
 */
import { differingJson } from "./desired-json.js";
import { differingProtobuf } from "./desired-protobuf.js";
import { sameList, sameOwner } from "./edit.js";
import type { StoredMeta, StoredObject, WireKind } from "./stored-object.js";

/** Enough for a log line; a person looks at the objects then. */
const MAX_PATHS = 20;

/** Do the two want the same? @param b the destination's, which may be of a newer version */
export function sameDesired(a: StoredObject, b: StoredObject, kind: WireKind): boolean {
  return a.bytes.equals(b.bytes) || walk(a, b, kind).next().done === true;
}

/**
 * Where they differ: at most 20 paths, each once, never a value: `metadata.labels[tier]`, `spec.ports[0].port` (JSON),
 * `spec`, `field 2` (protobuf, where only some names are known without a schema). `encoding` when one is JSON and the other
 * is not.
 */
export function differingPaths(
  a: StoredObject,
  b: StoredObject,
  kind: WireKind,
): readonly string[] {
  if (a.bytes.equals(b.bytes)) return [];
  const paths = new Set<string>();
  for (const path of walk(a, b, kind)) {
    paths.add(path);
    if (paths.size === MAX_PATHS) break;
  }
  return [...paths];
}

/** Lazily: whoever only asks whether there is a difference pays for the first one. */
function* walk(a: StoredObject, b: StoredObject, kind: WireKind): Generator<string, void> {
  if (a.encoding !== b.encoding) {
    yield "encoding";
    return;
  }
  if (a.apiVersion !== b.apiVersion && !kind.newerVersions.includes(b.apiVersion)) {
    yield "apiVersion";
  }
  if (a.kind !== b.kind) yield "kind";
  yield* differingMeta(a.meta, b.meta, kind);
  switch (a.encoding) {
    case "protobuf":
      yield* differingProtobuf(a, b, kind);
      break;
    case "json":
      yield* differingJson(a.bytes, b.bytes, kind);
      break;
  }
}

/** What StoredMeta holds; the rest of metadata is compared where the bytes are. */
function* differingMeta(a: StoredMeta, b: StoredMeta, kind: WireKind): Generator<string, void> {
  if (a.name !== b.name) yield "metadata.name";
  if (a.namespace !== b.namespace) yield "metadata.namespace";
  if (a.deleting !== b.deleting) yield "metadata.deletionTimestamp";
  yield* differingKeys(a.labels, b.labels, "metadata.labels", []);
  yield* differingKeys(a.annotations, b.annotations, "metadata.annotations", kind.localAnnotations);
  if (!sameList(a.ownerReferences, b.ownerReferences, sameOwner)) yield "metadata.ownerReferences";
  if (!sameList(a.finalizers, b.finalizers, Object.is)) yield "metadata.finalizers";
}

function* differingKeys(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
  path: string,
  except: readonly string[],
): Generator<string, void> {
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (a[key] !== b[key] && !except.includes(key)) yield `${path}[${key}]`;
  }
}
