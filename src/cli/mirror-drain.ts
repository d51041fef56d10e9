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
import { answerOutput, type AnswerOutput } from "./answer-output.js";
import {
  cannot,
  configuredCommand,
  debtLines,
  EXIT_FOUND,
  jsonOption,
  withOptions,
  type MirrorCli,
} from "./mirror-command.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

export function mirrorDrainCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("drain")
    .description(
      "wait until a running mirror has done all that the source holds now (exit 0: done, 1: done but for debts, 2: not done)",
    )
    .addOption(jsonOption());
  const settings = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
  return withOptions(command, settings).action(async (flags: Flags) =>
    exit(
      await configuredCommand(
        terminal,
        flags,
        withWaiting(loadMirrorConfig),
        async ({ config, waitMs, allowDebts }) => {
          const output = answerOutput(terminal, flags);
          const answer = await (await open()).drain(config, waitMs);
          const { link } = config;
          return drained(terminal, output, { answer, link, waitMs, allowDebts });
        },
      ),
    ),
  );
}

/** What came of a drain, and what was asked of it. */
export interface Drained {
  readonly answer: DrainAnswer;
  readonly link: string;
  readonly waitMs: number;
  readonly allowDebts: boolean;
}

/** Tells how it went; `promote --drain` goes on with 0 only. */
export function drained(terminal: Terminal, output: AnswerOutput, drain: Drained): number {
  const { answer, link, waitMs, allowDebts } = drain;
  const tell = (lines: readonly string[]): void =>
    output({ kind: "MirrorDrain", link, answer, lines });
  switch (answer.kind) {
    case "cannot":
      return cannot(terminal, answer);
    case "behind": {
      const { sourceRevision, appliedRevision = "nothing", pass } = answer;
      const searching = pass === undefined ? "" : `, and a pass (${pass}) has not ended`;
      tell([]);
      terminal.stderr(
        `error: after ${durationText(waitMs)} the mirror has applied ${appliedRevision} of source revision ${sourceRevision}${searching}\n` +
          "  fix: wait longer (--wait=1h), or see with `svc-ferry mirror status` what holds it up\n",
      );
      return EXIT_CANNOT;
    }
    case "drained": {
      const { sourceRevision, appliedRevision, debts } = answer;
      const isBelow = BigInt(appliedRevision) < BigInt(sourceRevision);
      const since = isBelow ? ", and nothing that it watches has changed since" : "";
      tell([
        `drained: source revision ${sourceRevision} is applied (the mirror is at ${appliedRevision}${since})`,
        ...debtLines(debts),
      ]);
      return debts.count === 0 || allowDebts ? EXIT_OK : EXIT_FOUND;
    }
  }
}
