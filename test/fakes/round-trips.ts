/** The way of one request to a fake API server and back, with what the network does to it. */
import { RetryableError } from "../../src/ports/errors.js";
import type { Resource } from "../../src/ports/kube-api.js";
import { ApiFailure } from "./api-failure.js";
import type { MemoryApiServer } from "./memory-api-server.js";
import type { Fate, Network, Verb } from "./network.js";

/** As src/kube's default. */
const REQUEST_TIMEOUT_MS = 30_000;

/** One request on its way. */
export interface Trip<T> {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly laterPage?: boolean;
  readonly signal: AbortSignal;
  readonly permit?: (() => boolean) | undefined;
  /** Runs on the server, in one tick. */
  readonly run: (server: MemoryApiServer) => T;
  /** What the lie of an empty list looks like. */
  readonly empty?: (server: MemoryApiServer) => T;
}

/** What the server made of a request. */
type Outcome<T> =
  | { readonly kind: "answer"; readonly value: T }
  | { readonly kind: "failure"; readonly error: Error };

export class RoundTrips {
  constructor(
    private readonly server: MemoryApiServer,
    private readonly cluster: string,
    private readonly network: Network,
  ) {}

  /**
   * There and back: 1. waits for a connection, 2. asks `permit` and sends, 3. the server acts, 4. the answer arrives.
   * Aborting rejects at once; what was sent by then arrives all the same.
   */
  send<T>(trip: Trip<T>): Promise<T> {
    const { network } = this;
    const { signal } = trip;
    return new Promise<T>((resolve, reject) => {
      let sent = false;
      const close = (): void => {
        cancelTimeout();
        signal.removeEventListener("abort", onAbort);
      };
      const done = (outcome: Outcome<T>): void => {
        close();
        if (outcome.kind === "answer") resolve(outcome.value);
        else reject(outcome.error);
      };
      const onAbort = (): void => {
        cancelSend();
        // A write that was not sent has certainly not happened: as src/kube tells it.
        const code = isWrite(trip.verb) && !sent ? "FERRY-L001" : "FERRY-K001";
        const cause: unknown = signal.reason;
        const message = `${this.cluster}: stopped by its caller`;
        done({ kind: "failure", error: new RetryableError(code, message, { cause }) });
      };
      const cancelTimeout = network.process.schedule(REQUEST_TIMEOUT_MS, () => {
        const error = new RetryableError("FERRY-K002", `${this.cluster}: no answer in time`);
        done({ kind: "failure", error });
      });
      const cancelSend = network.process.schedule(network.delayMs(network.faults.queueMs), () => {
        sent = true;
        this.#dispatch(trip, done);
      });
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
    });
  }

  /** `done` may be called after an abort; a promise settles once. */
  #dispatch<T>(trip: Trip<T>, done: (outcome: Outcome<T>) => void): void {
    const { network } = this;
    if (trip.permit?.() === false) {
      const message = `${this.cluster}: not sent, the Lease is no longer safe`;
      done({ kind: "failure", error: new RetryableError("FERRY-L001", message) });
      return;
    }
    if (network.mode === "silent") {
      network.note("silent");
      return;
    }
    if (network.mode === "down") {
      network.note("refused");
      this.#back(() => {
        done(this.#broken("connection refused"));
      });
      return;
    }
    const fate = network.fate(trip.verb, trip.resource.plural, trip.laterPage === true);
    if (fate === "lose-request") {
      this.#back(() => {
        done(this.#broken("connection reset"));
      });
      return;
    }
    this.server.clock.schedule(network.delayMs(network.faults.latencyMs), () => {
      const outcome = network.mode === "up" ? this.#atServer(trip, fate) : this.#broken("reset");
      if (network.mode === "silent") return;
      this.#back(() => {
        done(network.mode === "down" ? this.#broken("connection reset") : outcome);
      });
    });
  }

  #back(arrive: () => void): void {
    const { network } = this;
    network.process.schedule(network.delayMs(network.faults.latencyMs), arrive);
  }

  #atServer<T>(trip: Trip<T>, fate: Fate): Outcome<T> {
    const failure = (status: number, reason: string, message: string): Outcome<T> => ({
      kind: "failure",
      error: new ApiFailure(status, reason, message),
    });
    switch (fate) {
      case "too-many-requests":
        return failure(429, "TooManyRequests", "please try again later");
      case "server-error":
        return failure(500, "InternalError", "etcdserver: leader changed");
      case "done-and-server-error":
        this.#run(trip);
        return failure(500, "InternalError", "etcdserver: request timed out");
      case "lose-request":
      case "lose-response":
        this.#run(trip);
        return this.#broken("connection reset");
      case "empty-list": {
        const server = this.network.target(this.server);
        return trip.empty === undefined
          ? this.#run(trip)
          : { kind: "answer", value: trip.empty(server) };
      }
      case "pass":
        return this.#run(trip);
    }
  }

  #run<T>(trip: Trip<T>): Outcome<T> {
    try {
      return { kind: "answer", value: trip.run(this.network.target(this.server)) };
    } catch (error) {
      if (error instanceof ApiFailure) return { kind: "failure", error };
      throw error;
    }
  }

  #broken(what: string): { readonly kind: "failure"; readonly error: Error } {
    return { kind: "failure", error: new RetryableError("FERRY-K001", `${this.cluster}: ${what}`) };
  }
}

function isWrite(verb: Verb): boolean {
  return verb !== "get" && verb !== "list" && verb !== "watch";
}
