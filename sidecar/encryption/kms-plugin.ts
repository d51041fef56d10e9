/** A KMS plugin as the providers need it. Source: k8s.io/kms apis/v2/api.proto. */

export interface KmsStatus {
  /** Of the key that writes now; never empty. */
  readonly keyId: string;
}

export interface KmsSealed {
  readonly ciphertext: Buffer;
  readonly keyId: string;
  readonly annotations: Annotations;
}

export interface KmsRequest {
  readonly ciphertext: Buffer;
  readonly keyId: string;
  readonly annotations: Annotations;
}

/** What the plugin wants to have back with the ciphertext; in the order in which it came. */
export type Annotations = ReadonlyMap<string, Buffer>;

/** Calls end after the configured time. All throw EncryptionUnavailable when the plugin does not answer, or not as it must. */
export interface KmsPlugin {
  /** Throws also when the plugin says that it is not well. */
  status(): Promise<KmsStatus>;
  seal(plain: Buffer): Promise<KmsSealed>;
  /** @throws DoesNotOpen when the plugin says that it cannot open this, and trying again is no use */
  open(request: KmsRequest): Promise<Buffer>;
  close(): void;
}
