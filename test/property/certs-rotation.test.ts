import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { carryOut } from "../../certs/carry-out.js";
import type { Certificate } from "../../certs/certificate.js";
import { EMPTY, type Holding, type LeafName, type Pair } from "../../certs/holding.js";
import { isValidAt, lifetime } from "../../certs/lifetime.js";
import { isPublished, rotation, type Situation, type Step } from "../../certs/rotation.js";
import { whyNotRotatable } from "../../certs/rotation-settings.js";
import { SeededRandom } from "../fakes/seeded-random.js";
import { fakeAuthority, fakeCertificate } from "../fixtures/fake-authority.js";

const START = 1_800_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TICK = 3 * MINUTE;
const SETTINGS = {
  overlapMs: HOUR,
  leafRenewBeforeMs: 4 * HOUR,
  leafValidityMs: 9 * HOUR,
  caRenewBeforeMs: 12 * HOUR,
  caValidityMs: 30 * HOUR,
};
const WANTED = { serving: ["a.svc"], "hand-off": ["hand-off"] };
const LEAVES = ["serving", "hand-off"] as const;

/** What was in force from a moment on. */
interface Version<T> {
  readonly fromMs: number;
  readonly value: T;
}

/** One Secret, two configurations, and all that readers may have of them. */
class World {
  nowMs = START;
  published: Situation["published"] = [];
  readonly steps: Step[] = [];
  readonly secrets: Version<Holding>[];
  readonly bundles: Version<readonly Certificate[]>[] = [];
  #nextSeen: { readonly id: string; readonly atMs: number } | undefined;
  readonly #authority = fakeAuthority();

  constructor(holding: Holding) {
    this.secrets = [{ fromMs: -Infinity, value: holding }];
  }

  get holding(): Holding {
    return this.secrets.at(-1)?.value ?? EMPTY;
  }

  set holding(value: Holding) {
    this.secrets.push({ fromMs: this.nowMs, value });
    if (this.secrets.length > 60) this.secrets.shift();
  }

  /** One look of the rotator. */
  look(): void {
    for (let count = 0; count < 5; count += 1) {
      const situation = this.#situation();
      const step = rotation(situation);
      if (step.kind === "wait") return;
      this.#checkPhase(step, situation);
      this.steps.push(step);
      this.holding = carryOut(step, situation, this.#authority);
    }
    throw new Error(`it does not come to rest: ${JSON.stringify(this.steps.slice(-5))}`);
  }

  inject(): void {
    const { cas } = this.holding;
    this.published = [cas, cas];
    this.bundles.push({ fromMs: this.nowMs, value: cas });
    if (this.bundles.length > 5) this.bundles.shift();
  }

  /** What anybody may still have who is late by as much. */
  since<T>(versions: readonly Version<T>[], lateMs: number): readonly T[] {
    const fromMs = this.nowMs - lateMs;
    return versions
      .filter((_, index) => (versions[index + 1]?.fromMs ?? Infinity) >= fromMs)
      .map(({ value }) => value);
  }

  #situation(): Situation {
    const { holding, nowMs, published } = this;
    const next = holding.next?.certificate;
    if (next !== undefined && isPublished(this, next) && this.#nextSeen?.id !== next.id) {
      this.#nextSeen = { id: next.id, atMs: nowMs };
    }
    const nextSeenMs = this.#nextSeen?.id === next?.id ? this.#nextSeen?.atMs : undefined;
    return { holding, nowMs, published, wanted: WANTED, settings: SETTINGS, nextSeenMs };
  }

  /** No CA signs that was not trusted before, unless nobody trusts any. */
  #checkPhase(step: Step, { holding, nowMs, published }: Situation): void {
    if (step.kind === "create") {
      const trusted = published.flat().filter((ca) => isValidAt(ca, nowMs));
      expect(trusted).toEqual([]);
      expect(LEAVES.filter((name) => isGood(holding.leaves[name], holding.cas, nowMs))).toEqual([]);
    }
    if (step.kind === "sign") {
      expect(holding.cas).toContain(holding.next?.certificate);
      expect(published.every((cas) => cas.includes(ca(holding.next)))).toBe(true);
    }
  }
}

function ca(issued: Holding["next"]): Certificate {
  return issued?.certificate ?? fakeCertificate("none");
}

function isGood(pair: Pair | undefined, cas: readonly Certificate[], nowMs: number): boolean {
  const issuer = cas.find(({ id }) => id === pair?.issuer);
  return (
    pair !== undefined &&
    issuer !== undefined &&
    isValidAt(pair.certificate, nowMs) &&
    isValidAt(issuer, nowMs)
  );
}

/** Every leaf that somebody may show verifies against every bundle that somebody may have, as late as each may be. */
function isTrusted(world: World): boolean {
  const { nowMs, holding } = world;
  const late = world.since(world.secrets, SETTINGS.overlapMs);
  const bundles = [...world.since(world.bundles, MINUTE), ...late.map(({ cas }) => cas)];
  const newest = [world.bundles.at(-1)?.value ?? [], holding.cas];
  return LEAVES.every(
    (name) =>
      bundles.every((cas) => isGood(holding.leaves[name], cas, nowMs)) &&
      late.every(({ leaves }) => newest.every((cas) => isGood(leaves[name], cas, nowMs))),
  );
}

/**
 * What happens to an installation, and after how many ticks. Between two of them there is the time that a repair takes: who
 * breaks it faster than it can be repaired gets the emergency's shorter waits.
 */
const happenings = fc.array(
  fc.record({
    afterTicks: fc.integer({ min: 60, max: 200 }),
    what: fc.constantFrom("leaf", "ca", "stamp", "lose signer", "lose next", "nobody leads"),
  }),
  { minLength: 5, maxLength: 12 },
);

const AWAY_TICKS = 30;

const struck = (holding: Holding, what: string): Holding => ({
  ...holding,
  signer: what === "lose signer" ? undefined : holding.signer,
  next: what === "lose next" ? undefined : holding.next,
  requested: what === "leaf" || what === "ca" || what === "stamp" ? what : holding.requested,
});

/** A healthy installation, just made. */
function installed(): World {
  const world = new World(EMPTY);
  world.look();
  world.inject();
  // Everybody has it; nobody had anything before.
  world.secrets.splice(0, 1);
  return world;
}

describe("rotation", () => {
  it("has settings that can work", () => {
    expect(whyNotRotatable(SETTINGS)).toBeUndefined();
  });

  it("shows nobody a certificate that they do not trust, through keys lost, requests, late readers and leaders away", () => {
    fc.assert(
      fc.property(happenings, fc.integer(), (history, seed) => {
        const world = installed();
        const random = new SeededRandom(seed);
        for (const { afterTicks, what } of history) {
          for (let tick = 0; tick < afterTicks; tick += 1) {
            world.nowMs += TICK;
            const isAway = what === "nobody leads" && tick < AWAY_TICKS;
            if (tick === 0) world.holding = struck(world.holding, what);
            if (!isAway && random.chance(0.7)) world.look();
            if (!isAway && random.chance(0.5)) world.inject();
            if (!isTrusted(world)) throw new Error(`broken at tick ${tick} of ${what}`);
          }
        }
        expect(world.holding.cas.length).toBeLessThanOrEqual(8);
      }),
      { numRuns: 10 },
    );
  });

  it("comes from any state to one that everybody trusts, never skipping trust on the way", () => {
    fc.assert(
      fc.property(anyHolding, anyPublished, (holding, indexes) => {
        const world = new World(holding);
        world.published = indexes.map((some) => pick(CAS, some));
        for (let tick = 0; tick < 45; tick += 1) {
          world.nowMs += TICK;
          world.look();
          world.inject();
        }
        const { cas, signer, leaves } = world.holding;

        expect(LEAVES.map((name) => isGood(leaves[name], cas, world.nowMs))).toEqual([true, true]);
        expect(LEAVES.map((name) => leaves[name]?.issuer)).toEqual([ca(signer).id, ca(signer).id]);
        expect(world.published.every((one) => one.includes(ca(signer)))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

/** Past, ending soon, young, of tomorrow. */
const CAS = [-40, -29, -17.5, -1, 24].map((madeHours, index) =>
  fakeCertificate(`ca ${index}`, {
    isCa: true,
    ...lifetime(START + madeHours * HOUR, SETTINGS.caValidityMs),
  }),
);

function pick<T>(all: readonly T[], indexes: readonly number[]): readonly T[] {
  return all.filter((_, index) => indexes.includes(index));
}

const someIndexes = fc.subarray(CAS.map((_, index) => index));
const anyPublished = fc.array(someIndexes, { maxLength: 3 });

const anyLeaf = (name: LeafName): fc.Arbitrary<Pair | undefined> =>
  fc.option(
    fc
      .record({
        issuer: fc.constantFrom(...CAS),
        madeHours: fc.constantFrom(-20, -8.5, -5, -1),
        names: fc.constantFrom(WANTED[name], []),
        isForClients: fc.boolean(),
      })
      .map(({ issuer, madeHours, ...of }) => ({
        certificate: fakeCertificate(`leaf of ${issuer.id}`, {
          ...of,
          ...lifetime(START + madeHours * HOUR, SETTINGS.leafValidityMs, issuer.notAfterMs),
        }),
        key: "key",
        issuer: issuer.id,
      })),
    { nil: undefined },
  );

/** Whatever parsing may make of a Secret: keys and leaves belong to CAs of the bundle. */
const anyHolding: fc.Arbitrary<Holding> = fc
  .record({
    some: someIndexes,
    signer: fc.option(fc.constantFrom(...CAS), { nil: undefined }),
    next: fc.option(fc.constantFrom(...CAS), { nil: undefined }),
    serving: anyLeaf("serving"),
    handOff: anyLeaf("hand-off"),
    requested: fc.constantFrom(undefined, "leaf" as const, "ca" as const, "stamp" as const),
  })
  .map(({ some, signer, next, serving, handOff, requested }) => {
    const cas = pick(CAS, some);
    const held = (one: Certificate | undefined) =>
      one !== undefined && cas.includes(one) ? { certificate: one, key: "key" } : undefined;
    const known = (pair: Pair | undefined) => cas.some(({ id }) => id === pair?.issuer);
    return {
      cas,
      signer: held(signer),
      next: held(next),
      leaves: {
        ...(serving && known(serving) && { serving }),
        ...(handOff && known(handOff) && { "hand-off": handOff }),
      },
      stampKeys: undefined,
      requested,
    };
  });
