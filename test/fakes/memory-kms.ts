/** A KMS plugin in memory: opens what it sealed, whatever its current key is. */
import type {
  KmsPlugin,
  KmsRequest,
  KmsSealed,
  KmsStatus,
} from "../../sidecar/encryption/kms-plugin.js";
import { DoesNotOpen } from "../../sidecar/encryption/opener.js";
import { EncryptionUnavailable } from "../../sidecar/encryption/transformer.js";

export class MemoryKms implements KmsPlugin {
  keyId = "key-1";
  /** Every call fails while it is set. */
  down = false;
  /** Methods called, in order. */
  readonly calls: string[] = [];
  closed = false;
  readonly #sealed = new Map<string, Buffer>();

  async status(): Promise<KmsStatus> {
    await this.#called("status");
    return { keyId: this.keyId };
  }

  async seal(plain: Buffer): Promise<KmsSealed> {
    await this.#called("seal");
    const ciphertext = Buffer.from(`sealed ${this.#sealed.size}`);
    const annotations = new Map([["kms.example.com", Buffer.from(this.keyId)]]);
    this.#sealed.set(identityOf({ ciphertext, keyId: this.keyId, annotations }), plain);
    return { ciphertext, keyId: this.keyId, annotations };
  }

  async open(request: KmsRequest): Promise<Buffer> {
    await this.#called("open");
    const plain = this.#sealed.get(identityOf(request));
    if (plain === undefined) throw new DoesNotOpen("the KMS plugin does not know it");
    return plain;
  }

  close(): void {
    this.closed = true;
  }

  /** As if this plugin had sealed it long ago. */
  remember(request: KmsRequest, plain: Buffer): void {
    this.#sealed.set(identityOf(request), plain);
  }

  async #called(method: string): Promise<void> {
    this.calls.push(method);
    await Promise.resolve();
    if (this.down) throw new EncryptionUnavailable("the KMS plugin is down");
  }
}

function identityOf({ ciphertext, keyId, annotations }: KmsRequest): string {
  const texts = [...annotations].map(([key, value]) => `${key}=${value.toString("hex")}`);
  return [ciphertext.toString("hex"), keyId, ...texts].join(" ");
}
