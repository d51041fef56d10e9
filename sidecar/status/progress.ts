/** How far a copy is: one line that is written over on a terminal, records in the log otherwise. */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { MirrorStatus, PassStatus } from "./mirror-status.js";

export interface ProgressParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly status: () => MirrorStatus | undefined;
  /** Standard error when it is a terminal; undefined: it is none. */
  readonly terminal: ((text: string) => unknown) | undefined;
}

/** Twice a second is as often as a person reads numbers; in a log six records a minute are plenty. */
const TERMINAL_MS = 500;
const LOG_MS = 10_000;
/** ECMA-48: back to the line's begin, and erase it. */
export const ERASE = "\r\u001B[K";

/** Tells until `signal` aborts. */
export async function tellProgress(parts: ProgressParts, signal: AbortSignal): Promise<void> {
  const { clock, terminal } = parts;
  const everyMs = terminal === undefined ? LOG_MS : TERMINAL_MS;
  let isShown = false;
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal);
    const pass = signal.aborted ? undefined : copying(parts.status());
    if (pass !== undefined) tell(parts, pass);
    else if (isShown) terminal?.(ERASE);
    isShown = pass !== undefined;
  }
}

/** Only a copy without which there is nothing to follow: a daily comparison is nobody's waiting. */
function copying(status: MirrorStatus | undefined): PassStatus | undefined {
  return status?.activity === "copying" ? status.pass : undefined;
}

function tell({ clock, log, terminal }: ProgressParts, pass: PassStatus): void {
  const progress = progressOf(pass, clock.now());
  if (terminal === undefined) {
    const { cause, read, written, bytes, expected } = pass;
    const { perSecond, leftSeconds } = progress;
    log.info({ cause, read, expected, written, bytes, perSecond, leftSeconds }, "copying");
    return;
  }
  terminal(`${ERASE}${progressLine(pass, progress)}`);
}

export interface Progress {
  /** Objects of the source dealt with, in a second, since the pass began. */
  readonly perSecond: number;
  /** undefined: not known. */
  readonly leftSeconds: number | undefined;
}

export function progressOf({ startedAtMs, read, expected }: PassStatus, nowMs: number): Progress {
  const seconds = Math.max(0, nowMs - startedAtMs) / 1_000;
  const perSecond = seconds > 0 ? Math.round(read / seconds) : 0;
  if (expected === undefined || perSecond === 0) return { perSecond, leftSeconds: undefined };
  return { perSecond, leftSeconds: Math.ceil(Math.max(0, expected - read) / perSecond) };
}

/** "copying: 1200 of 5000 objects (24 %), 300 written, 1.9 MB, 600/s, 6 s left" */
export function progressLine(pass: PassStatus, { perSecond, leftSeconds }: Progress): string {
  const { read, expected, written, bytes } = pass;
  const percent =
    expected === undefined || expected === 0 ? "" : ` (${Math.floor((read / expected) * 100)} %)`;
  const of = expected === undefined ? "" : ` of ${expected}`;
  return [
    `copying: ${read}${of} objects${percent}`,
    `${written} written`,
    `${(bytes / 1_000_000).toFixed(1)} MB`,
    `${perSecond}/s`,
    ...(leftSeconds === undefined ? [] : [`${leftSeconds} s left`]),
  ].join(", ");
}
