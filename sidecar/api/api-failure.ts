/** What an error of a request means for the object that it was about. Details are codes: a server's message may quote the object. */
import { type ErrorCode, RetryableError, TerminalError } from "../../src/ports/errors.js";
import { Malformed } from "../wire/protobuf.js";
import type { ApiRefused, ApiTerm, ApiUnavailable } from "./api-writer.js";

/** Nobody answers, or nobody knows us: other calls fare no better. */
const AWAY: ReadonlySet<ErrorCode> = new Set([
  "FERRY-K001",
  "FERRY-K002",
  "FERRY-K005",
  "FERRY-L001",
]);

/** @throws the term's reason when it is over; what is no failure of the request */
export async function attempted<T>(
  term: ApiTerm,
  attempt: () => Promise<T>,
): Promise<T | ApiRefused | ApiUnavailable> {
  try {
    return await attempt();
  } catch (error) {
    term.signal.throwIfAborted();
    if (error instanceof Malformed) return { kind: "refused", detail: error.message };
    if (error instanceof TerminalError) return { kind: "refused", detail: detailOf(error) };
    if (!(error instanceof RetryableError)) throw error;
    // RBAC, a quota or a webhook said no.
    if (error.code === "FERRY-K006") return { kind: "refused", detail: detailOf(error) };
    return { kind: "unavailable", isAway: AWAY.has(error.code), detail: error.code };
  }
}

function detailOf({ code, status }: RetryableError | TerminalError): string {
  return status === undefined ? code : `${code}, HTTP ${status}`;
}
