/** `svc-ferry mirror verify`: proves key by key that the destination is what the rules say. Exit: 0 equal, 1 not, 2 could not be proven. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorConfig, withWaiting } from "../config/mirror-load.js";
import { MIRROR_COMMAND_SETTINGS, mirrorSettingList } from "../config/mirror-settings.js";
import type { Finding, VerifySummary } from "../ports/mirror-answers.js";
import {
  cannot,
  configuredCommand,
  EXIT_FOUND,
  jsonOption,
  withOptions,
  type MirrorCli,
} from "./mirror-command.js";
import { EXIT_OK } from "./terminal.js";
import { countsText, jsonOutput, textOutput, walkLine } from "./walk-output.js";

export function mirrorVerifyCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("verify")
    .description(
      "compare source and destination key by key, also while a mirror runs (exit 0: equal, 1: not, 2: could not be proven)",
    )
    .addOption(jsonOption());
  const settings = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
  const load = withWaiting(loadMirrorConfig);
  return withOptions(command, settings).action(async (flags: Flags) =>
    exit(
      await configuredCommand(terminal, flags, load, async ({ config, waitMs, allowDebts }) => {
        const output =
          flags["output"] === "json"
            ? jsonOutput<Finding>(terminal.stdout, "MirrorVerification", "findings")
            : textOutput<Finding>(terminal.stdout, "FINDING", ({ finding, ...rest }) => ({
                what: finding,
                ...rest,
              }));
        const mirror = await open();
        const summary = await mirror.verify(config, waitMs, output.entry);
        if (summary.kind === "cannot") {
          output.end(undefined, []);
          return cannot(terminal, summary);
        }
        output.end(summary, summaryLines(summary));
        return isEqual(summary, allowDebts) ? EXIT_OK : EXIT_FOUND;
      }),
    ),
  );
}

function isEqual({ counts }: VerifySummary, allowDebts: boolean): boolean {
  const { debt, ...others } = counts;
  const wrong = Object.values(others).reduce((sum, count) => sum + count, 0);
  return wrong === 0 && (debt === 0 || allowDebts);
}

function summaryLines(summary: VerifySummary): readonly string[] {
  const counts = countsText(summary.counts);
  const running = summary.running ? [] : ["no mirror of this link is running"];
  return [[`${summary.equal} equal`, ...counts, ...running].join(" · "), walkLine(summary)];
}
