/** What `svc-ferry kubeconfig` is asked for, and what it makes. */

export interface CredentialQuestion {
  /** The ServiceAccount in the destination. */
  readonly namespace: string;
  readonly name: string;
  /** undefined: the address by which whoever asks reaches the cluster. */
  readonly server: string | undefined;
  readonly token: TokenQuestion;
}

/** `bound`: it ends by itself, TokenRequest. `lasting`: of a Secret, until that is deleted. */
export type TokenQuestion =
  | { readonly kind: "bound"; readonly durationMs: number }
  | { readonly kind: "lasting"; readonly secret: string };

export interface MadeCredential {
  readonly kind: "made";
  readonly server: string;
  /** PEM; undefined: a CA that hosts trust anyway. */
  readonly ca: string | undefined;
  /** Secret. */
  readonly token: string;
  /** RFC 3339, as the server said; undefined: never. */
  readonly expires: string | undefined;
  /** What whoever asked has to know. */
  readonly warnings: readonly string[];
}
