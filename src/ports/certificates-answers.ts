/** What `svc-ferry certs print` and `rotate` are answered. */
import type { CertificateProblem, Rotation } from "./certificates-report.js";

/** It cannot be done, and not because a server failed. */
export interface Cannot extends CertificateProblem {
  readonly kind: "cannot";
}

/** PEM, certificates only. */
export interface Bundle {
  readonly kind: "bundle";
  readonly pem: string;
}

/** What became of a request to rotate. */
export type RotateAnswer =
  | Cannot
  | {
      readonly kind: "requested";
      readonly rotation: Rotation;
      /** A request that had not begun and that this one has replaced. */
      readonly replaced: string | undefined;
      /** How long a CA is trusted before it signs, and after its successor does. */
      readonly overlapMs: number;
      /** Two stamp keys are there; the older one goes. */
      readonly dropsStampKey: boolean;
    }
  | { readonly kind: "already-requested"; readonly rotation: Rotation }
  /** A new CA is trusted and does not sign yet: a second one would wait for it. */
  | { readonly kind: "under-way"; readonly signsAt: string };
