/** Requests and watches to one cluster, with everything that is the same for all of them. */

import type { Dispatcher } from "undici";
import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { WatchEvent } from "../ports/kube-api.js";
import type { KubeObserver } from "../ports/kube-observer.js";
import { BodyCollector } from "./body-collector.js";
import { type Call, stalled, stopped, timedOut } from "./call.js";
import type { Connections } from "./connections.js";
import type { Credential } from "./credential.js";
import type { Credentials } from "./credentials.js";
import type { Limiter } from "./limiter.js";
import type { Answer } from "./status.js";
import { type HttpRequest, type Receiver, Transfer } from "./transfer.js";
import { WatchStream } from "./watch-stream.js";

/** Settings of one cluster's transport. */
export interface TransportSettings {
  /** Names the cluster in errors and metrics. */
  readonly cluster: string;
  readonly userAgent: string;
  /** Limit of one request, from its turn to the last byte of the answer, ms. */
  readonly requestTimeoutMs: number;
}

/** A reason of our own: without one Node makes an exception with a stack trace, for each request. */
const ENDED = "ended";

/** Sends calls: credential, turn, permit, time limit, one more try after a 401, metrics. */
export class Transport {
  constructor(
    private readonly settings: TransportSettings,
    private readonly credentials: Credentials,
    private readonly connections: Connections,
    private readonly limiter: Limiter,
    private readonly around: { readonly clock: Clock; readonly observer: KubeObserver },
  ) {}

  /** Names a call in errors: cluster, verb and path, never a query or a header. */
  where(call: Call): string {
    return `${this.settings.cluster}: ${call.verb} ${call.path}`;
  }

  /**
   * The server's answer, whatever it says. A 401 is answered with another credential once, if there is one.
   * @throws RetryableError FERRY-K001, -K002, -K005, -K007, -L001
   */
  async ask(call: Call): Promise<Answer> {
    const { answer, credential } = await this.#inTurn(call);
    if (answer.status !== 401 || !(await this.credentials.renew(credential))) {
      return answer;
    }
    return (await this.#inTurn(call)).answer;
  }

  /** @throws as KubeApi.watch */
  async watch(call: Call, stallMs: number, onEvent: (event: WatchEvent) => void): Promise<void> {
    try {
      await this.#watchAsSomeone(call, stallMs, onEvent);
    } catch (error) {
      if (!call.signal.aborted || !(error instanceof RetryableError)) {
        throw error;
      }
    }
  }

  async #watchAsSomeone(
    call: Call,
    stallMs: number,
    onEvent: (event: WatchEvent) => void,
  ): Promise<void> {
    const credential = await this.#credential(call);
    try {
      await this.#watchOnce(call, credential, stallMs, onEvent);
    } catch (error) {
      const refused = error instanceof RetryableError && error.code === "FERRY-K005";
      if (!refused || !(await this.credentials.renew(credential))) {
        throw error;
      }
      await this.#watchOnce(call, await this.#credential(call), stallMs, onEvent);
    }
  }

  /** NB: the credential is looked up after the wait for a turn, or one read before a change would bring old connections back. */
  async #inTurn(call: Call): Promise<{ readonly answer: Answer; readonly credential: Credential }> {
    const { clock, observer } = this.around;
    const since = clock.monotonicMs();
    if (!(await this.limiter.take(call.priority, call.signal))) {
      throw stopped(this.where(call), call, false);
    }
    const waitedMs = clock.monotonicMs() - since;
    observer.turnGiven(this.settings.cluster, call.priority, waitedMs / 1000);
    let turn: "ours" | "with the transfer" = "ours";
    try {
      const credential = await this.#credential(call);
      const request = this.#http(call, credential);
      const pool = this.connections.pool(credential, call.fresh === true ? "fresh" : "requests");
      turn = "with the transfer";
      return { answer: await this.#askOnce(call, pool, request), credential };
    } finally {
      if (turn === "ours") {
        this.limiter.giveBack();
      }
    }
  }

  async #askOnce(call: Call, pool: Dispatcher, request: HttpRequest): Promise<Answer> {
    const { clock } = this.around;
    const since = clock.monotonicMs();
    const collector = new BodyCollector(this.where(call));
    const transfer = this.#transfer(call, collector, () => this.limiter.giveBack());
    const limit = async (ended: AbortSignal): Promise<void> => {
      await clock.sleep(this.settings.requestTimeoutMs, ended);
      if (!ended.aborted) {
        transfer.cancel(timedOut(this.where(call), this.settings.requestTimeoutMs));
      }
    };
    try {
      await this.#run(transfer, pool, call, request, limit);
      const { answer } = collector;
      this.#count(call, since, String(answer.status));
      return answer;
    } catch (error) {
      this.#count(call, since, codeOf(error));
      throw error;
    }
  }

  async #watchOnce(
    call: Call,
    credential: Credential,
    stallMs: number,
    onEvent: (event: WatchEvent) => void,
  ): Promise<void> {
    const { clock } = this.around;
    const since = clock.monotonicMs();
    let lastByteAt = since;
    const stream = new WatchStream(this.where(call), {
      onBytes: () => {
        lastByteAt = clock.monotonicMs();
      },
      onEvent: (event) => {
        // One chunk holds many events, and the one before may have made the caller stop.
        if (!call.signal.aborted) {
          onEvent(event);
        }
      },
    });
    const transfer = this.#transfer(call, stream);
    const limit = async (ended: AbortSignal): Promise<void> => {
      while (!ended.aborted) {
        const silentMs = clock.monotonicMs() - lastByteAt;
        if (silentMs >= stallMs) {
          transfer.cancel(stalled(this.where(call), silentMs));
          return;
        }
        await clock.sleep(stallMs - silentMs, ended);
      }
    };
    try {
      const pool = this.connections.pool(credential, "watches");
      await this.#run(transfer, pool, call, this.#http(call, credential), limit);
      this.#count(call, since, "200");
    } catch (error) {
      this.#count(call, since, call.signal.aborted ? "200" : codeOf(error));
      throw error;
    }
  }

  /** A plugin may take a minute; whoever is told to stop does not wait for it. */
  async #credential(call: Call): Promise<Credential> {
    const end = Promise.withResolvers<never>();
    const stop = (): void => end.reject(stopped(this.where(call), call, false));
    call.signal.addEventListener("abort", stop, { once: true });
    if (call.signal.aborted) {
      stop();
    }
    try {
      return await Promise.race([this.credentials.current(), end.promise]);
    } finally {
      call.signal.removeEventListener("abort", stop);
    }
  }

  #transfer(call: Call, receiver: Receiver, onReleased: () => void = () => {}): Transfer {
    return new Transfer({ where: this.where(call), receiver, permit: call.permit, onReleased });
  }

  /** Starts a transfer and waits for its end, which comes at the latest when the signal aborts or `limit` cancels it. */
  async #run(
    transfer: Transfer,
    pool: Dispatcher,
    call: Call,
    request: HttpRequest,
    limit: (ended: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const ended = new AbortController();
    const stop = (): void => transfer.cancel(stopped(this.where(call), call, transfer.sent));
    call.signal.addEventListener("abort", stop, { once: true });
    if (call.signal.aborted) {
      stop();
    }
    transfer.start(pool, request);
    const limited = limit(ended.signal);
    try {
      await transfer.finished;
    } finally {
      call.signal.removeEventListener("abort", stop);
      ended.abort(ENDED);
      await limited;
    }
  }

  #http(call: Call, credential: Credential): HttpRequest {
    const { contentType, body } = call;
    return {
      method: call.method,
      path: credential.basePath + call.target,
      headers: [
        "accept",
        call.accept,
        "user-agent",
        this.settings.userAgent,
        ...(contentType === undefined ? [] : ["content-type", contentType]),
        ...credential.headers,
      ],
      body: body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    };
  }

  #count(call: Call, since: number, code: string): void {
    const seconds = (this.around.clock.monotonicMs() - since) / 1000;
    this.around.observer.requestDone(this.settings.cluster, call.verb, code, seconds);
  }
}

/** For metrics: an error of ours by its code (a watch's refusal by its status), one that `onEvent` threw as "handler". */
function codeOf(error: unknown): string {
  if (error instanceof RetryableError || error instanceof TerminalError) {
    return error.status === undefined ? error.code : String(error.status);
  }
  return "handler";
}
