/** What the parts of a chain have in common: one key of one provider. */

/** This key does not open the value, or the value is damaged. Another key may open it. The message holds no bytes. */
export class DoesNotOpen extends Error {
  override readonly name = "DoesNotOpen";
}

export interface Opened {
  readonly value: Buffer;
  /** It opens, but would not be written so any more. */
  readonly stale: boolean;
}

/** One key. What it is handed and what it gives has no prefix. */
export interface Opener {
  /** What stored values of it begin with, "k8s:enc:aescbc:v1:key1:"; "" for identity. */
  readonly prefix: string;
  /** @throws DoesNotOpen, EncryptionUnavailable */
  open(payload: Buffer, authenticated: Buffer): Opened | Promise<Opened>;
  /** @throws EncryptionUnavailable */
  seal(plain: Buffer, authenticated: Buffer): Buffer | Promise<Buffer>;
}
