/** The client's end of one watch on a fake API server. */
import { RetryableError } from "../../src/ports/errors.js";
import type { Resource, WatchEvent, WatchOptions } from "../../src/ports/kube-api.js";
import { errorOf } from "./client-answers.js";
import type { MemoryApiServer } from "./memory-api-server.js";
import type { Network } from "./network.js";

export interface MemoryWatchOptions {
  readonly network: Network;
  readonly cluster: string;
  readonly options: WatchOptions;
  readonly onEvent: (event: WatchEvent) => void;
  readonly signal: AbortSignal;
}

/** Invariant: what the server sends arrives in its order, at the pace of the network; after the end nothing arrives. */
export class MemoryWatch {
  /** What is on its way, oldest first. Each wake-up takes one, so rounding of times cannot change the order. */
  readonly #onTheWay: (() => void)[] = [];
  #closers: (() => void)[] = [];
  /** The connection is gone: what the server says from now on does not arrive. */
  #lost = false;
  #over = false;
  #lastDueMs = 0;
  #lastByteMs = 0;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(private readonly about: MemoryWatchOptions) {}

  /** Lasts as long as the watch. `opening` is the request's way there and back. */
  async run(opening: Promise<void>): Promise<void> {
    const { signal } = this.about;
    const ended = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const onAbort = (): void => {
      this.#finish(undefined);
    };
    signal.addEventListener("abort", onAbort);
    opening.catch((error: unknown) => {
      if (signal.aborted) this.#finish(undefined);
      else this.#fail(error);
    });
    try {
      await ended;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** The request has arrived: called on the server, once. */
  open(server: MemoryApiServer, resource: Resource): void {
    if (this.#over) return;
    const { network, options } = this.about;
    this.#lastByteMs = network.process.monotonicMs();
    this.#closers.push(
      network.onCut((how) => {
        if (how === "cut") this.#break();
        else this.#silence();
      }),
    );
    this.#watchForStall(options.stallMs);
    const close = server.watch(resource, options, {
      event: (event) => {
        this.#sent(event);
      },
      end: () => {
        this.#deliver(() => {
          this.#finish(undefined);
        });
      },
      fail: (failure) => {
        this.#deliver(() => {
          this.#fail(failure);
        });
      },
      cut: () => {
        network.disconnect();
        this.#break();
      },
    });
    if (this.#over) close();
    else this.#closers.push(close);
  }

  #sent(event: WatchEvent): void {
    const { network, onEvent } = this.about;
    if (network.random.chance(network.faults.cutWatch)) {
      network.note("cut-watch");
      this.#break();
      return;
    }
    this.#deliver(() => {
      this.#lastByteMs = network.process.monotonicMs();
      try {
        onEvent(event);
      } catch (error) {
        this.#finish(error);
      }
    });
  }

  #deliver(act: () => void): void {
    if (this.#lost || this.#over) return;
    const { network } = this.about;
    const nowMs = network.process.monotonicMs();
    const dueMs = Math.max(this.#lastDueMs, nowMs + network.delayMs(network.faults.watchLatencyMs));
    this.#lastDueMs = dueMs;
    this.#onTheWay.push(act);
    network.process.schedule(dueMs - nowMs, () => {
      const next = this.#onTheWay.shift();
      if (!this.#over) next?.();
    });
  }

  /** The connection breaks: what is on its way arrives before that is noticed, or is lost with it. */
  #break(): void {
    if (this.#lost || this.#over) return;
    if (this.about.network.random.chance(0.5)) this.#onTheWay.length = 0;
    this.#deliver(() => {
      const message = `${this.about.cluster}: watch: connection reset`;
      this.#finish(new RetryableError("FERRY-K001", message));
    });
    this.#lost = true;
  }

  #silence(): void {
    this.#lost = true;
    this.#onTheWay.length = 0;
  }

  #watchForStall(inMs: number): void {
    const { network, options, cluster } = this.about;
    const { process } = network;
    const cancel = process.schedule(inMs, () => {
      this.#closers = this.#closers.filter((closer) => closer !== cancel);
      const silentMs = process.monotonicMs() - this.#lastByteMs;
      if (silentMs < options.stallMs) {
        this.#watchForStall(Math.max(1, options.stallMs - silentMs));
        return;
      }
      const message = `${cluster}: watch: silent for ${options.stallMs} ms`;
      this.#finish(new RetryableError("FERRY-K010", message));
    });
    this.#closers.push(cancel);
  }

  #fail(failure: unknown): void {
    const { cluster, network } = this.about;
    this.#finish(errorOf(failure, cluster, network.faults.retryAfterMs));
  }

  /** Ends the watch in good order (undefined) or with an error. */
  #finish(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    for (const close of this.#closers) close();
    if (error === undefined) this.#resolve();
    else this.#reject(error);
  }
}
