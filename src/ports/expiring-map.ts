import type { Clock } from "./clock.js";

export interface ExpiringMapOptions {
  readonly clock: Clock;
  /** Since the last `set` of a key. */
  readonly keepMs: number;
  /** Beyond it the oldest is forgotten: nothing may grow with calls. */
  readonly maxEntries: number;
}

/** What was a moment ago. */
export class ExpiringMap<V> {
  /** The oldest first. */
  readonly #entries = new Map<string, { readonly value: V; readonly untilMs: number }>();

  constructor(private readonly options: ExpiringMapOptions) {}

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs > this.options.clock.monotonicMs()
      ? entry.value
      : undefined;
  }

  /** What has not expired, the oldest first. */
  *entries(): Generator<readonly [string, V]> {
    const nowMs = this.options.clock.monotonicMs();
    for (const [key, { value, untilMs }] of this.#entries) {
      if (untilMs > nowMs) yield [key, value];
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  set(key: string, value: V): void {
    const { clock, keepMs, maxEntries } = this.options;
    const nowMs = clock.monotonicMs();
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: nowMs + keepMs });
    for (const [oldest, { untilMs }] of this.#entries) {
      if (untilMs > nowMs && this.#entries.size <= maxEntries) break;
      this.#entries.delete(oldest);
    }
  }
}
