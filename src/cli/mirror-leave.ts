/**
 * `svc-ferry mirror leave --keep|--remove`: the way out, with the destination alone. Exit: 0 all is gone, 1 objects stayed that
 * were to go, 2 nothing was done.
 */
import { Command, Option } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorLinkConfig } from "../config/mirror-load.js";
import type { LeaveAnswer, LeaveHow, MirrorCannot } from "../ports/mirror-answers.js";
import { printable } from "../ports/printable.js";
import { answerOutput } from "./answer-output.js";
import {
  cannot,
  configuredCommand,
  EXIT_FOUND,
  jsonOption,
  withLinkOptions,
  type MirrorCli,
} from "./mirror-command.js";
import { EXIT_CANNOT, EXIT_OK } from "./terminal.js";

export function mirrorLeaveCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("leave")
    .description(
      "delete what this link has written down in the destination (exit 0: done, 1: some objects stayed, 2: nothing was done)",
    )
    .addOption(
      new Option("--keep", "the mirrored objects stay, and are nobody's").conflicts("remove"),
    )
    .addOption(new Option("--remove", "the mirrored objects that nobody has touched go as well"))
    .addOption(jsonOption());
  return withLinkOptions(command).action(async (flags: Flags) =>
    exit(
      await configuredCommand(terminal, flags, loadMirrorLinkConfig, async (config) => {
        const how = howOf(flags);
        if (how === undefined) {
          terminal.stderr("error: --keep or --remove is required\n");
          return EXIT_CANNOT;
        }
        const { link } = config;
        const answer = await (await open()).leave(config, how);
        if (answer.kind === "cannot") return cannot(terminal, answer);
        answerOutput(
          terminal,
          flags,
        )({ kind: "MirrorLeave", link, answer, lines: leftLines(answer, link) });
        return answer.stayed.length === 0 ? EXIT_OK : EXIT_FOUND;
      }),
    ),
  );
}

function howOf({ keep, remove }: Flags): LeaveHow | undefined {
  if (keep === true) return "keep";
  return remove === true ? "remove" : undefined;
}

function leftLines(answer: Exclude<LeaveAnswer, MirrorCannot>, link: string): readonly string[] {
  const { owned, removed, marked, stayed, stayedMore } = answer;
  return [
    `link ${link} has left: ${owned} objects were its own, ${removed} of them removed`,
    ...(marked === 0 ? [] : [`${marked} carry its mark: docs/mirror.md says how it comes off`]),
    ...(stayed.length === 0 ? [] : ["these stay:"]),
    ...stayed.map(({ path, why }) => printable(`  ${path}  ${why}`, 1_024)),
    ...(stayedMore === 0 ? [] : [`  … and ${stayedMore} more`]),
  ];
}
