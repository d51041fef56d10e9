import { randomBytes } from "node:crypto";
import { injectable } from "tsyringe";
import type { Random } from "../ports/random.js";

const ID_BYTES = 8;
const POOL_BYTES = 1_024;

/** The machine's randomness. Ids come from the kernel: they must differ between processes that start together. */
@injectable()
export class SystemRandom implements Random {
  /** What the kernel gave in one call, which costs as much for eight bytes as for all of these. */
  #pool = Buffer.alloc(0);
  #taken = 0;

  next(): number {
    return Math.random();
  }

  id(): string {
    if (this.#taken === this.#pool.length) {
      this.#pool = randomBytes(POOL_BYTES);
      this.#taken = 0;
    }
    this.#taken += ID_BYTES;
    return this.#pool.toString("hex", this.#taken - ID_BYTES, this.#taken);
  }
}
