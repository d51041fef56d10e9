/** One HTTP request on one connection. */

import type { Dispatcher } from "undici";
import { RetryableError } from "../ports/errors.js";

/** A request as it goes onto the wire. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, with the server's base path. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: string | Buffer | undefined;
}

/** Who takes the answer. What one of these throws ends the transfer with that error. */
export interface Receiver {
  /** Status line and headers; values of a header that came twice are arrays. */
  head(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  data(chunk: Buffer): void;
  /** The whole body has arrived. Not called when the connection broke. */
  end(): void;
}

interface TransferOptions {
  /** Names the request in errors, e.g. `prod: patch /api/v1/…`. */
  readonly where: string;
  readonly receiver: Receiver;
  /** See WriteOptions.permit. */
  readonly permit?: (() => boolean) | undefined;
  /** The connection is free again, or was closed; called exactly once. */
  readonly onReleased?: () => void;
}

/**
 * Carries one request through undici's lowest level.
 *
 * Why that level: undici calls `onRequestStart` synchronously right before it writes the request's first byte
 * (lib/dispatcher/client-h1.js, writeH1), after any wait for a connection, a TLS handshake or the pool's queue. It is
 * the only place where asking for permission and writing cannot be pulled apart.
 */
export class Transfer implements Dispatcher.DispatchHandler {
  /** Resolves with the end of the body; rejects with the receiver's error, the reason of `cancel`, or RetryableError FERRY-K001, -K002 or -L001. */
  readonly finished: Promise<void>;
  readonly #settle: PromiseWithResolvers<void> = Promise.withResolvers();
  #controller: Dispatcher.DispatchController | undefined;
  #cancelled = false;
  #sent = false;

  constructor(private readonly options: TransferOptions) {
    this.finished = this.#settle.promise;
  }

  /** True once the request's bytes were given to the socket: from then on the server may act on it. */
  get sent(): boolean {
    return this.#sent;
  }

  /** Gives the request to a pool, unless it is known by now that it must not be sent. Call once. */
  start(dispatcher: Dispatcher, request: HttpRequest): void {
    if (this.#cancelled || !this.#permitted()) {
      // Found out later, in onRequestStart, this would cost a healthy connection.
      this.options.onReleased?.();
      return;
    }
    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: [...request.headers],
        body: request.body ?? null,
        // undici closes the connection after a DELETE with a body unless told not to.
        reset: false,
      },
      this,
    );
  }

  /**
   * Ends the transfer now: `finished` rejects with `reason`, nothing more is received, and what was not written yet
   * never is. Without effect once it has ended.
   */
  cancel(reason: unknown): void {
    this.#cancelled = true;
    this.#settle.reject(reason);
    this.#controller?.abort(asError(reason));
  }

  /** @internal undici's hook. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled) {
      controller.abort(new Error("cancelled before it was sent"));
    } else if (this.#permitted()) {
      this.#sent = true;
    }
  }

  /** @internal undici's hook; informational answers (1xx) come through it too. */
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status >= 200) {
      this.#receive((receiver) => receiver.head(status, headers));
    }
  }

  /** @internal undici's hook. */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receive((receiver) => receiver.data(chunk));
  }

  /** @internal undici's hook. */
  onResponseEnd(): void {
    this.#receive((receiver) => receiver.end());
    this.#settle.resolve();
    this.options.onReleased?.();
  }

  /** @internal undici's hook; the only one that may be called without `onRequestStart` before. */
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle.reject(connectionError(this.options.where, error));
    this.options.onReleased?.();
  }

  #permitted(): boolean {
    if (this.options.permit?.() !== false) {
      return true;
    }
    const message = `${this.options.where}: not sent, this process no longer leads`;
    this.cancel(new RetryableError("FERRY-L001", message));
    return false;
  }

  #receive(step: (receiver: Receiver) => void): void {
    if (this.#cancelled) {
      return;
    }
    try {
      step(this.options.receiver);
    } catch (error) {
      // Not swallowed: it becomes the rejection of `finished`. Thrown into undici it would lose its identity.
      this.cancel(error);
    }
  }
}

function connectionError(where: string, error: Error): RetryableError {
  const code = "code" in error ? error.code : undefined;
  const timedOut = code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT";
  return new RetryableError(
    timedOut ? "FERRY-K002" : "FERRY-K001",
    `${where}: ${whatBroke(error)}`,
    {
      cause: error,
    },
  );
}

/** NB: Node's error for "every address of this host refused" has an empty message. */
function whatBroke(error: Error): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((each) => asError(each).message).join("; ");
  }
  return error.message;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("cancelled", { cause: reason });
}
