/** `svc-ferry mirror resume`: takes the seal of `promote` off again. What was changed in the destination since is overwritten. */
import { Command, Option } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorLinkConfig } from "../config/mirror-load.js";
import { answerOutput } from "./answer-output.js";
import {
  cannot,
  configuredCommand,
  jsonOption,
  withLinkOptions,
  type MirrorCli,
} from "./mirror-command.js";
import { EXIT_CANNOT, EXIT_OK } from "./terminal.js";

const CONSENT = "i-lost-the-destinations-changes";

export function mirrorResumeCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("resume")
    .description("let mirrors write a sealed destination again (exit 0: they may, 2: they may not)")
    .addOption(
      new Option(
        `--${CONSENT}`,
        "consent: mirrored objects become what the source says, whatever was done to them since",
      ),
    )
    .addOption(jsonOption());
  return withLinkOptions(command).action(
    async ({ iLostTheDestinationsChanges: consent, ...flags }: Flags) =>
      exit(
        await configuredCommand(terminal, flags, loadMirrorLinkConfig, async (config) => {
          if (consent !== true) {
            terminal.stderr(
              "error: a resumed mirror overwrites what was changed in the destination since promote\n" +
                `  fix: say so with --${CONSENT}; to keep those changes, mirror the other way round (docs/runbook-mirror.md)\n`,
            );
            return EXIT_CANNOT;
          }
          const answer = await (await open()).resume(config);
          if (answer.kind === "cannot") return cannot(terminal, answer);
          const { by, at } = answer.before;
          const { link } = config;
          const line = `link ${link} is open again (was sealed by ${by} at ${at}); the next mirror that runs compares everything`;
          answerOutput(terminal, flags)({ kind: "MirrorResumption", link, answer, lines: [line] });
          return EXIT_OK;
        }),
      ),
  );
}
