/** What every command of `svc-ferry mirror` does alike: settings before, the mirror's code loaded after, one exit code. */
import { Option, type Command } from "commander";
import type { Flags } from "../config/given.js";
import { MIRROR_VARIABLE_PREFIX } from "../config/given.js";
import type { ConfigInput } from "../config/load.js";
import type { MirrorConfig, MirrorLinkConfig } from "../config/mirror-config.js";
import { LINK_SETTINGS, type Loaded } from "../config/mirror-load.js";
import { mirrorSettingList } from "../config/mirror-settings.js";
import { problemLine } from "../config/problems.js";
import type { Setting } from "../config/setting.js";
import type { DoctorAnswer, DoctorQuestion } from "../ports/doctor-report.js";
import type {
  DrainAnswer,
  Finding,
  LeaveAnswer,
  LeaveHow,
  MirrorCannot,
  OpenDebts,
  PlannedKey,
  PlanSummary,
  PromoteAnswer,
  ReleaseBrakeAnswer,
  ResumeAnswer,
  VerifySummary,
} from "../ports/mirror-answers.js";
import { printable } from "../ports/printable.js";
import { optionsOf } from "./setting-options.js";
import { EXIT_CANNOT, type Terminal } from "./terminal.js";

/** What the commands ask for. Each opens the etcds that it needs and closes them again; none rejects for what they answer. */
export interface Mirror {
  /** Runs until the process is asked to end; resolves with the exit code. */
  run(config: MirrorConfig, warnings: readonly string[]): Promise<number>;
  /** @param show called for each key as it is found */
  plan(config: MirrorConfig, show: (key: PlannedKey) => void): Promise<PlanSummary | MirrorCannot>;
  doctor(
    config: MirrorConfig,
    question: Pick<DoctorQuestion, "only" | "skip" | "waitMs">,
  ): Promise<DoctorAnswer>;
  verify(
    config: MirrorConfig,
    waitMs: number,
    show: (finding: Finding) => void,
  ): Promise<VerifySummary | MirrorCannot>;
  drain(config: MirrorConfig, waitMs: number): Promise<DrainAnswer>;
  promote(config: MirrorLinkConfig): Promise<PromoteAnswer>;
  resume(config: MirrorLinkConfig): Promise<ResumeAnswer>;
  leave(config: MirrorLinkConfig, how: LeaveHow): Promise<LeaveAnswer>;
  releaseBrake(config: MirrorLinkConfig): Promise<ReleaseBrakeAnswer>;
}

/** What a command of the mirror is made with. */
export interface MirrorCli {
  readonly terminal: Terminal;
  /** Loads the mirror's code: `svc-ferry run` never pays for it. */
  readonly open: () => Promise<Mirror>;
  readonly exit: (code: number) => void;
}

/** Something is not as it should be; what, is the command's own. */
export const EXIT_FOUND = 1;

export function withOptions(command: Command, settings: readonly Setting<unknown>[]): Command {
  for (const option of optionsOf(settings, MIRROR_VARIABLE_PREFIX)) command.addOption(option);
  return command;
}

/**
 * For a command that works with the destination alone. It takes the others as well, and does not look at them: in a disaster
 * people paste the flags of the mirror that they have.
 */
export function withLinkOptions(command: Command): Command {
  withOptions(command, LINK_SETTINGS);
  const others = mirrorSettingList().filter((setting) => !LINK_SETTINGS.includes(setting));
  for (const option of optionsOf(others, MIRROR_VARIABLE_PREFIX)) {
    command.addOption(option.hideHelp());
  }
  return command;
}

export function jsonOption(): Option {
  return new Option("-o, --output <format>", "another format").choices(["json"]);
}

/** Loads the settings, tells what is wrong with them or doubtful, and goes on with what they say. */
export async function configured<T>(
  { env, readFile, stderr }: Terminal,
  flags: Flags,
  load: (input: ConfigInput) => Loaded<T>,
  act: (config: T, warnings: readonly string[]) => Promise<number>,
): Promise<number> {
  const loaded = load({ flags, env, readFile });
  if (loaded.kind === "invalid") {
    for (const problem of loaded.problems) stderr(`error: ${problemLine(problem)}\n`);
    return EXIT_CANNOT;
  }
  return act(loaded.config, loaded.warnings);
}

/** As `configured`, for a command that has no log: warnings go to standard error. */
export async function configuredCommand<T>(
  terminal: Terminal,
  flags: Flags,
  load: (input: ConfigInput) => Loaded<T>,
  act: (config: T) => Promise<number>,
): Promise<number> {
  return configured(terminal, flags, load, async (config, warnings) => {
    for (const text of warnings) terminal.stderr(`warning: ${printable(text, 1_000)}\n`);
    return act(config);
  });
}

/** Two lines: what is wrong, and the way out. */
export function cannot({ stderr }: Terminal, { problem, fix }: MirrorCannot): number {
  stderr(`error: ${printable(problem, 1_000)}\n  fix: ${printable(fix, 1_000)}\n`);
  return EXIT_CANNOT;
}

/** "3 debts: 2 occupied, 1 no-crd", then one line for each that is known by name. */
export function debtLines({ count, byCode, first }: OpenDebts): readonly string[] {
  if (count === 0) return ["no debts"];
  const codes = Object.entries(byCode).map(([code, number]) => `${number} ${code}`);
  const more = count - first.length;
  return [
    `${count === 1 ? "1 debt" : `${count} debts`}: ${codes.join(", ")}`,
    ...first.map(({ path, code, detail }) =>
      printable(`  ${path}  ${code}${detail === undefined ? "" : `: ${detail}`}`, 1_000),
    ),
    ...(more > 0 ? [`  … and ${more} more`] : []),
  ];
}

export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
