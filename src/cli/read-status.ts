/** Asks a replica for its `/status`, and says in one sentence why that did not work. */
import { printable } from "../ports/printable.js";
import { statusSchema, type ReadStatus } from "./status-schema.js";

/** The body of an answer, or why there is none. */
export type Answer =
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  | { readonly kind: "unreachable"; readonly reason: string };

/** Asks a URL; never rejects. */
export type Ask = (url: string) => Promise<Answer>;

export type StatusAnswer =
  | { readonly kind: "report"; readonly report: ReadStatus }
  /** `reason` is safe to print. */
  | { readonly kind: "none"; readonly reason: string; readonly nobodyAnswers: boolean };

/** 10 s: a report of 10,000 Services takes well below one. */
const TIMEOUT_MS = 10_000;

/** A report of a replica that knows how the Services stand; one that only follows does not. */
export async function readStatus(ask: Ask, url: string): Promise<StatusAnswer> {
  const none = (reason: string, nobodyAnswers = false): StatusAnswer => ({
    kind: "none",
    reason: printable(`${url}: ${reason}`, 1_000),
    nobodyAnswers,
  });
  const answer = await ask(url);
  if (answer.kind === "unreachable") return none(answer.reason, true);
  if (answer.status !== 200) return none(`HTTP ${answer.status}: ${answer.body.trim()}`);
  const report = parseReport(answer.body);
  if (report === undefined) return none("the answer is not a status report");
  if (!report.observed) {
    const leader = report.leader === undefined ? "" : `; the leader is ${report.leader}`;
    return none(`${report.podName} (${report.role}) does not know the state${leader}`);
  }
  return { kind: "report", report };
}

function parseReport(body: string): ReadStatus | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // Not JSON: some other server answers there. The caller says so.
    return undefined;
  }
  const parsed = statusSchema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

/** Asks over HTTP, with a time limit. */
export const askOverHttp: Ask = async (url) => {
  try {
    const response = await fetch(url, {
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { kind: "answer", status: response.status, body: await response.text() };
  } catch (error) {
    // fetch says only "fetch failed"; the cause knows whether it was refused or had no such host.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { kind: "unreachable", reason };
  }
};
