/** `svc-ferry status`: asks a running replica how everything stands. Exit: 0 all synced and every cluster within reach, 1 not, 2 could not ask. */
import { Command, Option } from "commander";
import { printable } from "../ports/printable.js";
import { readStatus, type Ask } from "./read-status.js";
import type { ReadStatus } from "./status-schema.js";
import { isAllInOrder, shownServices, statusText } from "./status-text.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

const EXIT_NOT_SYNCED = 1;

/** As docs/runbook.md has it, in short. */
const WAY_THERE =
  "  fix: kubectl -n k8s-sync port-forward pod/LEADER 8080, and ask again beside it; the Lease names the leader. Without that: svc-ferry explain --all\n";

interface StatusFlags {
  readonly statusUrl: string;
  readonly namespace?: string;
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
    .addOption(new Option("-n, --namespace <namespace>", "only Services of this source namespace"))
    .addOption(new Option("-A, --all", "also what is in sync"))
    .addOption(
      new Option("-o, --output <format>", "another format").choices(["wide", "json", "name"]),
    )
    .action(async (flags: StatusFlags) => exit(await status(terminal, ask, flags)));
}

async function status(terminal: Terminal, ask: Ask, flags: StatusFlags): Promise<number> {
  const { stdout, stderr } = terminal;
  const answer = await readStatus(ask, flags.statusUrl);
  if (answer.kind === "none") {
    stderr(`error: ${answer.reason}\n${answer.nobodyAnswers ? WAY_THERE : ""}`);
    return EXIT_CANNOT;
  }
  const report = within(answer.report, flags.namespace);
  stdout(rendered(report, flags));
  return isAllInOrder(report) ? EXIT_OK : EXIT_NOT_SYNCED;
}

/** @param namespace undefined: all */
function within(report: ReadStatus, namespace: string | undefined): ReadStatus {
  if (namespace === undefined) return report;
  const services = report.services.filter(({ service }) => service.startsWith(`${namespace}/`));
  return { ...report, services };
}

function rendered(report: ReadStatus, { all = false, output }: StatusFlags): string {
  const services = shownServices(report, all);
  if (output === "json") return `${JSON.stringify({ ...report, services }, undefined, 2)}\n`;
  if (output === "name") return services.map(({ service }) => `${printable(service)}\n`).join("");
  return statusText(report, { all, wide: output === "wide" });
}
