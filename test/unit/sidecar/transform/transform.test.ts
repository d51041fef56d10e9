import { describe, expect, it } from "vitest";
import { transform, type TransformInput } from "../../../../sidecar/transform/transform.js";
import type { StoredObject } from "../../../../sidecar/wire/stored-object.js";
import { envelope, field, json, number, object, wireKind } from "../../../fixtures/wire/values.js";

/** What is to be in the destination; "same" when that is there already. */
function made(
  source: StoredObject,
  existing: StoredObject | undefined,
  more: Partial<TransformInput["kind"]> = {},
): Buffer | "same" {
  const kind = wireKind(source, more);
  const result = transform({ source, existing, kind, uid: "new", owners: [] });
  if (result.kind === "unreadable") throw new Error(result.message);
  return result.kind === "same" ? "same" : result.object.bytes;
}

interface Parts {
  readonly version?: string;
  readonly uid?: string;
  readonly generation?: number;
  /** Seconds; undefined: not said. */
  readonly created?: number;
  readonly finalizers?: readonly string[];
  readonly replicas?: number;
  readonly status?: readonly Buffer[];
}

/** A HorizontalPodAutoscaler: of all kinds the one whose status has other fields in another version that is stored. */
function autoscaler({ version = "v2", uid = "there", created, ...parts }: Parts): Buffer {
  const { generation = 0, finalizers = [], replicas = 1, status } = parts;
  return envelope(`autoscaling/${version}`, "HorizontalPodAutoscaler", [
    field(1, [
      field(1, "web"),
      field(5, uid),
      number(7, generation),
      ...(created === undefined ? [] : [field(8, [number(1, created)])]),
      ...finalizers.map((one) => field(14, one)),
    ]),
    field(2, [number(2, replicas)]),
    ...(status === undefined ? [] : [field(3, status)]),
  ]);
}
const stored = (parts: Parts): StoredObject => object(autoscaler(parts));

/** Of a version 1 status, the CPU in percent; in version 2 field 5 is a list of messages. */
const CPU_OF_V1 = number(5, 80);

describe("a status", () => {
  it("stays the destination's", () => {
    const source = stored({ uid: "here", replicas: 2, status: [number(4, 7)] });
    const existing = stored({ status: [number(4, 1)] });

    expect(made(source, existing)).toEqual(autoscaler({ replicas: 2, status: [number(4, 1)] }));
  });

  it("of another version is left to the destination's controllers: its fields are not those of the new one", () => {
    const source = stored({ uid: "here", version: "v2", status: [number(4, 7)] });
    const existing = stored({ version: "v1", status: [number(4, 1), CPU_OF_V1] });

    expect(made(source, existing)).toEqual(autoscaler({ version: "v2" }));
  });

  it("of the source that is wanted is a difference by itself, and keeps the generation that it names", () => {
    const source = stored({ uid: "here", generation: 4, status: [number(4, 7)] });
    const existing = stored({ generation: 9, status: [number(4, 1)] });

    expect(made(source, existing)).toBe("same");
    expect(made(source, existing, { mirrorsStatus: true })).toEqual(
      autoscaler({ generation: 4, status: [number(4, 7)] }),
    );
  });

  it("of the source that is wanted is a difference in JSON too", () => {
    const value = (status: string): string =>
      `{"apiVersion":"a.io/v1","kind":"B","metadata":{"name":"b","uid":"u"},"status":{"is":"${status}"}}`;

    const result = made(json(value("new")), json(value("old")), { mirrorsStatus: true });

    expect(String(result)).toBe(value("new"));
  });
});

describe("a creationTimestamp", () => {
  it("is the source's for a new object, and afterwards the one that is there", () => {
    const source = stored({ uid: "new", created: 7, replicas: 2 });

    expect(made(source, undefined)).toEqual(autoscaler({ uid: "new", created: 7, replicas: 2 }));
    expect(made(source, stored({ created: 90 }))).toEqual(autoscaler({ created: 90, replicas: 2 }));
    expect(made(source, stored({}))).toEqual(autoscaler({ created: 7, replicas: 2 }));
  });

  it("stays in JSON as it is spelled", () => {
    const value = (created: string, spec: number): string =>
      `{"apiVersion":"a.io/v1","kind":"B","metadata":{"creationTimestamp":${created},"name":"b","uid":"u"},"spec":${spec}}`;

    const result = made(
      json(value('"2026-01-02T00:00:00Z"', 2)),
      json(value('"2020-01-01T00:00:00Z"', 1)),
    );

    expect(String(result)).toBe(value('"2020-01-01T00:00:00Z"', 2));
  });
});

describe("finalizers", () => {
  const OURS = "kubernetes.io/pvc-protection";
  const theirs = (...finalizers: readonly string[]): StoredObject => stored({ finalizers });

  it("of the source come along only where every control plane has a controller for them", () => {
    const source = theirs("example.com/source", OURS);

    expect(made(source, undefined)).toEqual(autoscaler({ uid: "new", finalizers: [OURS] }));
  });

  it("that the destination's controllers have put there stay, and are no difference", () => {
    const existing = theirs("example.com/here", OURS);

    expect(made(theirs("example.com/source"), existing)).toBe("same");
    expect(made(stored({ replicas: 2 }), existing)).toEqual(
      autoscaler({ replicas: 2, finalizers: ["example.com/here", OURS] }),
    );
  });

  it("that belong to a deletion go with it", () => {
    const existing = theirs("foregroundDeletion", "example.com/here", "orphan");

    expect(made(stored({ replicas: 2 }), existing)).toEqual(
      autoscaler({ replicas: 2, finalizers: ["example.com/here"] }),
    );
  });
});
