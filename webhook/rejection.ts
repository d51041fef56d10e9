/**
 * Answers to what is no review. A real error status, so that the API server counts the call as failed and failurePolicy decides,
 * with a `Status` as body, which is how Kubernetes says why: a review that cannot be read has no uid, and one without its uid
 * is no answer.
 */
import { printable } from "../src/ports/printable.js";

/** Every status that we reject with. */
export type RejectionStatus = 400 | 404 | 405 | 408 | 413 | 415 | 431 | 500;

const REASONS: Readonly<Record<RejectionStatus, string>> = {
  400: "BadRequest",
  404: "NotFound",
  405: "MethodNotAllowed",
  408: "Timeout",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  431: "BadRequest",
  500: "InternalError",
};

/** The JSON of a `Status`. */
export function rejection(code: RejectionStatus, message: string): string {
  return JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `svc-ferry: ${printable(message)}`,
    reason: REASONS[code],
    code,
  });
}

/** The same as bytes for a socket, where not even the request line could be read. Ends the connection. */
export function rawRejection(code: RejectionStatus, message: string): string {
  const body = rejection(code, message);
  return [
    `HTTP/1.1 ${code} ${REASONS[code]}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}
