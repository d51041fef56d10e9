/** One thing that `doctor` looks at, and what it may come to. */
import type { CheckResult, Remedy } from "../ports/doctor-report.js";

export interface Outcome {
  readonly result: CheckResult;
  /** A code of docs/codes.md. */
  readonly code?: string | undefined;
  readonly message: string;
  readonly remedy?: Remedy | undefined;
}

export interface Check {
  /** Stable, part of the API. */
  readonly id: string;
  readonly section: string;
  /** With `id` it is unique. */
  readonly subject: string;
  /** It needs nothing to be installed. */
  readonly pre: boolean;
  /** Keys of checks that have to be right, or nearly, before this one makes sense. */
  readonly needs: readonly string[];
  /** It says the same however often it is asked. */
  readonly isConstant?: true;
  /**
   * @throws RetryableError, TerminalError: FERRY-K006 means that whoever asks may not look, which skips the check; with any
   * other code it has failed
   */
  run(signal: AbortSignal): Promise<Outcome>;
}

/** By which checks name each other. */
export function checkKey({ id, subject }: Pick<Check, "id" | "subject">): string {
  return `${id} ${subject}`;
}

export function ok(message: string): Outcome {
  return { result: "ok", message };
}

/** What works, and what somebody should look at. */
export function warn(message: string, remedy?: Remedy): Outcome {
  return { result: "warn", message, remedy };
}

export function fail(message: string, remedy: Remedy, code?: string): Outcome {
  return { result: "fail", code, message, remedy };
}

/** It could not be asked. */
export function skip(message: string, remedy?: Remedy): Outcome {
  return { result: "skip", message, remedy };
}
