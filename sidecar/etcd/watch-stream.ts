/**
 * Reads one watch stream only as fast as it is consumed, and notices when it has gone silent.
 *
 * gRPC reads at most 16 responses ahead (the buffer of an object stream of node), etcd then stops sending: with responses of
 * at most some 2 MiB (fragments) that is the bound of what a slow consumer costs.
 */
import { OVER } from "../../src/ports/aborted.js";
import type { Clock } from "../../src/ports/clock.js";
import { CallFailed } from "./connection.js";
import { grpcFailure } from "./errors.js";
import type { Writer } from "./protobuf-writer.js";
import type { WatchResponse } from "./responses.js";
import { EtcdError } from "./etcd.js";

export interface QuietStreamDeps {
  readonly clock: Clock;
  /** undefined: the server may leave the question unanswered (etcd#17507), so it is not asked. */
  readonly askProgress: (() => Writer) | undefined;
  readonly signal: AbortSignal;
}

/** A stream that has said nothing for so long is asked for progress. */
const QUIET_MS = 10_000;
/** So many questions without an answer, and the stream is given up. */
const UNANSWERED = 2;

/** What is needed of a gRPC stream. */
interface ResponseStream extends AsyncIterable<WatchResponse> {
  write(request: Writer): unknown;
  cancel(): void;
  on(event: "error", listener: () => void): unknown;
}

export class QuietStream {
  /** Monotonic ms since when the next response is waited for; undefined: the consumer is at work, and nothing is read. */
  #waitingSinceMs: number | undefined;
  #created = false;
  #silent: EtcdError | undefined;

  constructor(
    private readonly stream: ResponseStream,
    private readonly deps: QuietStreamDeps,
  ) {}

  /**
   * Until the server ends the stream or the signal aborts. The stream is over when this is.
   * @throws CallFailed as gRPC reports it; EtcdError unavailable when it has gone silent
   */
  async *responses(create: Writer): AsyncGenerator<WatchResponse, void, undefined> {
    const { stream, deps } = this;
    const cancel = (): void => stream.cancel();
    deps.signal.addEventListener("abort", cancel);
    // It may have aborted while the stream was being opened: then nobody tells.
    if (deps.signal.aborted) cancel();
    const over = new AbortController();
    const noticing = this.#noticeSilence(over.signal);
    const iterator = stream[Symbol.asyncIterator]();
    try {
      stream.write(create);
      for (;;) {
        this.#waitingSinceMs = deps.clock.monotonicMs();
        const next = await iterator.next().catch((error: unknown) => {
          throw this.#silent ?? new CallFailed(grpcFailure(error));
        });
        this.#waitingSinceMs = undefined;
        if (next.done === true) return;
        this.#created ||= next.value.created;
        yield next.value;
      }
    } finally {
      over.abort(OVER);
      await noticing;
      deps.signal.removeEventListener("abort", cancel);
      stream.on("error", () => {}); // of the cancellation: whoever cancelled knows
      stream.cancel();
    }
  }

  /**
   * Asks for progress when nothing has come for long, and cancels the stream when nothing comes then. One timer for as long as the
   * stream lives: one for each response would cost more than the response.
   */
  async #noticeSilence(over: AbortSignal): Promise<void> {
    const { clock, askProgress, signal } = this.deps;
    const ended = AbortSignal.any([signal, over]);
    let waiting: number | undefined;
    let asked = 0;
    while (!ended.aborted) {
      if (this.#waitingSinceMs !== waiting) asked = 0;
      waiting = this.#waitingSinceMs;
      const nowMs = clock.monotonicMs();
      const quietSinceMs = waiting === undefined ? nowMs : waiting + asked * QUIET_MS;
      await clock.sleep(quietSinceMs + QUIET_MS - nowMs, ended);
      const isQuiet = waiting !== undefined && waiting === this.#waitingSinceMs;
      if (ended.aborted || !isQuiet) continue;
      if (this.#isSilent(asked)) return this.#giveUp();
      if (askProgress !== undefined) this.stream.write(askProgress());
      asked += 1;
    }
  }

  /** A watch is created within a network round trip; a paused server accepts the connection and says nothing. */
  #isSilent(asked: number): boolean {
    return !this.#created || (this.deps.askProgress !== undefined && asked >= UNANSWERED);
  }

  #giveUp(): void {
    this.#silent = new EtcdError("unavailable", "the watch stream has gone silent");
    this.stream.cancel();
  }
}
