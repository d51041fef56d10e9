/** Whether whoever has a bundle accepts a certificate, as API servers judge it. Pure. */
import type { Certificate } from "./certificate.js";
import { verifier } from "./verdict.js";

export interface TrustOptions {
  /** False: without a bundle the certificate comes from a CA that API servers know. */
  readonly needsBundle: boolean;
  /** Epoch. */
  readonly nowMs: number;
}

/** Does this caBundle verify this chain? Names are another question. */
export function isTrusted(
  chain: readonly Certificate[],
  bundle: readonly Certificate[],
  { needsBundle, nowMs }: TrustOptions,
): boolean {
  if (bundle.length === 0) return !needsBundle;
  return verifier(chain, bundle, nowMs) !== undefined;
}

/** Those of these names that a certificate is not for. `*` stands for one label, as in Go's crypto/x509. */
export function uncovered(
  { names }: Pick<Certificate, "names">,
  called: readonly string[],
): readonly string[] {
  return called.filter((name) => {
    const [, ...rest] = name.split(".");
    return !names.includes(name) && !names.includes(["*", ...rest].join("."));
  });
}
