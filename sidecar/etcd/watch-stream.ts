/**
 * Reads one watch stream only as fast as it is consumed, and notices when it has gone silent.
 *
 * gRPC reads at most 16 responses ahead (the buffer of an object stream of node), etcd then stops sending: with responses of
 * at most some 2 MiB (fragments) that is the bound of what a slow consumer costs.
 */
import type { Clock } from "../../src/ports/clock.js";
import { CallFailed, type Stream } from "./connection.js";
import { grpcFailure } from "./errors.js";
import type { Writer } from "./protobuf.js";
import type { WatchResponse } from "./responses.js";
import { EtcdError } from "./etcd.js";

export interface QuietStreamDeps {
  readonly clock: Clock;
  /** undefined: the server may leave the question unanswered (etcd#17507), so it is not asked. */
  readonly askProgress: (() => Writer) | undefined;
  readonly signal: AbortSignal;
}

/** A quiet stream is asked for progress this often. */
const ASK_MS = 10_000;
/** So many questions without an answer, and the stream is given up. */
const UNANSWERED = 2;
/** A watch is created within a network round trip; a paused server accepts the connection and says nothing. */
const CREATE_MS = 10_000;

export class QuietStream {
  constructor(
    private readonly stream: Stream<WatchResponse>,
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
    const iterator: AsyncIterator<WatchResponse> = stream[Symbol.asyncIterator]();
    try {
      stream.write(create);
      let created = false;
      for (;;) {
        const next = await this.#next(iterator, created);
        if (next === undefined) return;
        created ||= next.created;
        yield next;
      }
    } finally {
      deps.signal.removeEventListener("abort", cancel);
      stream.on("error", () => {}); // of the cancellation: whoever cancelled knows
      stream.cancel();
    }
  }

  async #next(
    iterator: AsyncIterator<WatchResponse>,
    created: boolean,
  ): Promise<WatchResponse | undefined> {
    const { deps, stream } = this;
    const answered = new AbortController();
    const next = iterator.next().then(
      (result) => (result.done === true ? OVER : result),
      (error: unknown) => new CallFailed(grpcFailure(error)),
    );
    try {
      for (let asked = 0; ; asked++) {
        const quiet = deps.clock.sleep(created ? ASK_MS : CREATE_MS, answered.signal);
        const first = await Promise.race([next, quiet]);
        if (first === OVER) return undefined;
        if (first instanceof CallFailed) throw first;
        if (first !== undefined) return first.value;
        const limit = created ? UNANSWERED : 0;
        if (asked >= limit && (deps.askProgress !== undefined || !created)) {
          throw new EtcdError("unavailable", "the watch stream has gone silent");
        }
        if (deps.askProgress !== undefined) stream.write(deps.askProgress());
      }
    } finally {
      answered.abort();
    }
  }
}

const OVER = "over";
