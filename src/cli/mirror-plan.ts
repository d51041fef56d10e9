/** `svc-ferry mirror plan`: what a run would change, and why; writes nothing. Exit: 0 nothing, 1 something, 2 could not tell. */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { loadMirrorConfig } from "../config/mirror-load.js";
import { mirrorSettingList } from "../config/mirror-settings.js";
import type { PlannedKey, PlanSummary } from "../ports/mirror-answers.js";
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

export function mirrorPlanCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("plan")
    .description(
      "show each key that a run would create, update, delete, adopt, send through the API or refuse, and why (exit 0: none, 1: some, 2: could not tell)",
    )
    .addOption(jsonOption());
  return withOptions(command, mirrorSettingList()).action(async (flags: Flags) =>
    exit(
      await configuredCommand(terminal, flags, loadMirrorConfig, async (config) => {
        const output =
          flags["output"] === "json"
            ? jsonOutput<PlannedKey>(terminal.stdout, "MirrorPlan", "keys")
            : textOutput<PlannedKey>(terminal.stdout, "ACTION", ({ action, ...rest }) => ({
                what: action,
                ...rest,
              }));
        const mirror = await open();
        const summary = await mirror.plan(config, output.entry);
        if (summary.kind === "cannot") {
          output.end(undefined, []);
          return cannot(terminal, summary);
        }
        output.end(summary, summaryLines(summary));
        return changes(summary) === 0 ? EXIT_OK : EXIT_FOUND;
      }),
    ),
  );
}

function changes({ counts }: PlanSummary): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function summaryLines(summary: PlanSummary): readonly string[] {
  const counts = countsText(summary.counts);
  const what = counts.length === 0 ? ["nothing to do"] : counts;
  return [[...what, `${summary.unchanged} unchanged`].join(" · "), walkLine(summary)];
}
