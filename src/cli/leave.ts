/**
 * `svc-ferry leave`: the way out of one destination, with nothing but the credentials for it. Says what it would do; `--yes`
 * does it. Exit: 0 done, or would be, 1 something is left to do, 2 could not.
 */
import { Command, Option } from "commander";
import type { Config } from "../config/config.js";
import type { Cannot } from "../ports/certificates-answers.js";
import type { LeaveQuestion, LeaveReport } from "../ports/leave-report.js";
import { printable } from "../ports/printable.js";
import { problemText } from "./certs-text.js";
import { failureText, ONE_DESTINATION } from "./failure-text.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

/** @throws RetryableError, TerminalError when the destination could not be asked; nothing was written then */
export interface Leave {
  leave(cluster: Config["source"], question: LeaveQuestion): Promise<LeaveReport | Cannot>;
}

const EXIT_LEFT_OVER = 1;
const RIGHTS =
  "get, list, create, patch and delete on services, endpoints and endpointslices, and get, list, update and delete on leases";

interface LeaveFlags {
  readonly kubeconfig?: string;
  readonly context: string;
  readonly namespace?: readonly string[];
  readonly link?: string;
  readonly to?: "k8s-svc-sync";
  readonly keep?: boolean;
  readonly remove?: boolean;
  readonly yes?: boolean;
}

export function leaveCommand(
  terminal: Terminal,
  leave: Leave,
  exit: (code: number) => void,
): Command {
  const gathered = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    ...value.split(",").filter((name) => name !== ""),
  ];
  return new Command("leave")
    .description(
      "give the mirrors of a destination to k8s-svc-sync, leave them to themselves, or remove them (exit 0: done or nothing but said, 1: something is left, 2: could not)",
    )
    .addOption(
      new Option(
        "--to <tool>",
        "hand over: Endpoints hold the addresses, all of ours goes, the mark stays",
      ).choices(["k8s-svc-sync"]),
    )
    .addOption(new Option("--keep", "everything stays as it is, and is nobody's"))
    .addOption(new Option("--remove", "no mirror stays; needs --link"))
    .addOption(new Option("--yes", "do it; without, only say what would be done"))
    .addOption(
      new Option("--link <link>", "whose mirrors; without, those of the only link there is"),
    )
    .addOption(
      new Option(
        "-n, --namespace <namespaces>",
        "only there; needed where you may not list everywhere",
      ).argParser(gathered),
    )
    .addOption(new Option("--kubeconfig <path>", "kubeconfig that reaches the destination"))
    .addOption(
      new Option("--context <context>", "context of the destination").default(
        "",
        "the current one",
      ),
    )
    .action(async (flags: LeaveFlags) => exit(await left(terminal, leave, flags)));
}

async function left(terminal: Terminal, leave: Leave, flags: LeaveFlags): Promise<number> {
  const { stdout, stderr, env } = terminal;
  const question = questionOf(flags);
  if (typeof question === "string") {
    stderr(`error: ${question}\n`);
    return EXIT_CANNOT;
  }
  const { context } = flags;
  const path = flags.kubeconfig ?? (env["SVC_FERRY_KUBECONFIG"] || undefined);
  const cluster = {
    name: context || "destination",
    access: { kind: "kubeconfig", path, context },
  } as const;
  try {
    const answer = await leave.leave(cluster, question);
    if (answer.kind === "cannot") {
      stderr(problemText(answer, "error"));
      return EXIT_CANNOT;
    }
    stdout(leaveText(answer, question));
    for (const trouble of answer.troubles) stderr(`left: ${printable(trouble, 1_000)}\n`);
    return answer.troubles.length === 0 ? EXIT_OK : EXIT_LEFT_OVER;
  } catch (error) {
    const text = failureText(error, RIGHTS, ONE_DESTINATION);
    if (text === undefined) throw error;
    stderr(text);
    return EXIT_CANNOT;
  }
}

/** Text: what is wrong with the flags. */
function questionOf({
  to,
  keep,
  remove,
  link,
  namespace,
  yes,
}: LeaveFlags): LeaveQuestion | string {
  const kinds = [
    ...(to === undefined ? [] : (["hand-over"] as const)),
    ...(keep === true ? (["keep"] as const) : []),
    ...(remove === true ? (["remove"] as const) : []),
  ];
  const [kind, ...others] = kinds;
  if (kind === undefined || others.length > 0) {
    return "say how to leave: one of --to k8s-svc-sync, --keep, --remove";
  }
  if (kind === "remove" && link === undefined) {
    return "--remove needs --link, so that nobody else's mirrors go: kubectl get services -A -L svc-ferry.io/link";
  }
  return { kind, link, namespaces: namespace ?? [], isMeant: yes === true };
}

function leaveText(
  { link, mirrors, writes, holder }: LeaveReport,
  { isMeant }: LeaveQuestion,
): string {
  const lines = writes.map((write) => `  ${printable(write)}`);
  const found = `${mirrors} ${mirrors === 1 ? "mirror" : "mirrors"} of link ${printable(link)}`;
  const held =
    holder === undefined
      ? []
      : [`the link is held by ${printable(holder)}: stop it first, or nothing can be done`];
  const end = isMeant
    ? `${writes.length} writes done`
    : `${writes.length} writes would be done; nothing was: --yes does it`;
  return [found, ...lines, ...held, end].map((line) => `${line}\n`).join("");
}
