import { describe, expect, it } from "vitest";
import {
  claimed,
  newLease,
  readLease,
  released,
  safetyMarginMs,
} from "../../../../src/leader/lease-record.js";

const candidate = { identity: "pod-a", processId: "p1", annotations: { address: "10.0.0.1" } };
const claim = { candidate, durationMs: 1_500, nowMs: 1_767_225_600_123 };

describe("readLease", () => {
  it("reads a Lease that says nothing, or nonsense, as one that nobody holds", () => {
    const nonsense = { holderIdentity: 7, leaseDurationSeconds: -1, leaseTransitions: "many" };
    const empty = {
      holder: "",
      processId: "",
      durationSeconds: undefined,
      acquireTime: "",
      renewTime: "",
      transitions: 0,
    };
    const odd = { metadata: { name: "l" }, spec: nonsense };

    expect(readLease({ metadata: { name: "l" } })).toEqual(empty);
    expect(readLease(odd)).toEqual(empty);
  });
});

describe("claimed", () => {
  it("writes times with microseconds and rounds the duration up to whole seconds", () => {
    expect(newLease("ns", "l", claim)).toMatchObject({
      spec: { leaseDurationSeconds: 2, renewTime: "2026-01-01T00:00:00.123000Z" },
    });
  });

  it("is what release takes back, but for what others wrote", () => {
    const lease = newLease("ns", "l", claim);
    const stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: "1" } };
    const annotations = { ...stored.metadata.annotations, theirs: "stays" };
    const theirs = { ...stored, metadata: { ...stored.metadata, annotations } };

    const given = released(claimed(theirs, claim), claim);

    expect(given.metadata.annotations).toEqual({ theirs: "stays" });
    expect(readLease(given)).toMatchObject({ holder: "", durationSeconds: 1, transitions: 0 });
  });
});

describe("safetyMarginMs", () => {
  it("is a tenth, at least a second, at most a third", () => {
    expect([60_000, 15_000, 3_000, 900].map(safetyMarginMs)).toEqual([6_000, 1_500, 1_000, 300]);
  });
});
