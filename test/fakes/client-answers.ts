/** How a client reads the fake server's Status answers: the mapping that ports/kube-api.ts promises. */
import { RetryableError, TerminalError } from "../../src/ports/errors.js";
import type { KubeObject, WriteResult } from "../../src/ports/kube-api.js";
import { ApiFailure } from "./api-failure.js";

/** undefined for what is thrown instead. */
export function resultOf(failure: ApiFailure): WriteResult | undefined {
  const { status, reason, message, causes } = failure;
  switch (status) {
    case 404:
      return { kind: "not-found" };
    case 409:
      return { kind: reason === "AlreadyExists" ? "already-exists" : "conflict" };
    case 403:
      return causes.some((cause) => cause.reason === "NamespaceTerminating")
        ? { kind: "terminating", message }
        : undefined;
    case 400:
      return { kind: "invalid", message };
    case 422:
      // A precondition: PATCH answers a wrong uid with 422 "field is immutable", not with 409 (measured).
      return causes.some((cause) => cause.field === "metadata.uid")
        ? { kind: "conflict" }
        : { kind: "invalid", message };
    default:
      return undefined;
  }
}

/** What a delete answers: the object only if it waits for its finalizers. */
export function leftBy(deleted: KubeObject): KubeObject | undefined {
  const { deletionTimestamp, finalizers } = deleted.metadata;
  return deletionTimestamp !== undefined && finalizers !== undefined ? deleted : undefined;
}

/** The error that the port throws for a failure; anything else passes through. */
export function errorOf(error: unknown, cluster: string, retryAfterMs: number): unknown {
  if (!(error instanceof ApiFailure)) return error;
  const { status } = error;
  const message = `${cluster}: ${status}: ${error.message}`;
  const details = { status, cause: error };
  if (status === 410) return new RetryableError("FERRY-K008", message, details);
  if (status === 429) {
    return new RetryableError("FERRY-K003", message, { ...details, retryAfterMs });
  }
  if (status === 401) return new RetryableError("FERRY-K005", message, details);
  if (status === 403) return new RetryableError("FERRY-K006", message, details);
  if (status >= 500) return new RetryableError("FERRY-K004", message, details);
  return new TerminalError("FERRY-K011", message, details);
}
