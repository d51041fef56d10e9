import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRfc3339 } from "../../../../src/kube/rfc3339.js";

describe("parseRfc3339", () => {
  it("agrees with the platform on every second of four centuries", () => {
    const seconds = fc.date({
      min: new Date("1900-01-01T00:00:00Z"),
      max: new Date("2300-01-01T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(seconds, (date) => {
        const text = `${date.toISOString().slice(0, 19)}Z`;

        expect(parseRfc3339(text)).toBe(Date.parse(text));
      }),
    );
  });

  it("reads offsets and cuts fractions off", () => {
    expect(parseRfc3339("2026-03-01T01:30:00.999+01:30")).toBe(Date.parse("2026-03-01T00:00:00Z"));
    expect(parseRfc3339("2026-02-28T23:00:00-01:00")).toBe(Date.parse("2026-03-01T00:00:00Z"));
  });

  it.each(["", "tomorrow", "2026-03-01", "2026-03-01T00:00:00"])("has no opinion on %j", (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});
