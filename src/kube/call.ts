/** One request as the verbs make it, and the errors of its own course. */

import { RetryableError } from "../ports/errors.js";
import type { Priority } from "../ports/kube-api.js";
import type { KubeVerb } from "../ports/kube-observer.js";
import type { HttpRequest } from "./transfer.js";

/** One request, before it knows where it goes and as whom. */
export interface Call {
  readonly verb: KubeVerb;
  readonly method: HttpRequest["method"];
  /** Path below the API's address, without a query: for messages. */
  readonly path: string;
  /** The same with its query. */
  readonly target: string;
  readonly accept: string;
  readonly contentType?: string;
  /** Written as JSON; a Buffer as it is. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly priority: Priority;
  /** See GetOptions. */
  readonly fresh?: boolean | undefined;
  /** See WriteOptions.permit. */
  readonly permit?: (() => boolean) | undefined;
}

/** The time limit of one request ran out. `where` names the request in all of these. */
export function timedOut(where: string, limitMs: number): RetryableError {
  return new RetryableError("FERRY-K002", `${where}: no answer within ${limitMs / 1000} s`);
}

/** A watch sent nothing for too long. */
export function stalled(where: string, silentMs: number): RetryableError {
  return new RetryableError("FERRY-K010", `${where}: silent for ${Math.round(silentMs / 1000)} s`);
}

/** The caller's signal aborted. A write that was not sent has certainly not happened; of all else nobody knows. */
export function stopped(where: string, call: Call, sent: boolean): RetryableError {
  const code = call.method === "GET" || sent ? "FERRY-K001" : "FERRY-L001";
  const cause: unknown = call.signal.reason;
  return new RetryableError(code, `${where}: stopped by its caller`, { cause });
}
