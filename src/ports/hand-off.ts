import type { Hint } from "./hint.js";

/** Hints on their way from one replica to the leader. */
export interface HandOffBatch {
  /** At most `MAX_BATCH_HINTS`. */
  readonly hints: readonly Hint[];
  /** More changes were let pass than could be kept: these hints are not all. */
  readonly resync: boolean;
}

/** As JSON well below 1 MiB, with every text as long as it may be. */
export const MAX_BATCH_HINTS = 500;

/** The leader's end, in its own process. Quick, never throws. False: this process does not lead, and nothing was taken. */
export type HandOffReceiver = (batch: HandOffBatch) => boolean;

/** The way from a replica to the leader of the moment. */
export interface LeaderLink {
  /** Another value: another leadership, which knows nothing of what was delivered before. undefined: nobody leads. */
  readonly leader: string | undefined;
  /**
   * Resolves when the leader of the moment has taken all of it. Called for one batch at a time; settles soon after `signal`
   * aborts.
   * @throws RetryableError FERRY-H001 when it has not: the batch is delivered again, and what was taken after all is taken twice
   */
  deliver(batch: HandOffBatch, signal: AbortSignal): Promise<void>;
}
