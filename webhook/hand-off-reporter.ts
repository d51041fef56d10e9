/** What the operator sees of the leader's end of the hand-off. The other end, with its numbers, is the outbox. */
import type { Clock } from "../src/ports/clock.js";
import type { Log } from "../src/ports/log.js";
import type { HandOffMessage } from "./hand-off-message.js";
import { RareLog } from "./rare-log.js";

export class HandOffReporter {
  readonly #rare: RareLog;

  constructor(
    clock: Clock,
    private readonly log: Log,
  ) {
    this.#rare = new RareLog(clock);
  }

  listening(port: number, address: string): void {
    this.log.info({ port, address }, "hand-off listening");
  }

  identityRefused(err: unknown): void {
    this.log.error({ err }, "hand-off certificate is of no use, the one before stays");
  }

  /** Somebody without a certificate that counts. */
  strangerRefused(reason: string): void {
    this.#rare.say("stranger", (more) => {
      this.log.warn({ reason, ...more }, "connection to the hand-off refused");
    });
  }

  /** Another replica sent what cannot be read: mostly one of another release. */
  rejected(status: number, reason: string): void {
    this.#rare.say(`rejected ${status}`, (more) => {
      this.log.warn({ status, reason, ...more }, "request to the hand-off rejected");
    });
  }

  /** A defect of ours: the request was answered with 500. */
  broken(err: unknown): void {
    this.#rare.say("broken", (more) => {
      this.log.error({ err, ...more }, "request to the hand-off failed");
    });
  }

  taken({ from, batch }: HandOffMessage): void {
    const { hints, resync } = batch;
    this.log.debug({ from, hints: hints.length, resync }, "hints taken");
  }
}
