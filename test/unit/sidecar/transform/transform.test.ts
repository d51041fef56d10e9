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

describe("a status", () => {
  it("stays the destination's", () => {
    const source = stored({ uid: "here", replicas: 2, status: [number(4, 7)] });
    const existing = stored({ status: [number(4, 1)] });

    expect(made(source, existing)).toEqual(autoscaler({ replicas: 2, status: [number(4, 1)] }));
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
