/**
 * The clock of one simulated process on the world's time: its wall clock may be
 * off, and the process can be stopped (SIGSTOP) and killed. While it is stopped
 * nothing of it runs, but time goes on; what became due waits in order.
 */
import type { Clock } from "../../src/ports/clock.js";
import { type Scheduler, sleepOn, type VirtualClock } from "./virtual-clock.js";

export class ProcessClock implements Clock, Scheduler {
  #state: "running" | "frozen" | "killed" = "running";
  /** What waits for its turn, oldest first. Invariant: while it is not empty nothing overtakes it. */
  readonly #backlog: (() => void)[] = [];
  #draining = false;

  /** @param skewMs how far this process's wall clock is ahead of the world's */
  constructor(
    private readonly world: VirtualClock,
    readonly skewMs = 0,
  ) {}

  now(): number {
    return this.world.now() + this.skewMs;
  }

  monotonicMs(): number {
    return this.world.monotonicMs();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  schedule(delayMs: number, run: () => void): () => void {
    let cancelled = false;
    const cancel = this.world.schedule(delayMs, () => {
      this.#enter(() => {
        if (!cancelled) run();
      });
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  get state(): "running" | "frozen" | "killed" {
    return this.#state;
  }

  /** SIGSTOP. */
  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  /** SIGCONT: what became due meanwhile happens now, one by one, in the order in which it came. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    if (this.#backlog.length > 0) this.#drainLater();
  }

  /** SIGKILL: nothing of it ever runs again. Requests that are on their way arrive all the same. */
  kill(): void {
    this.#state = "killed";
    this.#backlog.length = 0;
  }

  #enter(run: () => void): void {
    if (this.#state === "killed") return;
    if (this.#state === "running" && this.#backlog.length === 0 && !this.#draining) run();
    else this.#backlog.push(run);
  }

  #drainLater(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.world.schedule(0, () => {
      this.#draining = false;
      if (this.#state !== "running") return;
      this.#backlog.shift()?.();
      if (this.#backlog.length > 0) this.#drainLater();
    });
  }
}
