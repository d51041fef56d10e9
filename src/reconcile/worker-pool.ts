import type { ServiceKey } from "../domain/service-key.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { WorkNote } from "../ports/work.js";
import type { WorkItem, WorkQueue } from "../queue/work-queue.js";
import type { Breather } from "./breather.js";
import type { PassResult } from "./pass.js";

/** What a pool needs to know of the reconciler: one attempt at one key. */
export type Attempt = (item: WorkItem<ServiceKey, WorkNote>) => Promise<PassResult>;

/** Told of each failed attempt, before the key is retried or given up. */
export type OnFailure = (target: ServiceKey, error: unknown, attempt: number) => void;

/**
 * Takes keys off the queue and attempts them, `workers` at once, never two attempts at one key. One of the four places
 * that catch: an error concerns its key alone, so a poison Service never holds up the others.
 */
export class WorkerPool {
  constructor(
    private readonly queue: WorkQueue<ServiceKey, WorkNote>,
    private readonly attempt: Attempt,
    private readonly onFailure: OnFailure,
    private readonly how: { readonly workers: number; readonly breather: Pick<Breather, "pause"> },
  ) {}

  /** Resolves after `signal` has aborted and the attempts in flight have ended. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.how.workers }, () => this.#work(signal)));
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const item = await this.queue.take(signal);
      if (item === undefined) return;
      await this.#process(item, signal);
      await this.how.breather.pause(signal);
    }
  }

  async #process(item: WorkItem<ServiceKey, WorkNote>, signal: AbortSignal): Promise<void> {
    try {
      const { again } = await this.attempt(item);
      if (again) this.queue.retry(item.key);
      else this.queue.done(item.key);
    } catch (error) {
      if (!signal.aborted) this.onFailure(item.key, error, item.failures + 1);
      if (error instanceof TerminalError) this.queue.done(item.key);
      else this.queue.retry(item.key, { afterMs: retryAfterMs(error) });
    }
  }
}

/** An error of an unknown class is a defect of ours: it is reported like the others and retried, so that nothing is lost. */
function retryAfterMs(error: unknown): number | undefined {
  return error instanceof RetryableError ? error.retryAfterMs : undefined;
}
