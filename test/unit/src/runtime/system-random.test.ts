import { describe, expect, it } from "vitest";
import { SystemRandom } from "../../../../src/runtime/system-random.js";

describe("SystemRandom", () => {
  it("gives ids of 16 lower-case hex characters that differ", () => {
    const random = new SystemRandom();

    const ids = Array.from({ length: 100 }, () => random.id());

    expect(ids.filter((id) => /^[0-9a-f]{16}$/.test(id))).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
  });

  it("gives numbers from 0 up to 1", () => {
    const random = new SystemRandom();

    const numbers = Array.from({ length: 100 }, () => random.next());

    expect(numbers.filter((value) => value >= 0 && value < 1)).toHaveLength(100);
    expect(new Set(numbers).size).toBeGreaterThan(90);
  });
});
