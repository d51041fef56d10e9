import { describe, expect, it } from "vitest";
import { authored } from "../../../../src/domain/authored.js";
import type { Author } from "../../../../src/domain/stamp.js";
import type { Write } from "../../../../src/domain/writes.js";

const ref = { namespace: "prod", name: "web" };
const create: Write = {
  verb: "create",
  resource: "services",
  ref,
  body: { apiVersion: "v1", kind: "Service", metadata: { ...ref, annotations: { a: "1" } } },
  why: ["created"],
};
const patch: Write = {
  verb: "patch",
  resource: "services",
  ref,
  body: { spec: { ports: [] } },
  uid: "u",
  resourceVersion: "1",
  why: ["spec.ports"],
};
const remove: Write = { ...patch, verb: "delete" };

const ann: Author = { kind: "known", change: { id: "7", by: "ann", at: "2026-01-01T00:00:00Z" } };
const unknown: Author = { kind: "unknown", last: undefined };
const said = { "svc-ferry.io/change-id": "7", "svc-ferry.io/changed-by": "ann" };
const unsaid = { "svc-ferry.io/change-id": null, "svc-ferry.io/changed-by": null };

function annotationsOf(writes: readonly Write[]): readonly unknown[] {
  return writes.map((write) =>
    "body" in write
      ? (write.body as { metadata?: { annotations?: unknown } }).metadata?.annotations
      : "no body",
  );
}

describe("authored", () => {
  it("says in each write to a mirror which change it carries out", () => {
    expect(annotationsOf(authored([remove, create], ann))).toEqual([
      undefined,
      { a: "1", ...said },
    ]);
    expect(annotationsOf(authored([patch], ann))).toEqual([said]);
  });

  it("takes the last one's name away when somebody unknown has changed the Service since", () => {
    expect(annotationsOf(authored([patch], unknown))).toEqual([unsaid]);
    expect(annotationsOf(authored([create], unknown))).toEqual([{ a: "1" }]);
  });

  it("writes no name where users are not to be named", () => {
    const nameless: Author = { kind: "known", change: { id: "7", by: "", at: "" } };

    expect(annotationsOf(authored([patch], nameless))).toEqual([
      { ...unsaid, "svc-ferry.io/change-id": "7" },
    ]);
  });

  it("is no reason to write, and leaves what the mirror says when nothing is known", () => {
    expect(authored([], ann)).toEqual([]);
    expect(authored([patch], undefined)).toEqual([patch]);
  });

  it("keeps what else the write does, and why", () => {
    const [written] = authored([patch], ann);

    expect(written).toMatchObject({ ...patch, body: { spec: { ports: [] } } });
  });
});
