/**
 * Which step comes next. Pure: what it decides is one write to the Secret, after which it is asked again.
 *
 * "Trust first, sign second, prune last":
 * 1. `trust`: a new CA joins the bundle and signs nothing. Webhook configurations and replicas learn of it.
 * 2. `sign`: it has been in the bundle for an overlap, and every configuration really has it and has had it for a while. Leaves
 *    are made with it.
 * 3. `prune`: its leaves have been out for an overlap, so nobody shows one of the old CA's any more.
 *
 * Whatever is broken is repaired by the same steps. Only where nobody trusts anything yet (`create`) do they become one.
 */
import type { Certificate } from "./certificate.js";
import { type Holding, isFor, type LeafName, type Pair } from "./holding.js";
import { isValidAt, issuedAtMs } from "./lifetime.js";
import type { RotationSettings } from "./rotation-settings.js";

/** Why a step is due; fit for a log line. */
type Reason =
  /** It was there and ends soon. */
  | "ends-soon"
  /** It is not there, cannot be read, does not fit or has ended. */
  | "unusable"
  | "names-changed"
  | "requested"
  /** Every reader has had its time. */
  | "overlap-over";

export type Step =
  /** Nothing to write; look again at `dueMs` (epoch). */
  | { readonly kind: "wait"; readonly for: "time" | "configurations"; readonly dueMs: number }
  /** A CA and everything that it signs, at once. */
  | { readonly kind: "create"; readonly reason: Reason }
  /** `salvaged`: CAs that a configuration trusts and the Secret has lost; replicas may serve theirs from memory. */
  | {
      readonly kind: "trust";
      readonly reason: Reason;
      readonly salvaged: readonly Certificate[];
    }
  | { readonly kind: "sign"; readonly reason: Reason }
  | { readonly kind: "renew"; readonly reason: Reason; readonly leaves: readonly LeafName[] }
  | { readonly kind: "prune"; readonly reason: Reason; readonly cas: readonly Certificate[] }
  | { readonly kind: "stamp"; readonly reason: Reason };

/** What is decided upon. */
export interface Situation {
  readonly holding: Holding;
  /** The names that each leaf must have, canonical; a leaf that is not named here is none of ours. */
  readonly wanted: Readonly<Partial<Record<LeafName, readonly string[]>>>;
  /** What each caBundle that exists trusts, read after the Secret. */
  readonly published: readonly (readonly Certificate[])[];
  /** When every configuration that exists was first seen to trust the next CA (epoch); undefined: not yet. */
  readonly nextSeenMs: number | undefined;
  readonly settings: RotationSettings;
  /** Epoch. */
  readonly nowMs: number;
}

/**
 * API servers may know a caBundle later than we have read it back. They are late by moments, so this is ample; but never more
 * than a quarter of the overlap, as a new leader begins to count anew.
 */
const READ_MS = 60_000;
/** The same for a repair, in which there is no leaf to go on with. */
const SETTLE_MS = 5_000;
/** Without anything due: clocks jump, and a certificate may have been changed unnoticed. */
const LOOK_AGAIN_MS = 600_000;
/** Until the configurations are read again; a change of theirs is noticed at once. */
const CONFIGURATIONS_MS = 10_000;

/** The CAs of the Secret that can be used at this moment. */
interface Usable {
  readonly signer: Certificate | undefined;
  readonly next: Certificate | undefined;
}

/** The next step. */
export function rotation(situation: Situation): Step {
  const usable = usableAt(situation);
  const first = [beginning, renewal, signing, trusting, pruning, stamping].reduce<Step | undefined>(
    (found, rule) => found ?? rule(situation, usable),
    undefined,
  );
  return first ?? waiting(situation, usable);
}

function usableAt({ holding: { signer, next }, nowMs }: Situation): Usable {
  return {
    signer: validOne(signer?.certificate, nowMs),
    next: validOne(next?.certificate, nowMs),
  };
}

/** There is no CA that could sign. As long as anybody trusts another one, that one's leaves must stay good meanwhile. */
function beginning(situation: Situation, { signer, next }: Usable): Step | undefined {
  if (signer !== undefined || next !== undefined) return undefined;
  const isTrusted = published(situation).length > 0 || goodLeaves(situation).length > 0;
  return isTrusted
    ? { kind: "trust", reason: "unusable", salvaged: salvaged(situation) }
    : { kind: "create", reason: "unusable" };
}

/** Leaves that the CA that signs now has to make anew. */
function renewal(situation: Situation, { signer }: Usable): Step | undefined {
  if (signer === undefined) return undefined;
  const due = leafNames(situation).flatMap((name) => {
    const reason = whyNewLeaf(situation, name, signer);
    return reason === undefined ? [] : [{ name, reason }];
  });
  const [first] = due;
  return first && { kind: "renew", reason: first.reason, leaves: due.map(({ name }) => name) };
}

function whyNewLeaf(
  { holding, wanted, settings, nowMs }: Situation,
  name: LeafName,
  signer: Certificate,
): Reason | undefined {
  const leaf = holding.leaves[name];
  if (leaf === undefined || leaf.issuer !== signer.id) return "unusable";
  const { certificate } = leaf;
  if (!isValidAt(certificate, nowMs) || !isFor(name, certificate)) return "unusable";
  if ((wanted[name] ?? []).some((one) => !certificate.names.includes(one))) return "names-changed";
  if (holding.requested === "leaf") return "requested";
  // Towards the CA's end a new leaf would end no later than this one.
  const gained = Math.min(nowMs + settings.leafValidityMs, signer.notAfterMs);
  const endsSoon = certificate.notAfterMs - nowMs <= settings.leafRenewBeforeMs;
  return endsSoon && gained > certificate.notAfterMs + 1_000 ? "ends-soon" : undefined;
}

/** The new CA begins to sign when everybody trusts it who has to. */
function signing(situation: Situation, { signer, next }: Usable): Step | undefined {
  if (next === undefined || situation.nowMs < signsFromMs(situation, next)) return undefined;
  if (!isPublished(situation, next)) return undefined;
  return { kind: "sign", reason: signer === undefined ? "unusable" : "overlap-over" };
}

function trusting(situation: Situation, { signer, next }: Usable): Step | undefined {
  if (signer === undefined || next !== undefined) return undefined;
  const { holding, settings, nowMs } = situation;
  const endsSoon = signer.notAfterMs - nowMs <= settings.caRenewBeforeMs;
  if (!endsSoon && holding.requested !== "ca") return undefined;
  return { kind: "trust", reason: endsSoon ? "ends-soon" : "requested", salvaged: [] };
}

/**
 * When a CA of the bundle may begin to sign at the earliest, epoch. For replicas an overlap after it joined; for API servers a
 * minute after the configurations had it. Sooner, though not at once, where no leaf is left that would be good until then.
 */
function signsFromMs(situation: Situation, next: Certificate): number {
  const { settings, nextSeenMs = Infinity } = situation;
  const { overlapMs } = settings;
  const joinedMs = issuedAtMs(next);
  const settledMs = Math.max(joinedMs, nextSeenMs) + Math.min(SETTLE_MS, overlapMs / 4);
  const good = goodLeaves(situation);
  if (good.length < leafNames(situation).length) return settledMs;
  const endMs = Math.min(...good.map(({ certificate }) => certificate.notAfterMs));
  const latestMs = endMs - Math.min(overlapMs / 2, 3_600_000);
  const knownMs = Math.max(joinedMs + overlapMs, nextSeenMs + Math.min(READ_MS, overlapMs / 4));
  return Math.max(settledMs, Math.min(knownMs, latestMs));
}

/** Does every configuration that exists trust this CA? */
export function isPublished({ published }: Pick<Situation, "published">, ca: Certificate): boolean {
  return published.every((cas) => cas.some(({ id }) => id === ca.id));
}

/** CAs of the bundle that nobody needs any more leave it. */
function pruning(situation: Situation, { signer }: Usable): Step | undefined {
  if (signer === undefined) return undefined;
  const { holding, nowMs, settings } = situation;
  const isRetired = signingSinceMs(situation, signer) + settings.overlapMs <= nowMs;
  const needed = new Set([signer.id, holding.next?.certificate.id]);
  const cas = holding.cas.filter(
    (ca) => !needed.has(ca.id) && (isRetired || ca.notAfterMs <= nowMs),
  );
  return cas.length === 0 ? undefined : { kind: "prune", reason: "overlap-over", cas };
}

/** Its oldest leaf that is in use. NB: later than the truth once that was renewed, which only delays the pruning. */
function signingSinceMs(situation: Situation, signer: Certificate): number {
  const made = goodLeaves(situation)
    .filter(({ issuer }) => issuer === signer.id)
    .map(({ certificate }) => issuedAtMs(certificate));
  return made.length === 0 ? situation.nowMs : Math.min(...made);
}

function stamping({ holding }: Situation): Step | undefined {
  if (holding.stampKeys === undefined) return { kind: "stamp", reason: "unusable" };
  return holding.requested === "stamp" ? { kind: "stamp", reason: "requested" } : undefined;
}

/** Nothing is due: until when. */
function waiting(situation: Situation, { signer, next }: Usable): Step {
  const { nowMs } = situation;
  if (next !== undefined && !isPublished(situation, next)) {
    return { kind: "wait", for: "configurations", dueMs: nowMs + CONFIGURATIONS_MS };
  }
  const dueMs = Math.min(nowMs + LOOK_AGAIN_MS, nextMomentMs(situation, { signer, next }));
  return { kind: "wait", for: "time", dueMs };
}

/** The next moment at which time alone may make something due, epoch; Infinity: none. */
export function nextMomentMs(
  situation: Situation,
  { signer, next }: Usable = usableAt(situation),
): number {
  const { holding, nowMs, settings } = situation;
  const leaves = goodLeaves(situation).map(({ certificate }) => certificate);
  const retiredMs =
    signer === undefined ? Infinity : signingSinceMs(situation, signer) + settings.overlapMs;
  const moments = [
    next === undefined ? Infinity : signsFromMs(situation, next),
    retiredMs,
    signer === undefined ? Infinity : signer.notAfterMs - settings.caRenewBeforeMs,
    ...leaves.map(({ notAfterMs }) => notAfterMs - settings.leafRenewBeforeMs),
    ...[...holding.cas, ...leaves].map(({ notAfterMs }) => notAfterMs),
  ].filter((ms) => ms > nowMs);
  return Math.min(...moments);
}

/** CAs that a configuration trusts and the bundle lacks. */
function salvaged(situation: Situation): readonly Certificate[] {
  const held = new Set(situation.holding.cas.map(({ id }) => id));
  return published(situation).filter(({ id }) => !held.has(id));
}

/** Everything valid that any configuration trusts, each once. */
function published({ published: bundles, nowMs }: Situation): readonly Certificate[] {
  const valid = bundles.flat().filter((ca) => ca.isCa && isValidAt(ca, nowMs));
  return [...new Map(valid.map((ca) => [ca.id, ca])).values()];
}

/** Wanted leaves that verify now. */
function goodLeaves({ holding, wanted, nowMs }: Situation): readonly Pair[] {
  return leafNames({ wanted }).flatMap((name) => {
    const leaf = holding.leaves[name];
    const issuer = holding.cas.find(({ id }) => id === leaf?.issuer);
    const isGood = isValid(leaf?.certificate, nowMs) && isValid(issuer, nowMs);
    return leaf !== undefined && isGood ? [leaf] : [];
  });
}

function leafNames({ wanted }: Pick<Situation, "wanted">): readonly LeafName[] {
  return (["serving", "hand-off"] as const).filter((name) => wanted[name] !== undefined);
}

function validOne(ca: Certificate | undefined, nowMs: number): Certificate | undefined {
  return isValid(ca, nowMs) ? ca : undefined;
}

function isValid(certificate: Certificate | undefined, nowMs: number): boolean {
  return certificate !== undefined && isValidAt(certificate, nowMs);
}
