import { inject, injectable } from "tsyringe";
import { Clock } from "../src/ports/clock.js";
import { Log } from "../src/ports/log.js";
import { Metrics } from "../src/ports/metrics.js";

/** What the mirror's process needs to know time and its own voice. */
@injectable()
export class MirrorSurroundings {
  constructor(
    @inject(Clock) readonly clock: Clock,
    @inject(Log) readonly log: Log,
    @inject(Metrics) readonly metrics: Metrics,
  ) {}
}
