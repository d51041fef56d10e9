/** Which seed a KMS provider writes with. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../src/ports/clock.js";
import type { KmsPlugin, KmsSealed } from "./kms-plugin.js";
import { EncryptionUnavailable } from "./transformer.js";

/**
 * How often the plugin is asked for its current key. Source: apiserver, encryptionconfig/config.go,
 * kmsv2PluginHealthzPositiveInterval.
 */
const POLL_MS = 60_000;
/** After a failure. Source: kmsv2PluginHealthzNegativeInterval. */
const RETRY_MS = 10_000;
/**
 * How long a seed is used after the plugin last said that its key is the current one. Source:
 * kmsv2PluginWriteDEKSourceMaxTTL.
 */
const TRUST_MS = 180_000;

const SEED_BYTES = 32;

export interface KmsSeed {
  readonly seed: Buffer;
  readonly sealed: KmsSealed;
}

/**
 * The seed of this process, new whenever the plugin's key is another. Nothing runs in the background: the plugin is asked
 * when somebody reads or writes, at most once a minute, and by one caller for all who wait.
 */
export class KmsWriter {
  #keyId: string | undefined;
  #confirmedAtMs = -Infinity;
  #nextPollAtMs = -Infinity;
  #polling: Promise<void> | undefined;
  /** Of the key with this id; a failed attempt leaves it undefined. */
  #seed: { readonly keyId: string; readonly value: Promise<KmsSeed> } | undefined;

  constructor(
    private readonly plugin: KmsPlugin,
    private readonly clock: Clock,
  ) {}

  /**
   * For those who read, and can do without: a plugin that does not answer keeps them waiting once in 10 s, not with each value.
   * @returns undefined: it does not answer and its last answer is 3 minutes old, or there is none
   */
  async knownKeyId(): Promise<string | undefined> {
    if (this.#isDue) {
      await this.#asked().catch((error: unknown) => {
        if (!(error instanceof EncryptionUnavailable)) throw error;
      });
    }
    return this.#isTrusted ? this.#keyId : undefined;
  }

  /** @throws EncryptionUnavailable when the plugin does not answer and its last answer is 3 minutes old, or there is none */
  async current(): Promise<KmsSeed> {
    const keyId = await this.#currentKeyId();
    if (this.#seed?.keyId !== keyId) this.#seed = { keyId, value: this.#newSeed() };
    const { value } = this.#seed;
    try {
      return await value;
    } catch (error) {
      if (this.#seed?.value === value) this.#seed = undefined;
      throw error;
    }
  }

  /** Where nothing is known that can be trusted, each writer asks: it can do nothing else. */
  async #currentKeyId(): Promise<string> {
    if (this.#isDue || !this.#isTrusted) await this.#asked();
    if (this.#keyId !== undefined && this.#isTrusted) return this.#keyId;
    throw new EncryptionUnavailable("the KMS plugin does not say which key is the current one");
  }

  get #isDue(): boolean {
    return this.clock.monotonicMs() >= this.#nextPollAtMs;
  }

  get #isTrusted(): boolean {
    return this.clock.monotonicMs() - this.#confirmedAtMs < TRUST_MS;
  }

  #asked(): Promise<void> {
    return (this.#polling ??= this.#poll().finally(() => (this.#polling = undefined)));
  }

  async #newSeed(): Promise<KmsSeed> {
    const seed = randomBytes(SEED_BYTES);
    return { seed, sealed: await this.plugin.seal(seed) };
  }

  /** A failure is the caller's only when nothing is known that can still be trusted. */
  async #poll(): Promise<void> {
    try {
      const { keyId } = await this.plugin.status();
      this.#keyId = keyId;
      this.#confirmedAtMs = this.clock.monotonicMs();
      this.#nextPollAtMs = this.#confirmedAtMs + POLL_MS;
    } catch (error) {
      this.#nextPollAtMs = this.clock.monotonicMs() + RETRY_MS;
      if (!this.#isTrusted) throw error;
    }
  }
}
