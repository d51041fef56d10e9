import { describe, expect, it } from "vitest";
import { carryOut } from "../../../certs/carry-out.js";
import { EMPTY, type Holding } from "../../../certs/holding.js";
import { lifetime } from "../../../certs/lifetime.js";
import { rotation, type Situation } from "../../../certs/rotation.js";
import { fakeAuthority, fakeCertificate } from "../../fixtures/fake-authority.js";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const START = 1_800_000_000_000;
const SETTINGS = {
  caValidityMs: 100 * DAY,
  caRenewBeforeMs: 20 * DAY,
  leafValidityMs: 30 * DAY,
  leafRenewBeforeMs: 10 * DAY,
  overlapMs: DAY,
};
const WANTED = { serving: ["a.svc"], "hand-off": ["hand-off"] };

/** A history of one Secret: each step is carried out as the rotator does it. */
class History {
  holding: Holding = EMPTY;
  nowMs = START;
  published: Situation["published"] = [];
  nextSeenMs: number | undefined;
  wanted: Situation["wanted"] = WANTED;
  readonly #authority = fakeAuthority();

  get situation(): Situation {
    const { holding, nowMs, published, wanted, nextSeenMs } = this;
    return { holding, nowMs, published, wanted, nextSeenMs, settings: SETTINGS };
  }

  get step() {
    return rotation(this.situation);
  }

  /** Carries out what is due, and what is due after that. @returns the kinds */
  run(): readonly string[] {
    const steps: string[] = [];
    for (let { step } = this; step.kind !== "wait"; { step } = this) {
      steps.push(`${step.kind}: ${step.reason}`);
      this.holding = carryOut(step, this.situation, this.#authority);
    }
    return steps;
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** The configurations have the bundle of the moment. */
  inject(): this {
    this.published = [this.holding.cas, this.holding.cas];
    this.nextSeenMs = this.nowMs;
    return this;
  }

  change(change: Partial<Holding>): this {
    this.holding = { ...this.holding, ...change };
    return this;
  }
}

function healthy(): History {
  const history = new History();
  history.run();
  return history.inject();
}

describe("rotation", () => {
  it("makes everything at once where nobody trusts anything yet", () => {
    const history = new History();

    const steps = history.run();

    const { cas, signer, next, leaves, stampKeys } = history.holding;
    expect(steps).toEqual(["create: unusable"]);
    expect(cas).toEqual([signer?.certificate]);
    expect(next).toBeUndefined();
    expect(leaves.serving?.certificate).toMatchObject({ names: ["a.svc"], isForClients: false });
    expect(leaves["hand-off"]?.certificate).toMatchObject({ isForClients: true });
    expect(stampKeys?.previous).toBeUndefined();
  });

  it("waits until something is due", () => {
    const { step } = healthy();

    expect(step).toEqual({ kind: "wait", for: "time", dueMs: START + 10 * MINUTE });
  });

  it("renews leaves ahead of their end, both by the CA that signs", () => {
    const history = healthy().after(20 * DAY);
    const signer = history.holding.signer?.certificate.id;

    const steps = history.run();

    expect(steps).toEqual(["renew: ends-soon"]);
    expect(history.holding.leaves.serving?.issuer).toBe(signer);
    expect(history.holding.leaves["hand-off"]?.issuer).toBe(signer);
    expect(history.step.kind).toBe("wait");
  });

  it("trusts a new CA, lets it sign an overlap later, and forgets the old one an overlap after that", () => {
    const history = healthy().after(79 * DAY);
    history.run();
    const old = history.holding.signer?.certificate.id;

    const trust = history.after(DAY).run();
    const { next } = history.inject().holding;
    const tooEarly = history.after(DAY - 2_000).run();
    const sign = history.after(4_000).run();
    const meanwhile = history
      .inject()
      .after(DAY - 4_000)
      .run();
    const prune = history.after(8_000).run();

    expect([trust, tooEarly, sign, meanwhile, prune]).toEqual([
      ["trust: ends-soon"],
      [],
      ["sign: overlap-over"],
      [],
      ["prune: overlap-over"],
    ]);
    expect(history.holding.signer).toEqual(next);
    expect(history.holding.cas.map(({ id }) => id)).not.toContain(old);
    expect(history.holding.leaves.serving?.issuer).toBe(next?.certificate.id);
  });

  it("never signs with a CA that a configuration does not have, however long that takes", () => {
    const history = healthy().after(80 * DAY);
    history.run();

    const without = history.after(2 * DAY).run();
    const { step } = history;
    history.published = [history.holding.cas, []];
    const half = history.run();
    const seen = history.inject().run();
    const both = history.after(MINUTE).run();

    expect(without).toEqual([]);
    expect(step).toEqual({
      kind: "wait",
      for: "configurations",
      dueMs: history.nowMs - MINUTE + 10_000,
    });
    expect(half).toEqual([]);
    expect(seen).toEqual([]);
    expect(both).toEqual(["sign: overlap-over"]);
  });

  it("makes a leaf anew for a name that it lacks, and not for one that nobody wants any more", () => {
    const history = healthy();

    history.wanted = { ...WANTED, serving: ["a.svc", "10.0.0.1"] };
    const more = history.run();
    history.wanted = WANTED;
    const fewer = history.run();

    expect(more).toEqual(["renew: names-changed"]);
    expect(fewer).toEqual([]);
  });

  it("repairs a leaf that is gone at once, by the CA that is trusted already", () => {
    const history = healthy().after(DAY);
    const { serving: _lost, ...rest } = history.holding.leaves;

    const steps = history.change({ leaves: rest }).run();

    expect(steps).toEqual(["renew: unusable"]);
    expect(history.holding.leaves.serving?.issuer).toBe(history.holding.signer?.certificate.id);
    expect(history.holding.leaves).toMatchObject(rest);
  });

  it("replaces a leaf that is not for what it is used for", () => {
    const history = healthy();
    const { serving } = history.holding.leaves;

    const steps = history
      .change({
        leaves: {
          ...history.holding.leaves,
          ...(serving && {
            serving: { ...serving, certificate: { ...serving.certificate, isForServers: false } },
          }),
        },
      })
      .run();

    expect(steps).toEqual(["renew: unusable"]);
  });

  it("lets a good leaf be while the CA's key is lost: a new CA is trusted for an overlap first", () => {
    const history = healthy().after(5 * DAY);
    const { serving } = history.holding.leaves;

    const trust = history.change({ signer: undefined }).run();
    const early = history.inject().after(MINUTE).run();
    const kept = history.holding.leaves.serving;
    const sign = history.after(DAY).run();

    expect([trust, early, sign]).toEqual([["trust: unusable"], [], ["sign: unusable"]]);
    expect(kept).toEqual(serving);
  });

  it("trusts first what the configurations still trust when the Secret is gone, and signs seconds later", () => {
    const history = healthy().after(5 * DAY);
    const [old] = history.holding.cas;

    history.holding = EMPTY;
    const trust = history.run();
    const { cas, leaves } = history.holding;
    const early = history.inject().after(3_000).run();
    const sign = history.after(4_000).run();

    expect([trust, early, sign]).toEqual([["trust: unusable"], [], ["sign: unusable"]]);
    expect(cas).toContain(old);
    expect(cas).toHaveLength(2);
    expect(leaves).toEqual({});
  });

  it("begins anew when everything has ended", () => {
    const history = healthy().after(101 * DAY);

    expect(history.run()).toEqual(["create: unusable"]);
    expect(history.holding.cas).toHaveLength(1);
  });

  it("does not wait longer than the last good leaf lives", () => {
    const history = healthy().after(29.5 * DAY);

    const trust = history.change({ signer: undefined }).run();
    const sign = history
      .inject()
      .after(0.5 * DAY - 30 * MINUTE)
      .run();

    expect([trust, sign]).toEqual([["trust: unusable"], ["sign: unusable"]]);
  });

  it.each([
    ["leaf", "renew: requested"],
    ["ca", "trust: requested"],
    ["stamp", "stamp: requested"],
  ] as const)("rotates the %s on request, once", (requested, step) => {
    const history = healthy().after(DAY).change({ requested });

    expect(history.run()).toEqual([step]);
    expect(history.holding.requested).toBeUndefined();
  });

  it("keeps the stamp key before the last one", () => {
    const history = healthy();
    const first = history.holding.stampKeys?.current;

    history.change({ requested: "stamp" }).run();

    expect(history.holding.stampKeys?.previous).toBe(first);
    expect(history.holding.stampKeys?.current).not.toBe(first);
  });

  it("makes stamp keys that are missing without touching anything else", () => {
    const history = healthy();
    const before = history.holding;

    const steps = history.change({ stampKeys: undefined }).run();

    expect(steps).toEqual(["stamp: unusable"]);
    expect({ ...history.holding, stampKeys: before.stampKeys }).toEqual(before);
  });

  it("leaves the serving certificate alone where it comes from elsewhere", () => {
    const history = new History();
    history.wanted = { "hand-off": ["hand-off"] };

    const steps = history.run();

    expect(steps).toEqual(["create: unusable"]);
    expect(Object.keys(history.holding.leaves)).toEqual(["hand-off"]);
    expect(history.step.kind).toBe("wait");
  });

  it("does not let the bundle grow when keys are broken again and again", () => {
    const history = healthy();

    for (let round = 0; round < 30; round += 1) {
      history.after(MINUTE).change({ signer: undefined, next: undefined }).run();
    }

    expect(history.holding.cas).toHaveLength(8);
    const { serving } = history.holding.leaves;
    expect(history.holding.cas.map(({ id }) => id)).toContain(serving?.issuer);
  });

  it("does not take a CA of tomorrow for one that signs today", () => {
    const history = healthy();
    const certificate = fakeCertificate("tomorrow", {
      isCa: true,
      ...lifetime(START + 2 * DAY, 100 * DAY),
    });

    const steps = history
      .change({ cas: [certificate], signer: { certificate, key: "k" }, leaves: {} })
      .run();

    expect(steps).toEqual(["trust: unusable"]);
  });
});
