/** `svc-ferry status`: asks a running replica how everything stands. Exit: 0 all synced and every cluster within reach, 1 not, 2 could not ask. */
import { Command, Option } from "commander";
import { printable } from "../ports/printable.js";
import { statusSchema, type ReadStatus } from "./status-schema.js";
import { isAllInOrder, shownServices, statusText } from "./status-text.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

/** The body of an answer, or why there is none. */
export type Answer =
  | { readonly kind: "answer"; readonly status: number; readonly body: string }
  | { readonly kind: "unreachable"; readonly reason: string };

/** Asks a URL; never rejects. */
export type Ask = (url: string) => Promise<Answer>;

const EXIT_NOT_SYNCED = 1;
/** 10 s: a report of 10,000 Services takes well below one. */
const TIMEOUT_MS = 10_000;

interface StatusFlags {
  readonly statusUrl: string;
  readonly all?: boolean;
  readonly output?: "wide" | "json" | "name";
}

export function statusCommand(terminal: Terminal, ask: Ask, exit: (code: number) => void): Command {
  return new Command("status")
    .description(
      "show what is not in sync (exit 0: all is, 1: something is not or a cluster is out of reach, 2: could not ask)",
    )
    .addOption(
      new Option("--status-url <url>", "where a replica answers; see kubectl port-forward").default(
        "http://127.0.0.1:8080/status",
      ),
    )
    .addOption(new Option("-A, --all", "also what is in sync"))
    .addOption(
      new Option("-o, --output <format>", "another format").choices(["wide", "json", "name"]),
    )
    .action(async (flags: StatusFlags) => exit(await status(terminal, ask, flags)));
}

async function status(terminal: Terminal, ask: Ask, flags: StatusFlags): Promise<number> {
  const { stdout, stderr } = terminal;
  const cannot = (reason: string): number => {
    stderr(`error: ${printable(`${flags.statusUrl}: ${reason}`, 1_000)}\n`);
    return EXIT_CANNOT;
  };
  const answer = await ask(flags.statusUrl);
  if (answer.kind === "unreachable") return cannot(answer.reason);
  if (answer.status !== 200) return cannot(`HTTP ${answer.status}: ${answer.body.trim()}`);
  const report = parseReport(answer.body);
  if (report === undefined) return cannot("the answer is not a status report");
  if (!report.observed) {
    const leader = report.leader === undefined ? "" : `; the leader is ${report.leader}`;
    return cannot(`${report.podName} (${report.role}) does not know the state${leader}`);
  }
  stdout(rendered(report, flags));
  return isAllInOrder(report) ? EXIT_OK : EXIT_NOT_SYNCED;
}

function rendered(report: ReadStatus, { all = false, output }: StatusFlags): string {
  const services = shownServices(report, all);
  if (output === "json") return `${JSON.stringify({ ...report, services }, undefined, 2)}\n`;
  if (output === "name") return services.map(({ service }) => `${printable(service)}\n`).join("");
  return statusText(report, { all, wide: output === "wide" });
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
