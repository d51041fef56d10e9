/** Why a replica does not take a certificate that it is offered: what `svc-ferry certs` and the metrics say, and the code decides by. */
export const CERTIFICATE_REFUSALS = [
  /** Nothing is offered. */
  "missing",
  "unreadable",
  /** The key is another's. */
  "mismatched",
  "ended",
  "not-yet-valid",
  /** No CA that came with it has signed it. */
  "untrusted",
  /** Not for what it is to be used for. */
  "wrong-usage",
  /** Made before the one in use, which still verifies against what came with the older one. */
  "older",
] as const;
export type CertificateRefusal = (typeof CERTIFICATE_REFUSALS)[number];
