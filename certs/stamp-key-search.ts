/**
 * Finds the key of a stamp before the watch of the Secret has brought it: another replica may sign with it already, and what it
 * let through would read as a change that nobody knows.
 *
 * A replica signs with what it has read in the Secret, so a stamp that is stored was signed with a key that the Secret had before.
 * What a quorum read does not find was rotated away or never was one, and no later read could find it.
 */
import type { Clock } from "../src/ports/clock.js";
import { RetryableError, TerminalError } from "../src/ports/errors.js";
import type { KubeApi, ObjectRef } from "../src/ports/kube-api.js";
import type { Log } from "../src/ports/log.js";
import { SECRETS } from "../src/ports/kube-resources.js";
import type { Secret } from "./secret-content.js";
import { keyIdOf } from "./stamp-signer.js";

export interface StampKeySearchParts {
  /** The source. */
  readonly api: Pick<KubeApi, "get">;
  readonly secret: ObjectRef;
  readonly clock: Clock;
  readonly log: Log;
  /** Is this signature's key at hand? */
  readonly knows: (signature: string) => boolean;
  /** Takes the keys of a Secret that is newer than what the watch has brought. */
  readonly learn: (secret: Secret | undefined) => void;
}

/** Between two reads, and the longest that a change waits for one: whoever may write annotations can make up keys. */
const READ_EVERY_MS = 1_000;
/** Ids of eight digits that no Secret has had; stamps of former keys are met again at every sweep. */
const MAX_ABSENT = 1_000;

export class StampKeySearch {
  /** Oldest first. */
  readonly #absent = new Set<string>();
  #readMs = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(private readonly parts: StampKeySearchParts) {}

  /**
   * Resolves when all is known of this signature's key that can be; undefined: it is known now. Never rejects: who made a change
   * is never worth the change.
   */
  find(signature: string): Promise<void> | undefined {
    const id = keyIdOf(signature);
    if (this.parts.knows(signature) || this.#absent.has(id)) return undefined;
    if (this.#reading !== undefined) return this.#reading;
    const nowMs = this.parts.clock.monotonicMs();
    if (nowMs < this.#readMs + READ_EVERY_MS) return undefined;
    this.#readMs = nowMs;
    this.#reading = this.#read(signature).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(signature: string): Promise<void> {
    const { api, secret, clock, log, knows, learn } = this.parts;
    const [ended, late] = [new AbortController(), new AbortController()];
    const limit = clock.sleep(READ_EVERY_MS, ended.signal).then(() => late.abort());
    try {
      learn(await api.get(SECRETS, secret, late.signal));
      if (!knows(signature)) this.#remember(keyIdOf(signature));
    } catch (error) {
      if (!(error instanceof RetryableError || error instanceof TerminalError)) throw error;
      // The change reads as one of an unknown; the watch brings the key for the next one.
      log.debug({ code: error.code, error: error.message }, "key of a stamp not read");
    } finally {
      ended.abort();
      await limit;
    }
  }

  #remember(id: string): void {
    const [oldest] = this.#absent;
    if (this.#absent.size >= MAX_ABSENT && oldest !== undefined) this.#absent.delete(oldest);
    this.#absent.add(id);
  }
}
