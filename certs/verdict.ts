/** Whether a replica takes a certificate that it is offered. Pure, but for reading PEM. */
import type { CertificateRefusal } from "../src/ports/certificate-refusal.js";
import { type Certificate, fitsKey, isIssuedBy, parseCertificates } from "./certificate.js";
import { isValidAt } from "./lifetime.js";

/** What lies in a Secret or in files; all PEM. */
export interface Offer {
  /** The leaf, then what lies between it and its CA. */
  readonly cert: string;
  readonly key: string;
  /** Whoever verifies it trusts these; undefined: not known, e.g. a public CA. */
  readonly ca: string | undefined;
}

/** An offer that can be used. */
export interface Accepted extends Offer {
  readonly chain: readonly Certificate[];
  readonly leaf: Certificate;
  /** The CA that verifies it; undefined when none is known. */
  readonly issuer: Certificate | undefined;
}

export type Verdict =
  | { readonly kind: "accepted"; readonly accepted: Accepted }
  | { readonly kind: "refused"; readonly refusal: CertificateRefusal };

/** What the certificate is for, and the one in use. */
export interface Demands {
  readonly suits: (leaf: Certificate) => boolean;
  readonly current: Accepted | undefined;
  /** Epoch. */
  readonly nowMs: number;
}

/** The first reason to refuse, or the offer as it can be used. */
export function verdict(offer: Offer, demands: Demands): Verdict {
  const { current, nowMs } = demands;
  const chain = parseCertificates(offer.cert);
  const [leaf] = chain;
  const refusal = whyNotPair(offer, leaf) ?? whyNotLeaf(leaf, demands);
  if (leaf === undefined || refusal !== undefined) return refused(refusal ?? "unreadable");
  const cas = offer.ca === undefined ? undefined : parseCertificates(offer.ca);
  const issuer = cas && verifier(chain, cas, nowMs);
  if (cas !== undefined && issuer === undefined) return refused("untrusted");
  if (current !== undefined && isOlder(leaf, current, cas, nowMs)) return refused("older");
  return { kind: "accepted", accepted: { ...offer, chain, leaf, issuer } };
}

function whyNotPair(
  { cert, key }: Offer,
  leaf: Certificate | undefined,
): CertificateRefusal | undefined {
  if (cert === "" && key === "") return "missing";
  if (leaf === undefined || key === "") return "unreadable";
  return fitsKey(leaf, key) ? undefined : "mismatched";
}

function whyNotLeaf(
  leaf: Certificate | undefined,
  { suits, nowMs }: Demands,
): CertificateRefusal | undefined {
  if (leaf === undefined) return "unreadable";
  if (leaf.notAfterMs <= nowMs) return "ended";
  if (leaf.notBeforeMs > nowMs) return "not-yet-valid";
  return suits(leaf) ? undefined : "wrong-usage";
}

/**
 * The CA among `cas` that verifies this chain now; undefined: none does. As API servers do it, without the names: those are
 * each caller's own.
 */
export function verifier(
  chain: readonly Certificate[],
  cas: readonly Certificate[],
  nowMs: number,
): Certificate | undefined {
  const [leaf, ...between] = chain;
  if (leaf === undefined || !isValidAt(leaf, nowMs)) return undefined;
  let current = leaf;
  for (let step = 0; step <= between.length; step += 1) {
    const child = current;
    const issuer = cas.find((ca) => isValidAt(ca, nowMs) && isIssuedBy(child, ca));
    if (issuer !== undefined) return issuer;
    const parent = between.find((one) => isValidAt(one, nowMs) && isIssuedBy(child, one));
    if (parent === undefined) return undefined;
    current = parent;
  }
  return undefined;
}

/** A restored etcd brings back what was: that is taken, because the CA of the newer one is gone with it. */
function isOlder(
  leaf: Certificate,
  current: Accepted,
  cas: readonly Certificate[] | undefined,
  nowMs: number,
): boolean {
  if (leaf.notBeforeMs >= current.leaf.notBeforeMs) return false;
  if (cas === undefined) return isValidAt(current.leaf, nowMs);
  return verifier(current.chain, cas, nowMs) !== undefined;
}

function refused(refusal: CertificateRefusal): Verdict {
  return { kind: "refused", refusal };
}
