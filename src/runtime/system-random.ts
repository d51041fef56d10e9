import { randomBytes } from "node:crypto";
import { injectable } from "tsyringe";
import type { Random } from "../ports/random.js";

/** The machine's randomness. Ids come from the kernel: they must differ between processes that start together. */
@injectable()
export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  id(): string {
    return randomBytes(8).toString("hex");
  }
}
