import type { Socket } from "node:net";

/** Seen from the client. */
export type Direction = "to-server" | "to-client";

/** What is wrong with one direction of a connection. */
export interface LineFaults {
  readonly silent: boolean;
  /** How much later than it came each byte is passed on. */
  readonly delayMs: number;
  /** Infinity: not limited. */
  readonly bytesPerSecond: number;
}

/** Read ahead at most so much; then the sender's own buffers fill, as on a slow line. */
const READ_AHEAD_BYTES = 1024 * 1024;

/** What travels; a reset overtakes all that was sent before it. */
type Parcel =
  | { readonly kind: "bytes"; readonly bytes: Buffer; readonly cameAt: number }
  | { readonly kind: "end" | "reset"; readonly cameAt: number };

/**
 * Passes bytes, ends and resets from one socket to the other, under the faults of the moment.
 *
 * NB: a paused socket of node goes on reading until its buffer is full, and so notices a reset: not reading is not enough
 * to be silent, hence ends and resets wait in the queue like bytes.
 */
export class Pump {
  /** Arrived, not passed on. */
  #queue: Parcel[] = [];
  #queuedBytes = 0;
  /** When the throttled line is free again. */
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly faults: () => LineFaults,
  ) {
    from.on("data", (bytes: Buffer) => {
      this.#queuedBytes += bytes.length;
      this.#arrived({ kind: "bytes", bytes, cameAt: performance.now() });
    });
    from.on("end", () => this.#arrived({ kind: "end", cameAt: performance.now() }));
    from.on("error", () => {
      this.#queue = [];
      this.#arrived({ kind: "reset", cameAt: performance.now() });
    });
    to.on("drain", () => this.#work());
    to.on("close", () => clearTimeout(this.#timer));
    this.#readOrWait();
  }

  /** Called when `faults()` answers differently from now on. */
  faultsChanged(): void {
    this.#readOrWait();
    this.#work();
  }

  #arrived(parcel: Parcel): void {
    this.#queue.push(parcel);
    this.#readOrWait();
    this.#work();
  }

  #readOrWait(): void {
    if (this.faults().silent || this.#queuedBytes > READ_AHEAD_BYTES) this.from.pause();
    else this.from.resume();
  }

  /** Passes on all that is due, then sleeps until the next is. */
  #work(): void {
    clearTimeout(this.#timer);
    const { silent, delayMs } = this.faults();
    if (silent) return;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.to.destroyed || (this.to.writableNeedDrain && next.kind !== "reset")) break;
      const now = performance.now();
      const waitMs = Math.max(next.cameAt + delayMs, this.#freeAt) - now;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#work(), waitMs);
        break;
      }
      this.#queue.shift();
      this.#deliver(next, now);
    }
    this.#readOrWait();
  }

  #deliver(parcel: Parcel, now: number): void {
    switch (parcel.kind) {
      case "bytes":
        this.#queuedBytes -= parcel.bytes.length;
        this.#freeAt = now + (parcel.bytes.length / this.faults().bytesPerSecond) * 1000;
        this.to.write(parcel.bytes);
        return;
      case "end":
        this.to.end();
        return;
      case "reset":
        this.to.resetAndDestroy();
    }
  }
}
