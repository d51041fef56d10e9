import { SystemClock } from "../../src/runtime/system-clock.js";

/** Real time on a wall clock that is fast: what ends by the clock ends sooner, and nothing else is hurried. */
export class AheadClock extends SystemClock {
  constructor(private readonly aheadMs: number) {
    super();
  }

  override now(): number {
    return super.now() + this.aheadMs;
  }
}
