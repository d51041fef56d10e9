/** A cluster that could not be asked, as text with the way out. Pure. */
import { type ErrorCode, RetryableError, TerminalError } from "../ports/errors.js";
import { printable } from "../ports/printable.js";

/** Whom the command asks, and as whom. */
export interface AskedCluster {
  readonly cluster: "source" | "destination";
  /** The flag that names its context. */
  readonly flag: "--src-context" | "--context";
}

const SOURCE: AskedCluster = { cluster: "source", flag: "--src-context" };
/** Of the commands that know no source. */
export const ONE_DESTINATION: AskedCluster = { cluster: "destination", flag: "--context" };

/** undefined: it is another error, which is a defect of ours. @param rights what the command has to be allowed */
export function failureText(error: unknown, rights: string, asked = SOURCE): string | undefined {
  if (!(error instanceof RetryableError || error instanceof TerminalError)) return undefined;
  const { code, message } = error;
  return `error: ${printable(message, 1_000)} (${code})\n  fix: ${wayOut(code, rights, asked)}\n`;
}

function wayOut(code: ErrorCode, rights: string, { cluster, flag }: AskedCluster): string {
  const unreachable = `see that the ${cluster}'s API server can be reached from here: --kubeconfig, ${flag}`;
  const known: Readonly<Partial<Record<ErrorCode, string>>> = {
    "FERRY-K001": unreachable,
    "FERRY-K002": unreachable,
    "FERRY-K005": `see that --kubeconfig and ${flag} name the ${cluster}, and that their credentials are valid`,
    "FERRY-K006": `whoever asks needs ${rights}; --kubeconfig and ${flag} choose who that is`,
  };
  return known[code] ?? "try again; docs/codes.md says what the code means";
}
