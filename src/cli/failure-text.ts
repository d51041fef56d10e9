/** A cluster that could not be asked, as text with the way out. Pure. */
import { type ErrorCode, RetryableError, TerminalError } from "../ports/errors.js";
import { printable } from "../ports/printable.js";

/** undefined: it is another error, which is a defect of ours. @param rights what the command has to be allowed */
export function failureText(error: unknown, rights: string): string | undefined {
  if (!(error instanceof RetryableError || error instanceof TerminalError)) return undefined;
  const { code, message } = error;
  return `error: ${printable(message, 1_000)} (${code})\n  fix: ${wayOut(code, rights)}\n`;
}

function wayOut(code: ErrorCode, rights: string): string {
  if (code === "FERRY-K006") {
    return `whoever asks needs ${rights}; --kubeconfig and --src-context choose who that is`;
  }
  return WAYS_OUT[code] ?? "try again; docs/codes.md says what the code means";
}

const UNREACHABLE =
  "see that the source's API server can be reached from here: --kubeconfig, --src-context";

const WAYS_OUT: Readonly<Partial<Record<ErrorCode, string>>> = {
  "FERRY-K001": UNREACHABLE,
  "FERRY-K002": UNREACHABLE,
  "FERRY-K005":
    "see that --kubeconfig and --src-context name the source, and that their credentials are valid",
};
