import { describe, expect, it } from "vitest";
import { isBlocked, leavePlan, type LeavingMirror } from "../../../../src/domain/leave.js";
import type { MirrorEndpoints } from "../../../../src/domain/endpoints.js";
import { sha256 } from "../../../../src/runtime/sha256.js";
import { ownEndpoints } from "../../../fixtures/mirrors.js";
import { LINK, service } from "../../../fixtures/service.js";
import { rawSlice } from "../../../fixtures/slices.js";

const SERVICE = service("prod/web").mirrorOf("shop/web").label("app", "web");
const SLICE = {
  ...rawSlice("prod/web-1", "web").address("10.1.0.1").parsed(),
  resourceVersion: "7",
  labels: { "kubernetes.io/service-name": "web", "svc-ferry.io/link": LINK },
  annotations: { "svc-ferry.io/source": "shop/web-1" },
};

function mirror(endpoints?: MirrorEndpoints, others?: MirrorEndpoints): LeavingMirror {
  return { service: SERVICE, slices: [SLICE], endpoints, others };
}

function texts(kind: "hand-over" | "keep" | "remove", one: LeavingMirror) {
  const { first, awaited, next, last } = leavePlan(kind, one, sha256);
  const text = (writes: typeof first): readonly string[] =>
    writes.map(({ verb, resource }) => `${verb} ${resource}`);
  return { first: text(first), awaited, next: text(next), last: text(last) };
}

describe("leavePlan", () => {
  it("hands over Endpoints first and the Service last, and waits for the addresses in between", () => {
    expect(texts("hand-over", mirror(ownEndpoints(SERVICE, "10.1.0.1")))).toEqual({
      first: ["patch endpoints"],
      awaited: ["10.1.0.1"],
      next: ["delete endpointslices"],
      last: ["patch services"],
    });
  });

  it("refreshes addresses that are old, and makes Endpoints where there are none", () => {
    const old = leavePlan("hand-over", mirror(ownEndpoints(SERVICE, "10.1.0.9")), sha256);
    const none = leavePlan("hand-over", mirror(), sha256);

    expect(JSON.stringify(old.first)).toContain("10.1.0.1");
    expect(none.first).toMatchObject([{ verb: "create", resource: "endpoints" }]);
  });

  it("takes only what is ours off the Service, with uid and version", () => {
    const { last } = leavePlan("keep", mirror(), sha256);

    expect(last).toMatchObject([
      {
        uid: SERVICE.uid,
        resourceVersion: "1",
        body: {
          metadata: {
            labels: { "app.kubernetes.io/managed-by": null, "svc-ferry.io/link": null },
            annotations: { "svc-ferry.io/source": null, "svc-ferry.io/keys": null },
          },
        },
      },
    ]);
    expect(JSON.stringify(last)).not.toContain("sync");
  });

  it("keeps without waiting, and removes the Service before what is under it", () => {
    const endpoints = ownEndpoints(SERVICE, "10.1.0.1");

    expect(texts("keep", mirror(endpoints))).toEqual({
      first: [],
      awaited: [],
      next: ["patch endpointslices", "patch endpoints"],
      last: ["patch services"],
    });
    expect(texts("remove", mirror(endpoints))).toEqual({
      first: ["delete services"],
      awaited: [],
      next: ["delete endpointslices", "delete endpoints"],
      last: [],
    });
  });

  it("waits for nothing where Endpoints alone carry the addresses", () => {
    const alone = { ...mirror(ownEndpoints(SERVICE, "10.1.0.1")), slices: [] };

    expect(texts("hand-over", alone)).toEqual({
      first: ["patch endpoints"],
      awaited: [],
      next: [],
      last: ["patch services"],
    });
  });

  it("never writes Endpoints of others", () => {
    const others = ownEndpoints(SERVICE, "10.1.0.1");

    for (const kind of ["hand-over", "keep", "remove"] as const) {
      const { first, next } = texts(kind, mirror(undefined, others));
      expect([...first, ...next].filter((text) => text.endsWith(" endpoints"))).toEqual([]);
    }
  });
});

describe("isBlocked", () => {
  it("is a mirror whose name others gave other addresses", () => {
    expect(isBlocked(mirror(undefined, ownEndpoints(SERVICE, "10.9.9.9")), sha256)).toBe(true);
    expect(isBlocked(mirror(undefined, ownEndpoints(SERVICE, "10.1.0.1")), sha256)).toBe(false);
    expect(isBlocked(mirror(), sha256)).toBe(false);
  });
});
