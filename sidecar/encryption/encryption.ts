/** From a checked EncryptionConfiguration to transformers. */
import { scryptSync } from "node:crypto";
import type { Clock } from "../../src/ports/clock.js";
import { Chain, identity } from "./chain.js";
import { aesCbc, aesGcm, type Cipher, secretbox } from "./ciphers.js";
import type { EncryptionEntry, EncryptionKey, ProviderConfig } from "./config.js";
import { KmsClient } from "./kms-client.js";
import type { KmsPlugin } from "./kms-plugin.js";
import { KmsV2 } from "./kms-v2.js";
import type { Opener } from "./opener.js";
import { providersOf } from "./resources.js";
import type { Encryption, GroupResource, ValueTransformer } from "./transformer.js";

/** Connects to a plugin; tests hand in one of their own. */
export type ConnectKms = (provider: Extract<ProviderConfig, { kind: "kms" }>) => KmsPlugin;

/** No configuration at all: everything is stored as it is, and what is encrypted nobody here can read. */
export const PLAIN: Encryption = {
  fingerprint: "",
  transformer: () => new Chain(identity, []),
  close: () => undefined,
};

/** Does not connect yet; KMS plugins are reached with the first value. */
export function openEncryption(
  entries: readonly EncryptionEntry[],
  clock: Clock,
  connect: ConnectKms = (provider) => new KmsClient({ ...provider, clock }),
): Encryption {
  return new Configured(entries, clock, connect);
}

class Configured implements Encryption {
  #fingerprint: string | undefined;
  /** By provider: one KMS connection and one seed, however many resources share it. */
  readonly #openers: ReadonlyMap<ProviderConfig, readonly Opener[]>;
  readonly #plugins: KmsPlugin[] = [];

  constructor(
    private readonly entries: readonly EncryptionEntry[],
    clock: Clock,
    connect: ConnectKms,
  ) {
    const providers = new Set(entries.flatMap((entry) => entry.providers));
    const connected: ConnectKms = (provider) => {
      const plugin = connect(provider);
      this.#plugins.push(plugin);
      return plugin;
    };
    this.#openers = new Map(
      [...providers].map((provider) => [provider, openersOf(provider, clock, connected)]),
    );
  }

  /** Made when it is asked for: it takes some 50 ms. */
  get fingerprint(): string {
    return (this.#fingerprint ??= fingerprint(this.entries));
  }

  transformer(resource: GroupResource): ValueTransformer {
    const providers = providersOf(this.entries, resource) ?? [];
    const [first = identity, ...others] = providers.flatMap(
      (provider) => this.#openers.get(provider) ?? [],
    );
    return new Chain(first, others);
  }

  close(): void {
    for (const plugin of this.#plugins) plugin.close();
  }
}

function openersOf(provider: ProviderConfig, clock: Clock, connect: ConnectKms): readonly Opener[] {
  switch (provider.kind) {
    case "identity":
      return [identity];
    case "aescbc":
      return provider.keys.map((key) => keyOpener(provider.kind, key, aesCbc));
    case "aesgcm":
      return provider.keys.map((key) => keyOpener(provider.kind, key, aesGcm));
    case "secretbox":
      return provider.keys.map((key) => keyOpener(provider.kind, key, secretbox));
    case "kms":
      return [new KmsV2({ name: provider.name, plugin: connect(provider), clock })];
  }
}

function keyOpener(kind: string, key: EncryptionKey, cipherOf: (secret: Buffer) => Cipher): Opener {
  const cipher = cipherOf(key.secret);
  return {
    prefix: `k8s:enc:${kind}:v1:${key.name}:`,
    open: (payload, authenticated) => ({
      value: cipher.open(payload, authenticated),
      stale: false,
    }),
    seal: (plain, authenticated) => cipher.seal(plain, authenticated),
  };
}

const FINGERPRINT_BYTES = 8;

/**
 * 64 bits of scrypt over the content: it stands in the destination's etcd, where somebody could try keys against it, and
 * keys that people invent can be guessed. Each try costs as much as this one, and a hit proves nothing.
 */
function fingerprint(entries: readonly EncryptionEntry[]): string {
  const content = JSON.stringify(entries);
  return scryptSync(content, "svc-ferry encryption configuration", FINGERPRINT_BYTES).toString(
    "hex",
  );
}
