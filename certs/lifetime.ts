/**
 * When certificates are valid, and when they were made.
 *
 * Certificates are the only record of a rotation: how long a CA has been trusted, or has been signing, is read from them. So
 * nothing beside them can be lost or contradict them.
 */

/** In ms since the epoch, whole seconds: X.509 knows no finer ones. */
export interface Lifetime {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Clocks of API servers may be behind ours by as much. Source: OPA cert-controller, pkg/rotator/rotator.go. */
const BACKDATE_MS = 3_600_000;

/** From an hour ago to `validityMs` from now, but not longer than `latestMs`. */
export function lifetime(nowMs: number, validityMs: number, latestMs = Infinity): Lifetime {
  const notAfterMs = Math.min(nowMs + validityMs, latestMs);
  return { notBeforeMs: seconds(nowMs - BACKDATE_MS), notAfterMs: seconds(notAfterMs) };
}

/** When a certificate of ours was made, at most; a second may be missing to the truth. */
export function issuedAtMs({ notBeforeMs }: Lifetime): number {
  return notBeforeMs + BACKDATE_MS + 1_000;
}

export function isValidAt({ notBeforeMs, notAfterMs }: Lifetime, nowMs: number): boolean {
  return notBeforeMs <= nowMs && nowMs < notAfterMs;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
