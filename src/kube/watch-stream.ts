/** Events out of the body of a watch. */

import type { WatchEvent } from "../ports/kube-api.js";
import { isRecord, parseJson, text } from "./json.js";
import { LineSplitter } from "./line-splitter.js";
import { parseObject } from "./objects.js";
import { failureOf, unexpected, watchFailureOf } from "./status.js";
import type { Receiver } from "./transfer.js";

/** 8 MiB: an object of at most 3 MiB (etcd's request limit in the API server is 1.5) as JSON with escapes, twice over. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
/** Of an answer that is no watch; a Status is shorter. */
const MAX_ERROR_BYTES = 1024 * 1024;

/**
 * Turns the chunks of a watch into events, each delivered in the tick in which its line was complete. What follows the
 * last newline is never an event: if the body ends there, the watch ended in an error.
 *
 * Throws (into the transfer): RetryableError FERRY-K008, -K009, -K004 for an ERROR event, FERRY-K007 for a line that
 * is no event, the failure of any other status than 200, and whatever `onEvent` throws.
 */
export class WatchStream implements Receiver {
  readonly #lines = new LineSplitter(MAX_EVENT_BYTES);
  readonly #error: Buffer[] = [];
  #errorBytes = 0;
  #status = 0;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};

  constructor(
    private readonly where: string,
    private readonly to: {
      readonly onEvent: (event: WatchEvent) => void;
      /** Called for each sign of life. */
      readonly onBytes: () => void;
    },
  ) {}

  head(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.to.onBytes();
    this.#status = status;
    this.#headers = headers;
  }

  data(chunk: Buffer): void {
    this.to.onBytes();
    if (this.#status !== 200) {
      this.#keepError(chunk);
      return;
    }
    if (this.#lines.push(chunk, (line) => this.#deliver(line)) === "too-long") {
      throw unexpected(this.where, `an event of more than ${MAX_EVENT_BYTES} bytes`);
    }
  }

  end(): void {
    if (this.#status !== 200) {
      const body = Buffer.concat(this.#error);
      throw failureOf(this.where, { status: this.#status, headers: this.#headers, body });
    }
    if (this.#lines.pendingBytes > 0) {
      throw unexpected(this.where, "the watch ended in the middle of an event");
    }
  }

  #keepError(chunk: Buffer): void {
    if (this.#errorBytes < MAX_ERROR_BYTES) {
      this.#error.push(chunk);
      this.#errorBytes += chunk.length;
    }
  }

  #deliver(line: string): void {
    if (line.trim() !== "") {
      this.to.onEvent(this.#parse(line));
    }
  }

  #parse(line: string): WatchEvent {
    const event = parseJson(line);
    if (!isRecord(event)) {
      throw unexpected(this.where, "a line that is no event");
    }
    switch (event["type"]) {
      case "ADDED":
        return this.#change("added", event["object"]);
      case "MODIFIED":
        return this.#change("modified", event["object"]);
      case "DELETED":
        return this.#change("deleted", event["object"]);
      case "BOOKMARK":
        return this.#bookmark(event["object"]);
      case "ERROR":
        throw watchFailureOf(this.where, event["object"]);
      default:
        throw unexpected(this.where, "an event of an unknown type");
    }
  }

  #change(kind: "added" | "modified" | "deleted", value: unknown): WatchEvent {
    const object = parseObject(value);
    if (object === undefined) {
      throw unexpected(this.where, "an event without an object");
    }
    return { kind, object };
  }

  #bookmark(value: unknown): WatchEvent {
    const metadata = isRecord(value) && isRecord(value["metadata"]) ? value["metadata"] : {};
    const resourceVersion = text(metadata["resourceVersion"]);
    if (resourceVersion === "") {
      throw unexpected(this.where, "a bookmark without a resource version");
    }
    return { kind: "bookmark", resourceVersion };
  }
}
