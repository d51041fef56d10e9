/**
 * `svc-ferry mirror promote [--drain]`: seals the destination, so that no mirror of the link writes it any more, over
 * restarts. Needs the destination alone; with `--drain` the source as well.
 */
import { Command, Option } from "commander";
import type { Flags } from "../config/given.js";
import type { MirrorLinkConfig } from "../config/mirror-config.js";
import { loadMirrorConfig, loadMirrorLinkConfig, withWaiting } from "../config/mirror-load.js";
import { MIRROR_COMMAND_SETTINGS, mirrorSettingList } from "../config/mirror-settings.js";
import type { PromoteAnswer } from "../ports/mirror-answers.js";
import { answerOutput, type Answer } from "./answer-output.js";
import {
  cannot,
  configuredCommand,
  debtLines,
  jsonOption,
  withOptions,
  type Mirror,
  type MirrorCli,
} from "./mirror-command.js";
import { drained } from "./mirror-drain.js";
import { EXIT_OK, type Terminal } from "./terminal.js";

export function mirrorPromoteCommand({ terminal, open, exit }: MirrorCli): Command {
  const command = new Command("promote")
    .description(
      "seal the destination: no mirror of this link writes it from now on (exit 0: sealed, else nothing was changed)",
    )
    .addOption(new Option("--drain", "first wait until the mirror has done all, as drain does"))
    .addOption(jsonOption());
  const settings = [...mirrorSettingList(), ...Object.values(MIRROR_COMMAND_SETTINGS)];
  return withOptions(command, settings).action(async (flags: Flags) =>
    exit(
      flags["drain"] === true
        ? await drainThenPromote(terminal, open, flags)
        : await configuredCommand(terminal, flags, loadMirrorLinkConfig, async (config) =>
            promoted(terminal, answerOutput(terminal, flags), await open(), config),
          ),
    ),
  );
}

const NOT_PROMOTED = "error: not promoted; with --allow-debts debts do not keep it from that\n";

async function drainThenPromote(
  terminal: Terminal,
  open: MirrorCli["open"],
  flags: Flags,
): Promise<number> {
  const load = withWaiting(loadMirrorConfig);
  return configuredCommand(terminal, flags, load, async ({ config, waitMs, allowDebts }) => {
    const mirror = await open();
    const { link } = config;
    const answers: Answer[] = [];
    const output = (answer: Answer): void => void answers.push(answer);
    const answer = await mirror.drain(config, waitMs);
    let code = drained(terminal, output, { answer, link, waitMs, allowDebts });
    if (code === EXIT_OK) code = await promoted(terminal, output, mirror, config);
    else terminal.stderr(NOT_PROMOTED);
    answerOutput(terminal, flags)(...answers);
    return code;
  });
}

async function promoted(
  terminal: Terminal,
  output: (answer: Answer) => void,
  mirror: Mirror,
  config: MirrorLinkConfig,
): Promise<number> {
  const { link } = config;
  const answer = await mirror.promote(config);
  if (answer.kind === "cannot") return cannot(terminal, answer);
  output({ kind: "MirrorPromotion", link, answer, lines: promotedLines(answer, link) });
  return EXIT_OK;
}

type Promoted = Extract<PromoteAnswer, { readonly kind: "promoted" }>;

function promotedLines(answer: Promoted, link: string): readonly string[] {
  const { before, appliedRevision, dataAt, unfinished, holder, debts } = answer;
  const head =
    before === undefined
      ? `link ${link} is sealed: no mirror writes the destination any more`
      : `link ${link} was sealed already, by ${before.by} at ${before.at}`;
  return [
    head,
    appliedRevision === undefined
      ? "no revision of the source was ever applied as a whole"
      : `data of source revision ${appliedRevision}, last told at ${dataAt}`,
    ...(unfinished ? ["A PASS HAD NOT ENDED: what it had not reached is as it was before"] : []),
    ...(holder === undefined ? [] : [`${holder} held the fence and lost it`]),
    ...debtLines(debts),
    `back to mirroring: svc-ferry mirror resume --link=${link} --i-lost-the-destinations-changes`,
  ];
}
