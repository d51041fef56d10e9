/** `svc-ferry mirror plan`: what a run would change, and why; writes nothing. Exit: 0 nothing, 1 something, 2 could not tell. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorConfig } from "../config/mirror-load.js";
import { mirrorSettingList } from "../config/mirror-settings.js";
import type { PlannedKey, PlanSummary } from "../ports/mirror-answers.js";
import { configuredCommand, jsonOption, withOptions, type MirrorCli } from "./mirror-command.js";
import { walked } from "./mirror-walk.js";
import { countsText } from "./walk-output.js";

export function mirrorPlanCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("plan")
    .description(
      "show each key that a run would create, update, delete, adopt, send through the API or refuse, and why (exit 0: none, 1: some, 2: could not tell)",
    )
    .addOption(jsonOption());
  return withOptions(command, mirrorSettingList()).action(async (flags: Flags) =>
    exit(
      await configuredCommand(terminal, flags, loadMirrorConfig, async (config) =>
        walked<PlannedKey, PlanSummary>(terminal, {
          flags,
          kind: "MirrorPlan",
          list: "keys",
          title: "ACTION",
          what: ({ action }) => action,
          walk: async (entry) => (await open()).plan(config, entry),
          sums,
          isFound: ({ counts }) => Object.values(counts).some((count) => count > 0),
        }),
      ),
    ),
  );
}

function sums({ counts, unchanged }: PlanSummary): readonly string[] {
  const texts = countsText(counts);
  return [...(texts.length === 0 ? ["nothing to do"] : texts), `${unchanged} unchanged`];
}
