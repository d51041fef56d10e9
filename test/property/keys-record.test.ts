import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keysRecord, recordedKeys } from "../../src/domain/labels.js";
import { mapDiff } from "../../src/domain/service-diff.js";
import { mergePatch } from "../fakes/json.js";
import { labels } from "../fixtures/arbitraries.js";

const keys = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}(\/[a-z:]{1,3})?$/), { maxLength: 5 });

describe("the record of keys", () => {
  it("gives back the keys that went in", () => {
    fc.assert(
      fc.property(keys, keys, (some, others) => {
        const read = recordedKeys({ "svc-ferry.io/keys": keysRecord(some, others) });

        expect(read).toEqual({ labels: [...some].sort(), annotations: [...others].sort() });
      }),
    );
  });
});

describe("mapDiff", () => {
  it("gives the patch after which what we want is there, what we wanted is gone, the rest stays", () => {
    fc.assert(
      fc.property(labels, labels, labels, (actual, wanted, once) => {
        const ours = Object.keys(once);

        const patch = mapDiff(actual, wanted, ours);
        const patched = mergePatch(actual, patch) as Record<string, string>;

        const strangers = Object.entries(actual).filter(([key]) => !ours.includes(key));
        expect(patched).toEqual({ ...Object.fromEntries(strangers), ...wanted });
        expect(mapDiff(patched, wanted, ours)).toEqual({});
      }),
    );
  });
});
