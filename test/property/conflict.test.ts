import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { winner } from "../../src/domain/conflict.js";
import type { Service } from "../../src/domain/objects.js";
import type { ServiceKey } from "../../src/domain/service-key.js";
import { candidateKey, candidates } from "../fixtures/arbitraries.js";

const holder = fc.option(candidateKey, { nil: undefined });
const keyOf = (service: Service | undefined): ServiceKey | undefined =>
  service && `${service.namespace}/${service.name}`;

describe("winner", () => {
  it("does not depend on the order of the candidates", () => {
    fc.assert(
      fc.property(candidates, holder, fc.integer(), (all, held, seed) => {
        const shuffled = [...all].sort((a, b) => mixed(a.name, seed) - mixed(b.name, seed));

        expect(keyOf(winner(shuffled, held))).toBe(keyOf(winner(all, held)));
        expect(keyOf(winner([...all].reverse(), held))).toBe(keyOf(winner(all, held)));
      }),
    );
  });

  it("is one of the candidates, and somebody as long as there is one", () => {
    fc.assert(
      fc.property(candidates, holder, (all, held) => {
        const first = winner(all, held);

        expect(first === undefined).toBe(all.length === 0);
        expect(first === undefined || all.includes(first)).toBe(true);
      }),
    );
  });

  it("comes to rest: who wins holds the name, and soon wins again", () => {
    fc.assert(
      fc.property(candidates, holder, (all, held) => {
        let current: ServiceKey | undefined = held;
        for (let step = 0; step <= all.length; step += 1) current = keyOf(winner(all, current));

        expect(keyOf(winner(all, current))).toBe(current);
      }),
      { numRuns: 1_000 },
    );
  });

  it("does not change when a loser goes", () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const held = keyOf(all[0]);
        const plain = all.map((one) => ({ ...one, annotations: {} }));
        const first = winner(plain, held);
        const others = plain.filter((one) => one !== first).slice(1);
        const fewer = plain.filter((one) => one === first || others.includes(one));

        expect(keyOf(winner(fewer, held))).toBe(keyOf(first));
      }),
    );
  });
});

function mixed(text: string, seed: number): number {
  return Math.imul(text.charCodeAt(0) ^ seed, 0x9e3779b1) | 0;
}
