/** `svc-ferry mirror verify`: proves key by key that the destination is what the rules say. Exit: 0 equal, 1 not, 2 could not be proven. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorConfig, withWaiting } from "../config/mirror-load.js";
import { MIRROR_COMMAND_SETTINGS, mirrorSettingList } from "../config/mirror-settings.js";
import type { Finding, VerifySummary } from "../ports/mirror-answers.js";
import { configuredCommand, jsonOption, withOptions, type MirrorCli } from "./mirror-command.js";
import { walked } from "./mirror-walk.js";
import { countsText } from "./walk-output.js";

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
      await configuredCommand(terminal, flags, load, async ({ config, waitMs, allowDebts }) =>
        walked<Finding, VerifySummary>(terminal, {
          flags,
          kind: "MirrorVerification",
          list: "findings",
          title: "FINDING",
          what: ({ finding }) => finding,
          walk: async (entry) => (await open()).verify(config, waitMs, entry),
          sums,
          isFound: (summary) => !isEqual(summary, allowDebts),
        }),
      ),
    ),
  );
}

function isEqual({ counts }: VerifySummary, allowDebts: boolean): boolean {
  const { debt, ...others } = counts;
  const isRight = Object.values(others).every((count) => count === 0);
  return isRight && (debt === 0 || allowDebts);
}

function sums({ equal, counts, running }: VerifySummary): readonly string[] {
  const alone = running ? [] : ["no mirror of this link is running"];
  return [`${equal} equal`, ...countsText(counts), ...alone];
}
