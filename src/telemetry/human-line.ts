/**
 * The human format, k8s-svc-sync's own lines, which people grep for:
 *
 *     2024-01-15 10:30:45 [pod] [from → to] updated endpoints → 3 IPs
 *     2024-01-15 10:30:47 [pod] became leader, starting sync operations
 *
 * Time is UTC. What the ancestor did not have follows as key=value; a level other than info stands before the message.
 */
import { rfc3339 } from "../ports/timestamps.js";
import type { LogRecord, Plain } from "./log-record.js";

export type Level = "debug" | "info" | "warn" | "error";

export interface HumanLine {
  readonly timeMs: number;
  readonly podName: string;
  readonly level: Level;
  readonly message: string;
  readonly record: LogRecord;
}

/** One line without its end. */
export function humanLine({ timeMs, podName, level, message, record }: HumanLine): string {
  const { route, text, fields } = record;
  const parts = [rfc3339(timeMs).slice(0, 19).replace("T", " "), `[${podName}]`];
  if (route !== undefined) parts.push(`[${route.from} → ${route.to}]`);
  if (level !== "info") parts.push(level.toUpperCase());
  parts.push(text ?? message);
  for (const [key, value] of Object.entries(fields)) {
    if (key === "err") parts.push(errorText(value, fields["code"]));
    else parts.push(`${key}=${valueText(value)}`);
  }
  return parts.join(" ");
}

/**
 * `code=FERRY-K001 err="connection refused" cause="…"`: errors are flat, so that a line stays readable, and nothing that the
 * line has said already is said again.
 */
function errorText(err: Plain, saidCode: Plain | undefined): string {
  if (typeof err !== "object" || err === null || !("message" in err))
    return `err=${valueText(err)}`;
  const { code, message, cause, stack } = err;
  const shown: readonly (readonly [string, Plain | undefined])[] = [
    ["code", code === saidCode ? undefined : code],
    ["err", message],
    ["cause", isSaid(causeText(cause), message) ? undefined : causeText(cause)],
    ["stack", stack],
  ];
  return shown
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${valueText(value)}`]))
    .join(" ");
}

function isSaid(cause: string | undefined, message: Plain | undefined): boolean {
  return cause !== undefined && message !== undefined && plainText(message).includes(cause);
}

/** The messages of all causes, outermost first. */
function causeText(cause: Plain | undefined): string | undefined {
  if (cause === undefined) return undefined;
  if (typeof cause !== "object" || cause === null || !("message" in cause)) return valueText(cause);
  const inner = causeText(cause["cause"]);
  const message = plainText(cause["message"] ?? "");
  return inner === undefined ? message : `${message}: ${inner}`;
}

/** Quoted when it could be read as something else. */
function valueText(value: Plain): string {
  const text = plainText(value);
  if (typeof value === "object") return text;
  return text === "" || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

function plainText(value: Plain): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
