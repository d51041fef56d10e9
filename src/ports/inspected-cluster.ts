import type { KubeApi } from "./kube-api.js";
import type { RawApi } from "./raw-api.js";
import type { Rehearsal } from "./rehearsal.js";

/** What is known of a credential without asking anybody. Nothing in it is secret. */
export interface CredentialFacts {
  /** Scheme, host and port of the API server. */
  readonly server: string;
  readonly kind: "token" | "client-certificate" | "none";
  /** undefined: a token that is no JWT, or does not say. */
  readonly issuedAtMs: number | undefined;
  /** PEM of the CA that the server's certificate is checked with; undefined: those that the host trusts anyway. */
  readonly ca: string | undefined;
  /** undefined: it does not end by itself, or does not say. */
  readonly expiresAtMs: number | undefined;
}

/** A cluster as `doctor` and other tools ask it. */
export interface InspectedCluster extends KubeApi {
  readonly raw: RawApi;
  readonly rehearsal: Rehearsal;
  /** @throws RetryableError FERRY-K005 when no credential can be had */
  credential(): Promise<CredentialFacts>;
  close(): Promise<void>;
}
