/** What `svc-ferry doctor -o json` prints. Part of the API: fields are only added, never renamed. Moments are RFC 3339 in UTC. */

export interface DoctorReport {
  readonly apiVersion: "svc-ferry.io/cli/v1";
  readonly kind: "DoctorReport";
  readonly time: string;
  readonly version: string;
  readonly summary: Readonly<Record<CheckResult, number>>;
  readonly checks: readonly CheckReport[];
}

/** `skip`: it could not be asked, which says nothing about what it is about. */
export type CheckResult = "ok" | "warn" | "fail" | "skip";

/** One check. */
export interface CheckReport {
  /** Stable: `src-reach`, `dst-rbac:patch:endpointslices`. */
  readonly id: string;
  /** What it belongs to: "config", "source", "destination b", "webhook", "leader", "sync". */
  readonly section: string;
  /** What exactly it is about: a cluster, a namespace, an object. */
  readonly subject: string;
  readonly result: CheckResult;
  /** A code of docs/codes.md, where there is one. */
  readonly code?: string | undefined;
  readonly message: string;
  readonly observedAt: string;
  /** The check that has to be right first. */
  readonly waitsFor?: string | undefined;
  readonly remedy?: Remedy | undefined;
  /** Where it is explained. */
  readonly docs: string;
}

export interface Remedy {
  readonly text: string;
  /** To paste. */
  readonly command?: string | undefined;
}

export type DoctorAnswer =
  | { readonly kind: "report"; readonly report: DoctorReport }
  /** Of --only and --skip: no check and no section is called so. */
  | { readonly kind: "unknown-names"; readonly names: readonly string[] };

/** Which checks, and how seriously. */
export interface DoctorQuestion {
  /** Ids, beginnings of ids up to a colon, or sections; empty: all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
  /** Only what needs nothing to be installed. */
  readonly pre: boolean;
  /** How long failures are looked at again, ms; 0: once. */
  readonly waitMs: number;
  /** It is asked in a pod of the source cluster, from where replicas reach each other. */
  readonly isInPod: boolean;
  /** Whose rights are asked about. */
  readonly sourceAccount: Account;
  readonly destinationAccount: Account;
}

/** `self`: of whoever asks. */
export type Account =
  | { readonly kind: "self" }
  | { readonly kind: "service-account"; readonly namespace: string; readonly name: string };
