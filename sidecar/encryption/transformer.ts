/** Encryption at rest as the API server does it: from an EncryptionConfiguration to bytes, and back. */

/** Group "" and plural of the API, "secrets" or "deployments.apps"; never a path in etcd. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

export type Decrypted =
  | {
      readonly kind: "plain";
      readonly value: Buffer;
      /** It was encrypted in the store. */
      readonly wasEncrypted: boolean;
      /** Written by another key or provider than the one that writes now (API servers call it stale). */
      readonly stale: boolean;
    }
  /** No configured key opens it, or it is damaged. `message` holds the provider and key name, never bytes. */
  | { readonly kind: "unreadable"; readonly message: string };

/** For one resource of one side. */
export interface ValueTransformer {
  /** The configuration names this resource and its first provider encrypts. */
  readonly encrypts: boolean;
  /** What the first provider's values begin with, "k8s:enc:aescbc:v1:key1:"; "" for identity. */
  readonly writePrefix: string;
  /**
   * @param key the whole etcd key: aesgcm and kms v2 authenticate it
   * @throws EncryptionUnavailable when the KMS plugin that must open it does not answer: retried
   */
  decrypt(stored: Buffer, key: string): Promise<Decrypted>;
  /** With the first provider. @throws EncryptionUnavailable when the KMS plugin does not answer: retried */
  encrypt(plain: Buffer, key: string): Promise<Buffer>;
}

/** A KMS plugin does not answer: another attempt may. */
export class EncryptionUnavailable extends Error {
  override readonly name = "EncryptionUnavailable";
}

/** One EncryptionConfiguration, loaded and checked. */
export interface Encryption {
  /** Changes with the content: part of the transform epoch. No secret can be told from it. */
  readonly fingerprint: string;
  /** Exact resource, then `*.group`, then `*.*`, else identity. */
  transformer(resource: GroupResource): ValueTransformer;
  /** Closes KMS sockets. */
  close(): void;
}
