import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasProtobufStatus } from "../../../../sidecar/wire/status-kinds.js";

/** Every message of k8s.io/api v0.36.3 with ObjectMeta: apiVersion, kind, then `field=number`. */
const MESSAGES = readFileSync(
  new URL("../../../fixtures/wire/api-messages.txt", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => line.split(" "))
  .map(([apiVersion = "", kind = "", ...fields]) => ({ apiVersion, kind, fields }));

describe("the table of kinds with a status", () => {
  it("names exactly those whose field 3 is a status", () => {
    const wrong = MESSAGES.filter(
      (one) => hasProtobufStatus(one) !== one.fields.includes("status=3"),
    );

    expect(wrong).toEqual([]);
    expect(MESSAGES.filter(hasProtobufStatus)).toHaveLength(75);
  });

  it("passes over the four whose status is another field, none of which is stored", () => {
    const others = MESSAGES.filter(
      (one) => one.fields.some((field) => field.startsWith("status=")) && !hasProtobufStatus(one),
    );

    expect(others.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      "authentication.k8s.io/v1 SelfSubjectReview",
      "authentication.k8s.io/v1alpha1 SelfSubjectReview",
      "authentication.k8s.io/v1beta1 SelfSubjectReview",
      "v1 PodStatusResult",
    ]);
  });

  it("goes with a spec in field 2, or nothing there", () => {
    const odd = MESSAGES.filter(hasProtobufStatus).filter((one) => !one.fields.includes("spec=2"));

    expect(odd.map(({ kind }) => kind)).toEqual([]);
  });

  it("goes with metadata in field 1, in every message", () => {
    expect(MESSAGES.filter((one) => !one.fields.includes("metadata=1"))).toEqual([]);
  });

  it("knows no kind that it was not told of", () => {
    expect(hasProtobufStatus({ apiVersion: "example.com/v1", kind: "Deployment" })).toBe(false);
    expect(hasProtobufStatus({ apiVersion: "apps/v1", kind: "constructor" })).toBe(false);
  });
});
