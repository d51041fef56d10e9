/** `svc-ferry mirror release-brake`: lets the deletions pass that the brake holds now; the next ones brake again. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorLinkConfig } from "../config/mirror-load.js";
import type { MirrorCannot, ReleaseBrakeAnswer } from "../ports/mirror-answers.js";
import { answerOutput } from "./answer-output.js";
import {
  cannot,
  configuredCommand,
  jsonOption,
  withLinkOptions,
  type MirrorCli,
} from "./mirror-command.js";
import { EXIT_OK } from "./terminal.js";

export function mirrorReleaseBrakeCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("release-brake")
    .description(
      "let the deletions pass that the brake holds (exit 0: they will, or there are none; 2: could not ask)",
    )
    .addOption(jsonOption());
  return withLinkOptions(command).action(async (flags: Flags) =>
    exit(
      await configuredCommand(terminal, flags, loadMirrorLinkConfig, async (config) => {
        const { link } = config;
        const answer = await (await open()).releaseBrake(config);
        if (answer.kind === "cannot") return cannot(terminal, answer);
        const lines = [lineOf(answer, link)];
        answerOutput(terminal, flags)({ kind: "MirrorBrakeRelease", link, answer, lines });
        return EXIT_OK;
      }),
    ),
  );
}

function lineOf(answer: Exclude<ReleaseBrakeAnswer, MirrorCannot>, link: string): string {
  switch (answer.kind) {
    case "not-braked":
      return `the brake of link ${link} holds nothing`;
    case "released": {
      const who = answer.holder ?? "the next mirror that runs";
      return `${answer.held} deletions released: ${who} does them`;
    }
  }
}
