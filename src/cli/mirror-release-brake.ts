/** `svc-ferry mirror release-brake`: lets the deletions pass that the brake holds now; the next ones brake again. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorLinkConfig } from "../config/mirror-load.js";
import { cannot, configuredCommand, withLinkOptions, type MirrorCli } from "./mirror-command.js";
import { EXIT_OK } from "./terminal.js";

export function mirrorReleaseBrakeCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("release-brake").description(
    "let the deletions pass that the brake holds (exit 0: they will, or there are none; 2: could not ask)",
  );
  return withLinkOptions(command).action(async (flags: Flags) =>
    exit(
      await configuredCommand(terminal, flags, loadMirrorLinkConfig, async (config) => {
        const answer = await (await open()).releaseBrake(config);
        switch (answer.kind) {
          case "cannot":
            return cannot(terminal, answer);
          case "not-braked":
            terminal.stdout(`the brake of link ${config.link} holds nothing\n`);
            return EXIT_OK;
          case "released": {
            const who = answer.holder ?? "the next mirror that runs";
            terminal.stdout(`${answer.held} deletions released: ${who} does them\n`);
            return EXIT_OK;
          }
        }
      }),
    ),
  );
}
