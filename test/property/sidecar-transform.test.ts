import * as fc from "fast-check";
import { expect, it } from "vitest";
import { transform } from "../../sidecar/transform/transform.js";
import type { StoredObject, WireKind } from "../../sidecar/wire/stored-object.js";
import { entry, envelope, field, number, object, wireKind } from "../fixtures/wire/values.js";

const anyText = fc.string({ unit: "grapheme", maxLength: 8 });
const LOCAL = "deployment.kubernetes.io/revision";
const anyMap = fc.dictionary(fc.oneof(anyText, fc.constant(LOCAL)), anyText, { maxKeys: 3 });

/** What an object says of itself. */
const anyParts = fc.record({
  version: fc.constantFrom("v1", "v2"),
  uid: fc.constantFrom("a", "b", ""),
  generation: fc.integer({ min: 0, max: 300 }),
  created: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  deleting: fc.boolean(),
  labels: anyMap,
  annotations: anyMap,
  finalizers: fc.uniqueArray(
    fc.constantFrom("example.com/x", "kubernetes.io/pvc-protection", "foregroundDeletion", "y"),
  ),
  spec: anyText,
  status: fc.option(anyText, { nil: undefined }),
});
type Parts = typeof anyParts extends fc.Arbitrary<infer T> ? T : never;

/** An autoscaler in protobuf: it has a status, and two versions that are stored. */
function protobuf({ version, uid, generation, created, ...parts }: Parts): Buffer {
  const map = (fieldNumber: number, all: Readonly<Record<string, string>>): readonly Buffer[] =>
    Object.entries(all).map(([key, value]) => entry(fieldNumber, key, value));
  return envelope(`autoscaling/${version}`, "HorizontalPodAutoscaler", [
    field(1, [
      ...[field(1, "web"), field(3, "shop"), field(5, uid), number(7, generation)],
      ...(created === undefined ? [] : [field(8, [number(1, created)])]),
      ...(parts.deleting ? [field(9, [number(1, 5)]), number(10, 30)] : []),
      ...map(11, parts.labels),
      ...map(12, parts.annotations),
      ...parts.finalizers.map((one) => field(14, one)),
      field(17, "managed"),
    ]),
    field(2, parts.spec),
    ...(parts.status === undefined ? [] : [field(3, parts.status)]),
  ]);
}

/** The same in JSON, with as much white space, and with all of metadata twice where that is asked for. */
function json(
  { version, uid, generation, created, ...parts }: Parts,
  space: number,
  twice: boolean,
): Buffer {
  const metadata = {
    ...{ name: "web", namespace: "shop", uid, generation },
    ...(created === undefined ? {} : { creationTimestamp: `2026-01-01T00:00:00.${created}Z` }),
    ...(parts.deleting ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {}),
    ...{ labels: parts.labels, annotations: parts.annotations, finalizers: parts.finalizers },
  };
  const { spec, status } = parts;
  const kind = "HorizontalPodAutoscaler";
  const value = { kind, apiVersion: `autoscaling/${version}`, metadata, spec, status };
  const text = JSON.stringify(value, undefined, space);
  return Buffer.from(
    twice ? text.replace("{", '{"metadata":{"uid":"first","labels":{"x":"1"}},') : text,
  );
}

const anyObject: fc.Arbitrary<StoredObject> = fc
  .oneof(
    anyParts.map(protobuf),
    fc
      .tuple(anyParts, fc.constantFrom(0, 2), fc.boolean())
      .map(([parts, space, twice]) => json(parts, space, twice)),
  )
  .map(object);

function made(source: StoredObject, existing: StoredObject, kind: WireKind): StoredObject | "same" {
  const result = transform({ source, existing, kind, uid: "new", owners: [] });
  if (result.kind === "unreadable") throw new Error(result.message);
  return result.kind === "same" ? "same" : result.object;
}

it("one write makes an object as it should be, whatever was there, and what is the destination's stays", () => {
  const choices = fc.record({ hasStatus: fc.boolean(), mirrorsStatus: fc.boolean() });
  fc.assert(
    fc.property(anyObject, anyObject, choices, (source, existing, choice) => {
      const kind = wireKind(source, { ...choice, localAnnotations: [LOCAL] });

      const first = made(source, existing, kind);

      if (first === "same") return;
      expect(made(source, first, kind)).toBe("same");
      expect(first.meta.uid).toBe(existing.meta.uid);
      expect(first.meta.annotations[LOCAL]).toBe(existing.meta.annotations[LOCAL]);
      const held = existing.meta.finalizers.filter((one) => one !== "foregroundDeletion");
      expect(first.meta.finalizers).toEqual(expect.arrayContaining([...held]));
      expect(first.meta.labels).toEqual(source.meta.labels);
    }),
    { numRuns: 500 },
  );
});
