/** All keys of one resource, as the API server tries them. */
import { DoesNotOpen, type Opener } from "./opener.js";
import type { Decrypted, ValueTransformer } from "./transformer.js";

/** What every encrypted value begins with. */
const ENCRYPTED = Buffer.from("k8s:enc:", "latin1");

/**
 * Reads with every key whose prefix fits, in order: prefixes overlap while a key is rotated, so the first one that fits need
 * not be the one that opens. Writes with the first. Source: apiserver pkg/storage/value/transformer.go.
 */
export class Chain implements ValueTransformer {
  readonly #openers: readonly { readonly opener: Opener; readonly prefix: Buffer }[];

  constructor(
    private readonly first: Opener,
    others: readonly Opener[],
  ) {
    this.#openers = [first, ...others].map((opener) => ({
      opener,
      prefix: Buffer.from(opener.prefix),
    }));
  }

  get encrypts(): boolean {
    return this.writePrefix !== "";
  }

  get writePrefix(): string {
    return this.first.prefix;
  }

  async decrypt(stored: Buffer, key: string): Promise<Decrypted> {
    const authenticated = Buffer.from(key);
    const tried: string[] = [];
    for (const { opener, prefix } of this.#openers) {
      if (!startsWith(stored, prefix)) continue;
      try {
        const opened = await opener.open(stored.subarray(prefix.length), authenticated);
        const stale = opened.stale || opener !== this.first;
        return { kind: "plain", value: opened.value, wasEncrypted: prefix.length > 0, stale };
      } catch (error) {
        if (!(error instanceof DoesNotOpen)) throw error;
        if (prefix.length > 0) tried.push(`${opener.prefix} ${error.message}`);
      }
    }
    return { kind: "unreadable", message: tried.join("; ") || noneFits(stored) };
  }

  async encrypt(plain: Buffer, key: string): Promise<Buffer> {
    const sealed = await this.first.seal(plain, Buffer.from(key));
    return Buffer.concat([Buffer.from(this.writePrefix), sealed]);
  }
}

/** Stores and reads as it is, but never takes encrypted bytes for a value. */
export const identity: Opener = {
  prefix: "",
  open(payload) {
    if (startsWith(payload, ENCRYPTED)) throw new DoesNotOpen("it is encrypted");
    return { value: payload, stale: false };
  },
  seal(plain) {
    return plain;
  },
};

/** Provider, version and, as far as it can be told, the key's name: printable characters only. */
function noneFits(stored: Buffer): string {
  const head = stored.toString("latin1", 0, 100);
  const prefix = /^k8s:enc:(?:kms:v[12]|[a-z]+:v1):[\w.-]{1,60}:/.exec(head)?.[0];
  if (prefix !== undefined) return `no configured key fits ${prefix}`;
  return startsWith(stored, ENCRYPTED)
    ? "no configured key fits"
    : "it is not encrypted, and the configuration allows no plain values";
}

function startsWith(value: Buffer, prefix: Buffer): boolean {
  return (
    value.length >= prefix.length && value.compare(prefix, 0, prefix.length, 0, prefix.length) === 0
  );
}
