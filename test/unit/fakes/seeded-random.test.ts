import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../fakes/seeded-random.js";

const draws = (random: SeededRandom, count = 5): readonly number[] =>
  Array.from({ length: count }, () => random.next());

describe("SeededRandom", () => {
  it("repeats itself for one seed and differs for another", () => {
    expect(draws(new SeededRandom(1))).toEqual(draws(new SeededRandom(1)));
    expect(draws(new SeededRandom(1))).not.toEqual(draws(new SeededRandom(2)));
  });

  it("spreads over [0, 1)", () => {
    const all = draws(new SeededRandom(3), 10_000);

    const tenths = Array.from(
      { length: 10 },
      (_, i) => all.filter((value) => Math.floor(value * 10) === i).length,
    );

    expect(Math.min(...tenths)).toBeGreaterThan(850);
    expect(Math.max(...tenths)).toBeLessThan(1150);
    expect(tenths.reduce((sum, count) => sum + count)).toBe(10_000);
  });

  it("forks streams that do not depend on what was drawn", () => {
    const fresh = new SeededRandom(4);
    const used = new SeededRandom(4);
    draws(used);

    expect(draws(used.fork("a"))).toEqual(draws(fresh.fork("a")));
    expect(draws(fresh.fork("a"))).not.toEqual(draws(fresh.fork("b")));
  });

  it("draws nothing for a chance of 0", () => {
    const random = new SeededRandom(5);

    random.chance(0);

    expect(draws(random)).toEqual(draws(new SeededRandom(5)));
  });

  it("makes ids and uids of the right form, each once", () => {
    const random = new SeededRandom(6);
    const ids = Array.from({ length: 100 }, () => random.id());

    expect(new Set(ids).size).toBe(100);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(random.uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("has nothing to pick from an empty list", () => {
    expect(() => new SeededRandom(7).pick([])).toThrow("nothing to pick from");
  });
});
