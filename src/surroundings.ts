import { inject, injectable } from "tsyringe";
import { Clock } from "./ports/clock.js";
import { Digest } from "./ports/digest.js";
import { Log } from "./ports/log.js";
import { Metrics } from "./ports/metrics.js";
import { Random } from "./ports/random.js";

/** What a process needs to know time, chance and its own voice. */
@injectable()
export class Surroundings {
  constructor(
    @inject(Clock) readonly clock: Clock,
    @inject(Random) readonly random: Random,
    @inject(Log) readonly log: Log,
    @inject(Metrics) readonly metrics: Metrics,
    @inject(Digest) readonly digest: Digest,
  ) {}
}
