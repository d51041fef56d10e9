import type { Clock } from "../../src/ports/clock.js";
import type { Tombstones } from "../ledger/tombstones.js";
import type { LowWaterMark } from "../writer/low-water-mark.js";
import type { StateKeeper } from "./state-keeper.js";

/** How much is done again after a crash, at most. */
const EVERY_MS = 10_000;
/** Below the five minutes after which a source compacts what an idle link would still need. */
const IDLE_MS = 60_000;
const TICK_MS = 1_000;

/** Writes the low-water mark into the state key now and then. What is above it is done again after a restart, which is harmless. */
export class Checkpoints {
  constructor(
    private readonly clock: Clock,
    private readonly keeper: StateKeeper,
    private readonly mark: LowWaterMark,
    private readonly tombstones: Tombstones,
  ) {}

  /** Runs until `signal` aborts. @throws FenceLost */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      const hasMoved = this.mark.mark > (this.keeper.state.applied ?? 0n);
      if (this.keeper.ageMs >= (hasMoved ? EVERY_MS : IDLE_MS)) await this.write();
      await this.clock.sleep(TICK_MS, signal);
    }
  }

  async write(): Promise<void> {
    const { mark } = this.mark;
    await this.keeper.write({ applied: mark });
    this.tombstones.passed(mark);
  }
}
