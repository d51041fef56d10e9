/**
 * `svc-ferry mirror drain`: waits until everything that the source holds now has been mirrored. Exit: 0 it is, 1 all but debts,
 * 2 not yet, or could not ask.
 */
import { Command } from "commander";
import type { Flags } from "../config/given.js";
import { durationText } from "../config/duration.js";
import { loadMirrorConfig, withWaiting } from "../config/mirror-load.js";
import { MIRROR_COMMAND_SETTINGS, mirrorSettingList } from "../config/mirror-settings.js";
import type { DrainAnswer } from "../ports/mirror-answers.js";
import {
  cannot,
  configuredCommand,
  debtLines,
  EXIT_FOUND,
  textOf,
  withOptions,
  type MirrorCli,
} from "./mirror-command.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

export function mirrorDrainCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("drain").description(
    "wait until a running mirror has done all that the source holds now (exit 0: done, 1: done but for debts, 2: not done)",
  );
  const settings = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
  return withOptions(command, settings).action(async (flags: Flags) =>
    exit(
      await configuredCommand(
        terminal,
        flags,
        withWaiting(loadMirrorConfig),
        async ({ config, waitMs, allowDebts }) => {
          const mirror = await open();
          return drained(terminal, await mirror.drain(config, waitMs), { waitMs, allowDebts });
        },
      ),
    ),
  );
}

/** Tells how it went; `promote --drain` goes on with 0 only. */
export function drained(
  terminal: Terminal,
  answer: DrainAnswer,
  { waitMs, allowDebts }: { readonly waitMs: number; readonly allowDebts: boolean },
): number {
  switch (answer.kind) {
    case "cannot":
      return cannot(terminal, answer);
    case "behind": {
      const { sourceRevision, appliedRevision = "nothing" } = answer;
      terminal.stderr(
        `error: after ${durationText(waitMs)} the mirror has applied ${appliedRevision} of source revision ${sourceRevision}\n` +
          "  fix: wait longer (--wait=1h), or see with `svc-ferry mirror status` what holds it up\n",
      );
      return EXIT_CANNOT;
    }
    case "drained": {
      const { sourceRevision, appliedRevision, debts } = answer;
      terminal.stdout(
        textOf([
          `drained: source revision ${sourceRevision} is applied (the mirror is at ${appliedRevision})`,
          ...debtLines(debts),
        ]),
      );
      return debts.count === 0 || allowDebts ? EXIT_OK : EXIT_FOUND;
    }
  }
}
