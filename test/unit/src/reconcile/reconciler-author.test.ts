import { describe, expect, it } from "vitest";
import type { Author } from "../../../../src/domain/stamp.js";
import { NO_AUTHORS } from "../../../../src/ports/authors.js";
import { SERVICES } from "../../../../src/ports/kube-resources.js";
import { ReconcileBed } from "../../../fixtures/reconcile-bed.js";
import { service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

describe("Reconciler, of who made a change", () => {
  it("waits until the key of the stamp is known, and names the person then", async () => {
    let author: Author = { kind: "unknown", last: undefined };
    const known = async (): Promise<void> => {
      author = { kind: "known", change: { id: "01J", by: "alice", at: "2026-01-01T00:00:00Z" } };
    };
    const authors = { ...NO_AUTHORS, of: (): Author => author, known };
    const bed = new ReconcileBed({ authors });
    bed.create(service("shop/web").ferried(), rawSlice("shop/web-1", "web").address("10.0.0.1"));

    await bed.reconcile();

    const { metadata } = bed.server.get(SERVICES, { namespace: "prod", name: "web" });
    expect(metadata.annotations).toMatchObject({
      "svc-ferry.io/change-id": "01J",
      "svc-ferry.io/changed-by": "alice",
    });
    const synced = bed.log.records.find(({ message }) => message === "applied");
    expect(synced?.fields).toMatchObject({ changeId: "01J", by: "alice" });
  });
});
