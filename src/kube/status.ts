/** What an API server says when it does not do what was asked. */

import { type ErrorDetails, RetryableError, TerminalError } from "../ports/errors.js";
import { isRecord, parseJson, text } from "./json.js";

/** One complete HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** The parts of `kind: Status` that decide something. Missing texts are "". */
export interface Status {
  readonly code: number | undefined;
  readonly reason: string;
  readonly message: string;
  /** `details.name` and `details.kind` (a resource's plural, mostly): what the status is about. */
  readonly name: string;
  readonly kind: string;
  readonly causes: readonly { readonly reason: string; readonly field: string }[];
  readonly retryAfterSeconds: number | undefined;
}

/** Longest part of a server's message that is passed on; webhooks and proxies may send pages. */
const MAX_MESSAGE_CHARS = 512;

/** undefined when the body is anything but a Status, e.g. a proxy's page. */
export function statusOf(answer: Answer): Status | undefined {
  return parseStatus(parseJson(answer.body.toString("utf8")));
}

/** undefined when `value` is not a Status. */
function parseStatus(value: unknown): Status | undefined {
  if (!isRecord(value) || value["kind"] !== "Status") {
    return undefined;
  }
  const details = isRecord(value["details"]) ? value["details"] : {};
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isRecord) : [];
  return {
    code: number(value["code"]),
    reason: text(value["reason"]),
    message: cut(text(value["message"])),
    name: text(details["name"]),
    kind: text(details["kind"]),
    causes: causes.map((cause) => ({ reason: text(cause["reason"]), field: text(cause["field"]) })),
    retryAfterSeconds: number(details["retryAfterSeconds"]),
  };
}

export function hasCause(status: Status | undefined, reason: string): boolean {
  return status?.causes.some((cause) => cause.reason === reason) ?? false;
}

/** The error that a bad answer is. `where` names the request, e.g. `prod: list /api/v1/…`. */
export function failureOf(where: string, answer: Answer): RetryableError | TerminalError {
  const status = statusOf(answer);
  const said = status?.message ?? "";
  const message = `${where}: ${answer.status}${said === "" ? "" : `: ${said}`}`;
  const details = { status: answer.status, ...retryAfter(answer, status) };
  return classify(answer.status, status, message, details);
}

/** The error that an ERROR event in a watch is. */
export function watchFailureOf(where: string, object: unknown): RetryableError {
  const status = parseStatus(object);
  const code = status?.code ?? 500;
  const message = `${where}: error event ${code}: ${status?.message ?? "without a Status"}`;
  const error = classify(code, status, message, { status: code });
  // Whatever else the server reports here, the watch is over and can be opened again.
  return error instanceof RetryableError
    ? error
    : new RetryableError("FERRY-K004", message, { status: code });
}

/** An answer that the Kubernetes API does not give: a proxy's page, half a body, an object of another kind. */
export function unexpected(where: string, what: string, cause?: unknown): RetryableError {
  return new RetryableError(
    "FERRY-K007",
    `${where}: ${what}`,
    cause === undefined ? {} : { cause },
  );
}

/** The server's message for a write's result. */
export function messageOf(answer: Answer): string {
  return statusOf(answer)?.message ?? `HTTP ${answer.status}`;
}

function classify(
  http: number,
  status: Status | undefined,
  message: string,
  details: ErrorDetails,
): RetryableError | TerminalError {
  if (http === 504 && hasCause(status, "ResourceVersionTooLarge")) {
    return new RetryableError("FERRY-K009", message, details);
  }
  if (http >= 500) {
    return new RetryableError("FERRY-K004", message, details);
  }
  switch (http) {
    case 401:
      return new RetryableError("FERRY-K005", message, details);
    case 403:
      return new RetryableError("FERRY-K006", message, details);
    case 409:
      return new RetryableError("FERRY-K006", message, details);
    case 408:
      return new RetryableError("FERRY-K002", message, details);
    case 410:
      return new RetryableError("FERRY-K008", message, details);
    case 429:
      return new RetryableError("FERRY-K003", message, details);
    default:
      return http >= 400
        ? new TerminalError("FERRY-K011", message, details)
        : new RetryableError("FERRY-K007", message, details);
  }
}

/** NB: the header may also be a date; nothing in a Kubernetes API server sends one, so it counts as absent. */
function retryAfter(answer: Answer, status: Status | undefined): ErrorDetails {
  const header = answer.headers["retry-after"];
  const seconds =
    typeof header === "string" && /^\d{1,6}$/.test(header.trim())
      ? Number(header)
      : status?.retryAfterSeconds;
  return seconds === undefined ? {} : { retryAfterMs: seconds * 1000 };
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function cut(message: string): string {
  return message.length <= MAX_MESSAGE_CHARS ? message : `${message.slice(0, MAX_MESSAGE_CHARS)}…`;
}
