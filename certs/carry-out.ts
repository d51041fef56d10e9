/** What a step makes of the Secret's content. */
import type { Authority, Issued } from "./authority.js";
import type { Certificate } from "./certificate.js";
import type { Holding, LeafName, Pair } from "./holding.js";
import { isValidAt, lifetime } from "./lifetime.js";
import type { Situation, Step } from "./rotation.js";

/** A step that writes. */
export type Writing = Exclude<Step, { readonly kind: "wait" }>;

/** The name that replicas call each other by; the hand-off trusts no other. */
export const HAND_OFF_NAME = "hand-off.svc-ferry.internal";

/** Common names: for people who look at a certificate. */
const COMMON_NAMES: Readonly<Record<LeafName, string>> = {
  serving: "svc-ferry webhook",
  "hand-off": "svc-ferry hand-off",
};

/** A replica is the hand-off's server and its client, with one certificate for both. */
const USAGES = { serving: ["server"], "hand-off": ["server", "client"] } as const;

/** More are no rotation, but somebody who breaks the keys again and again: a Secret must not grow over its limit. */
const MAX_CAS = 8;

/** The content after the step. Stamp keys that are missing come with any of them. */
export function carryOut(step: Writing, situation: Situation, authority: Authority): Holding {
  const after = changed(step, situation, authority);
  return {
    ...after,
    stampKeys: after.stampKeys ?? { current: authority.stampKey(), previous: undefined },
  };
}

function changed(step: Writing, situation: Situation, authority: Authority): Holding {
  const { holding } = situation;
  switch (step.kind) {
    case "create":
      return created(situation, authority);
    case "trust":
      return trusted(situation, step.salvaged, authority);
    case "sign":
      return signed(situation, authority);
    case "renew":
      return { ...unasked(holding, "leaf"), leaves: renewed(step.leaves, situation, authority) };
    case "prune": {
      const gone = new Set(step.cas.map(({ id }) => id));
      return { ...holding, cas: holding.cas.filter(({ id }) => !gone.has(id)) };
    }
    case "stamp": {
      const current = authority.stampKey();
      const previous = holding.stampKeys?.current;
      return { ...unasked(holding, "stamp"), stampKeys: { current, previous } };
    }
  }
}

function created(situation: Situation, authority: Authority): Holding {
  const next = newCa(situation, authority);
  const holding = { ...situation.holding, cas: [next.certificate], signer: undefined, next };
  return signed({ ...situation, holding }, authority);
}

/** The new CA joins the bundle; what has ended leaves it, as nothing verifies against that. */
function trusted(
  situation: Situation,
  salvaged: readonly Certificate[],
  authority: Authority,
): Holding {
  const { holding, nowMs } = situation;
  const next = newCa(situation, authority);
  const valid = [...holding.cas, ...salvaged].filter((ca) => isValidAt(ca, nowMs));
  return {
    ...unasked(holding, "ca"),
    cas: [next.certificate, ...capped(valid, holding)],
    next,
  };
}

/** Leaves out the oldest of those that nothing in the Secret needs. */
function capped(cas: readonly Certificate[], holding: Holding): readonly Certificate[] {
  const issuers = Object.values(holding.leaves).map(({ issuer }) => issuer);
  const needed = new Set([holding.signer?.certificate.id ?? [], issuers].flat());
  const youngest = cas
    .filter(({ id }) => !needed.has(id))
    .sort((a, b) => b.notBeforeMs - a.notBeforeMs)
    .slice(0, MAX_CAS - 1 - needed.size);
  return cas.filter((ca) => needed.has(ca.id) || youngest.includes(ca));
}

function signed(situation: Situation, authority: Authority): Holding {
  const { next: signer } = situation.holding;
  if (signer === undefined) throw new TypeError("no CA is there that could begin to sign");
  const holding = { ...unasked(situation.holding, "ca"), signer, next: undefined };
  const names = (["serving", "hand-off"] as const).filter(
    (name) => situation.wanted[name] !== undefined,
  );
  return { ...holding, leaves: renewed(names, { ...situation, holding }, authority) };
}

function renewed(
  names: readonly LeafName[],
  situation: Situation,
  authority: Authority,
): Holding["leaves"] {
  const { holding, wanted } = situation;
  if (holding.signer === undefined) throw new TypeError("no CA is there that signs");
  const { signer } = holding;
  const made = names.map(
    (name) => [name, newLeaf(name, wanted[name] ?? [], situation, signer, authority)] as const,
  );
  return { ...holding.leaves, ...Object.fromEntries(made) };
}

function newCa({ nowMs, settings }: Situation, authority: Authority): Issued {
  return authority.ca(lifetime(nowMs, settings.caValidityMs));
}

function newLeaf(
  name: LeafName,
  names: readonly string[],
  { nowMs, settings }: Situation,
  signer: Issued,
  authority: Authority,
): Pair {
  const issued = authority.leaf(
    {
      commonName: COMMON_NAMES[name],
      names,
      usages: USAGES[name],
      lifetime: lifetime(nowMs, settings.leafValidityMs, signer.certificate.notAfterMs),
    },
    signer,
  );
  return { ...issued, issuer: signer.certificate.id };
}

function unasked(holding: Holding, done: Holding["requested"]): Holding {
  return { ...holding, requested: holding.requested === done ? undefined : holding.requested };
}
