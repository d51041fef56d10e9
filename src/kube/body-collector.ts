/** The body of an ordinary answer. */

import type { Answer } from "./status.js";
import { unexpected } from "./status.js";
import type { Receiver } from "./transfer.js";

/** 256 MiB: more than any list that fits into a process; a proxy that sends without end must not take it down. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** Keeps a whole answer in memory. Ends the transfer with RetryableError FERRY-K007 when it grows beyond all reason. */
export class BodyCollector implements Receiver {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: Answer["headers"] = {};

  constructor(private readonly where: string) {}

  /** Call when the transfer has finished. */
  get answer(): Answer {
    return { status: this.#status, headers: this.#headers, body: Buffer.concat(this.#chunks) };
  }

  head(status: number, headers: Answer["headers"]): void {
    this.#status = status;
    this.#headers = headers;
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BODY_BYTES) {
      throw unexpected(this.where, `an answer of more than ${MAX_BODY_BYTES} bytes`);
    }
  }

  end(): void {}
}
