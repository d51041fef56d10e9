/** The part of desired.ts that looks at JSON text: all that StoredMeta does not hold, structure by structure. */
import { elementsAt, isListAt, isObjectAt, isTextAt, objectAt, textIn } from "./json-text.js";
import type { Span } from "./protobuf.js";
import type { WireKind } from "./stored-object.js";

/** Members of metadata that are compared as StoredMeta, or not wanted at all. */
const META_PASSED_OVER: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "clusterName",
  "initializers",
  "managedFields",
]);
const HEAD: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);
const HEAD_AND_STATUS: ReadonlySet<string> = new Set([...HEAD, "status"]);
const NONE: ReadonlySet<string> = new Set();

/** Deeper than any schema; what lies below is compared byte by byte, so that a hostile value costs no stack. */
const MAX_DEPTH = 100;

export function* differingJson(a: Buffer, b: Buffer, kind: WireKind): Generator<string, void> {
  const passedOver = kind.hasStatus && !kind.mirrorsStatus ? HEAD_AND_STATUS : HEAD;
  const whole = (bytes: Buffer): Value => ({ bytes, start: 0, end: bytes.length });
  yield* differingObjects(whole(a), whole(b), { path: "", depth: 0 }, passedOver);
  const metadata = { path: "metadata", depth: 1 };
  yield* differingObjects(metadataOf(a), metadataOf(b), metadata, META_PASSED_OVER);
}

/** A value in a text. */
interface Value extends Span {
  readonly bytes: Buffer;
}

const EMPTY_OBJECT: Value = { bytes: Buffer.from("{}"), start: 0, end: 2 };

function metadataOf(bytes: Buffer): Value {
  const metadata = membersOf({ bytes, start: 0, end: bytes.length }).get("metadata");
  return metadata !== undefined && isObjectAt(bytes, metadata.start) ? metadata : EMPTY_OBJECT;
}

function* differingObjects(
  a: Value,
  b: Value,
  place: Place,
  passedOver: ReadonlySet<string>,
): Generator<string, void> {
  const [left, right] = [membersOf(a), membersOf(b)];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (passedOver.has(key)) continue;
    const path = place.path === "" ? key : `${place.path}.${key}`;
    const [one, other] = [left.get(key), right.get(key)];
    if (one === undefined || other === undefined) yield path;
    else yield* differingValues(one, other, { path, depth: place.depth + 1 });
  }
}

/** Where in the object something stands. */
interface Place {
  readonly path: string;
  readonly depth: number;
}

/** The last of several members with one key counts. */
function membersOf({ bytes, start }: Value): ReadonlyMap<string, Value> {
  return new Map(
    objectAt(bytes, start).members.map(({ key, valueStart, valueEnd }) => [
      key,
      { bytes, start: valueStart, end: valueEnd },
    ]),
  );
}

function* differingValues(a: Value, b: Value, place: Place): Generator<string, void> {
  if (a.bytes.compare(b.bytes, b.start, b.end, a.start, a.end) === 0) return;
  const both = (is: (bytes: Buffer, at: number) => boolean): boolean =>
    is(a.bytes, a.start) && is(b.bytes, b.start);
  if (place.depth > MAX_DEPTH) yield place.path;
  else if (both(isObjectAt)) yield* differingObjects(a, b, place, NONE);
  else if (both(isListAt)) yield* differingLists(a, b, place);
  else if (!both(isTextAt) || textIn(a.bytes, a) !== textIn(b.bytes, b)) yield place.path;
}

function* differingLists(a: Value, b: Value, { path, depth }: Place): Generator<string, void> {
  const [left, right] = [elementsAt(a.bytes, a.start), elementsAt(b.bytes, b.start)];
  if (left.length !== right.length) {
    yield path;
    return;
  }
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other === undefined) return;
    const place = { path: `${path}[${index}]`, depth: depth + 1 };
    yield* differingValues({ bytes: a.bytes, ...one }, { bytes: b.bytes, ...other }, place);
  }
}
