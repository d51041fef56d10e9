import { describe, expect, it } from "vitest";
import { fingerprint } from "../../../../sidecar/wire/fingerprint.js";
import {
  CRON_TAB,
  entry,
  envelope,
  field,
  json,
  number,
  object,
} from "../../../fixtures/wire/values.js";

const NAME = field(1, "a");
const UID = field(5, "uid");
const LABEL = entry(11, "app", "web");
const DATA = entry(2, "key", "value");

/** Of a ConfigMap with this metadata and these fields beside it. */
function of(metadata: readonly Buffer[], fields: readonly Buffer[] = [DATA]): number {
  return fingerprint(object(envelope("v1", "ConfigMap", [field(1, metadata), ...fields])));
}

const PLAIN = of([NAME, UID, LABEL]);

describe("the fingerprint of a value", () => {
  it.each([
    ["uid", of([NAME, field(5, "another"), LABEL])],
    ["resourceVersion", of([NAME, UID, field(6, "77"), LABEL])],
    ["generation", of([NAME, UID, number(7, 3), LABEL])],
    ["creationTimestamp", of([NAME, UID, field(8, [number(1, 99)]), LABEL])],
    ["managedFields", of([NAME, UID, LABEL, field(17, "managed")])],
  ])("is the same with another %s", (_, other) => {
    expect(other).toBe(PLAIN);
  });

  it.each([
    ["labels", of([NAME, UID, entry(11, "app", "api")])],
    ["annotations", of([NAME, UID, LABEL, entry(12, "note", "x")])],
    ["finalizers", of([NAME, UID, LABEL, field(14, "keep")])],
    ["data", of([NAME, UID, LABEL], [entry(2, "key", "other")])],
    [
      "binary data, which is where other kinds have their status",
      of([NAME, UID, LABEL], [DATA, field(3, "x")]),
    ],
  ])("is another one with other %s", (_, other) => {
    expect(other).not.toBe(PLAIN);
  });

  it("passes over the status of a kind that has one", () => {
    const pod = (status: string): number =>
      fingerprint(object(envelope("v1", "Pod", [field(1, [NAME]), DATA, field(3, status)])));

    expect(pod("Running")).toBe(pod("Pending"));
  });

  it("is 0, which stands for none, for JSON", () => {
    expect(fingerprint(json(CRON_TAB))).toBe(0);
  });
});
