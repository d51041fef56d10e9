/** How the webhook's certificates stand, as `svc-ferry certs` shows them. Nothing in it is secret. Part of the API: `-o json`. */
import type { CertificateRefusal } from "./certificate-refusal.js";

/** What a person may ask to be replaced. */
export const ROTATIONS = ["leaf", "ca", "stamp"] as const;
export type Rotation = (typeof ROTATIONS)[number];

/** Who makes the serving certificate. */
export type CertificatesMode = "self" | "cert-manager" | "provided";

/** RFC 3339; whole days are rounded down, and negative after the end. */
export interface Dates {
  readonly from: string;
  readonly until: string;
  readonly daysLeft: number;
}

/** "secret": of svc-ferry's Secret. "files": what somebody else writes into --certs-dir. */
export type HeldIn = "secret" | "files";

/** One CA that is trusted. */
export interface CaReport extends Dates {
  /** The first 16 of the 64 hex digits of its SHA-256 fingerprint. */
  readonly id: string;
  readonly in: HeldIn;
  /** "trusted": by whoever has the bundle, and it signs nothing. "unusable": its time has not begun or is over. */
  readonly role: "signs" | "will sign" | "trusted" | "unusable";
}

/** Whether a replica would take a leaf: "good", or the `reason` of svc_ferry_certificates_refused_total. */
export type LeafState = "good" | CertificateRefusal;

/** One leaf certificate. Dates and names are missing when it cannot be read. */
export interface LeafReport extends Partial<Dates> {
  /** What API servers see, and what replicas show each other. */
  readonly name: "serving" | "hand-off";
  readonly in: HeldIn;
  readonly state: LeafState;
  readonly names: readonly string[];
  /** `id` of a CA of this report; missing: none of them, or a public CA. */
  readonly signedBy?: string;
}

/** One of the two webhook configurations. */
export interface ConfigurationReport {
  readonly kind: "mutating" | "validating";
  readonly name: string;
  /** Whether every entry of it trusts the serving certificate. A configuration that is missing calls nobody. */
  readonly state: "missing" | "trusts" | "does-not-trust";
  readonly entries: number;
  /** Names that API servers call by and that the serving certificate is not for. */
  readonly namesLacking: readonly string[];
}

/** What the leader does next with the Secret. */
export interface NextRotation {
  /** As in svc_ferry_certificate_rotations_total; "wait": for the configurations to trust the next CA. */
  readonly step: "create" | "trust" | "sign" | "renew" | "prune" | "stamp" | "wait";
  readonly reason: string;
  /** RFC 3339, at the earliest; `time` of the report: now. */
  readonly at: string;
  /** Leaves to be renewed, or CAs to be pruned, by `id`. */
  readonly what: readonly string[];
}

/** Something because of which API servers refuse, or replicas cannot work. */
export interface CertificateProblem {
  readonly problem: string;
  readonly fix: string;
}

/** All of it, at one moment. */
export interface CertificatesReport {
  readonly apiVersion: "svc-ferry.io/cli/v1";
  readonly kind: "CertificatesReport";
  readonly time: string;
  readonly mode: CertificatesMode;
  /** Name of the source cluster in the configuration. */
  readonly cluster: string;
  readonly secret: {
    /** "namespace/name" */
    readonly name: string;
    readonly exists: boolean;
    /** What the annotation svc-ferry.io/rotate asks for, as it stands there. */
    readonly requested?: string;
  };
  readonly cas: readonly CaReport[];
  readonly leaves: readonly LeafReport[];
  readonly stampKeys: { readonly current: boolean; readonly previous: boolean };
  readonly configurations: readonly ConfigurationReport[];
  /** Missing: nothing within the lifetime of a leaf. */
  readonly next?: NextRotation;
  /** Empty: all is well. */
  readonly problems: readonly CertificateProblem[];
}
