/** What the installation's Secret holds, as rotation looks at it: every part that can be used, and no other. */
import type { Rotation } from "../src/ports/certificates-report.js";
import type { Issued } from "./authority.js";
import type { Certificate } from "./certificate.js";

/** A leaf certificate with its key and the CA that signed it. */
export interface Pair extends Issued {
  /** `id` of a CA of the bundle. */
  readonly issuer: string;
}

/** "serving" is what API servers see; "hand-off" is what replicas show each other, as server and as client. */
export type LeafName = "serving" | "hand-off";

/** Can a certificate be used as this one? A replica is the hand-off's server and its client, with one for both. */
export function isFor(name: LeafName, { isForServers, isForClients }: Certificate): boolean {
  return isForServers && (name === "serving" || isForClients);
}

/** Keys that sign stamps, base64. */
export interface StampKeys {
  readonly current: string;
  /** Signs no more; what it has signed still counts. */
  readonly previous: string | undefined;
}

/** Certificates are compared by `id`. */
export interface Holding {
  /** The bundle: every CA that is trusted. */
  readonly cas: readonly Certificate[];
  /** The CA of the bundle that signs now; undefined: its key is not there or does not fit. */
  readonly signer: Issued | undefined;
  /** The CA of the bundle that will sign once everybody trusts it. */
  readonly next: Issued | undefined;
  readonly leaves: Readonly<Partial<Record<LeafName, Pair>>>;
  readonly stampKeys: StampKeys | undefined;
  /** By a person, with an annotation on the Secret. */
  readonly requested: Rotation | undefined;
}

/** A Secret that is not there, or that the chart has made without data. */
export const EMPTY: Holding = {
  cas: [],
  signer: undefined,
  next: undefined,
  leaves: {},
  stampKeys: undefined,
  requested: undefined,
};

/** What caBundle has to be. "" when nothing is trusted. */
export function bundleText(cas: readonly Certificate[]): string {
  return cas.map(({ pem }) => pem).join("");
}
