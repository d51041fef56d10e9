import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matches } from "../../src/domain/selection.js";
import { matcher } from "../fakes/selectors.js";
import { labelKey, labels } from "../fixtures/arbitraries.js";
import { selector } from "../fixtures/route.js";

const value = fc.constantFrom("a", "b");
const values = fc.array(value, { minLength: 1, maxLength: 2 }).map((all) => all.join(","));
const requirement = fc.oneof(
  fc.tuple(labelKey, fc.constantFrom("=", "==", "!="), value).map((parts) => parts.join("")),
  fc
    .tuple(labelKey, fc.constantFrom("in", "notin"), values)
    .map(([key, operator, list]) => `${key} ${operator} (${list})`),
  labelKey,
  labelKey.map((key) => `!${key}`),
);
const text = fc.array(requirement, { minLength: 1, maxLength: 3 }).map((all) => all.join(","));

describe("matches", () => {
  it("agrees with the API server on every selector", () => {
    fc.assert(
      fc.property(text, labels, (written, has) => {
        const asServer = matcher(written, undefined)({ metadata: { name: "web", labels: has } });

        expect(matches(selector(written), has)).toBe(asServer);
      }),
      { numRuns: 1_000 },
    );
  });

  it("says the same of the normalized text, which is what goes to the API server", () => {
    fc.assert(
      fc.property(text, labels, (written, has) => {
        const once = selector(written);

        expect(matches(selector(once.text), has)).toBe(matches(once, has));
        expect(selector(once.text).text).toBe(once.text);
      }),
    );
  });
});
