/**
 * The two ways an attempt fails. Expected outcomes are return values; these carry
 * all retry policy, so nobody ever looks into a message to decide what to do next.
 */

/** Codes of failed attempts; each is also a metric label, a log field and an entry in docs/codes.md. */
export type ErrorCode =
  /** The API server could not be reached or the connection broke. */
  | "FERRY-K001"
  /** No answer within the request's time limit. */
  | "FERRY-K002"
  /** The server asked to slow down (429). */
  | "FERRY-K003"
  /** The server failed (5xx). */
  | "FERRY-K004"
  /** Credentials missing, wrong or expired (401). */
  | "FERRY-K005"
  /** RBAC, a quota or an admission webhook said no (403). */
  | "FERRY-K006"
  /** The answer is not what the Kubernetes API promises. */
  | "FERRY-K007"
  /** The resource version is too old (410): list again. */
  | "FERRY-K008"
  /** The resource version lies in the future (504 ResourceVersionTooLarge): list again. */
  | "FERRY-K009"
  /** A watch was silent for too long. */
  | "FERRY-K010"
  /** The request itself is wrong (400, 404 on a collection, 405, 413, 415, 422). */
  | "FERRY-K011"
  /** Another cluster answers under this address. */
  | "FERRY-K012"
  /** Stopped before it was sent: the process no longer holds its Leases. */
  | "FERRY-L001"
  /** The object changed between our read and our write: read again. */
  | "FERRY-R001"
  /** The evidence for a deletion could not be had. */
  | "FERRY-R002"
  /** The leader did not take the hints of another replica. */
  | "FERRY-H001";

export interface ErrorDetails {
  readonly cause?: unknown;
  /** HTTP status, when the server answered. */
  readonly status?: number;
  /** What the server asks us to wait, ms. */
  readonly retryAfterMs?: number;
}

/** This attempt failed, a later one may succeed: the key is retried with its backoff, at least `retryAfterMs` later. */
export class RetryableError extends Error {
  override readonly name = "RetryableError";
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** No retry of the same request can succeed: the key waits until something about it changes. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
  readonly status: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
  }
}
