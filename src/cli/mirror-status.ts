/** `svc-ferry mirror status`: asks a running mirror how it stands. Exit: 0 all is well, 1 something is not, 2 could not ask. */
import { Command, Option } from "commander";
import { printable } from "../ports/printable.js";
import { jsonOption, EXIT_FOUND, type MirrorCli } from "./mirror-command.js";
import { mirrorStatusSchema, type ReadMirrorStatus } from "./mirror-status-schema.js";
import { isMirrorInOrder, mirrorStatusText } from "./mirror-status-text.js";
import type { Ask } from "./read-status.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

interface StatusFlags {
  readonly statusUrl: string;
  readonly output?: "json";
}

export function mirrorStatusCommand({ terminal, exit }: MirrorCli, ask: Ask): Command {
  return new Command("status")
    .description(
      "show how far a running mirror is and what it owes (exit 0: all is well, 1: something is not, 2: could not ask)",
    )
    .addOption(
      new Option("--status-url <url>", "where it answers; see kubectl port-forward").default(
        "http://127.0.0.1:10520/status",
      ),
    )
    .addOption(jsonOption())
    .action(async (flags: StatusFlags) => exit(await status(terminal, ask, flags)));
}

async function status(terminal: Terminal, ask: Ask, flags: StatusFlags): Promise<number> {
  const { stdout, stderr } = terminal;
  const cannotAsk = (reason: string): number => {
    stderr(`error: ${printable(`${flags.statusUrl}: ${reason}`, 1_000)}\n`);
    return EXIT_CANNOT;
  };
  const answer = await ask(flags.statusUrl);
  if (answer.kind === "unreachable") {
    const code = cannotAsk(answer.reason);
    stderr("  fix: kubectl -n NAMESPACE port-forward POD 10520, and ask again beside it\n");
    return code;
  }
  if (answer.status !== 200) return cannotAsk(`HTTP ${answer.status}: ${answer.body.trim()}`);
  const report = parseReport(answer.body);
  if (report === undefined) return cannotAsk("the answer is not a mirror's status report");
  stdout(
    flags.output === "json"
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : mirrorStatusText(report),
  );
  return isMirrorInOrder(report) ? EXIT_OK : EXIT_FOUND;
}

function parseReport(body: string): ReadMirrorStatus | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // Not JSON: some other server answers there. The caller says so.
    return undefined;
  }
  const parsed = mirrorStatusSchema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}
