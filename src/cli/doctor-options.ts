/**
 * What `doctor` and `mirror doctor` are told alike, and how both answer. Exit: 0 nothing failed, 1 something failed (with
 * --strict: or is to be looked at), 2 could not run.
 */
import { InvalidArgumentError, Option, type Command } from "commander";
import { parseDuration } from "../config/duration.js";
import type { DoctorAnswer, DoctorQuestion } from "../ports/doctor-report.js";
import { printable } from "../ports/printable.js";
import { doctorText } from "./doctor-text.js";
import { NO_COLOR_OPTION, paintFor } from "./paint.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

/** What these options parse to. */
export interface CheckFlags {
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly strict?: boolean;
  readonly wait?: number;
  readonly output?: "json";
  readonly color?: boolean;
}

/** Their keys: all other flags of such a command are settings, or its own. */
export const CHECK_FLAGS: readonly string[] = [
  "only",
  "skip",
  "strict",
  "wait",
  "output",
  "color",
] satisfies readonly (keyof CheckFlags)[];

const EXIT_FAILED = 1;

export function withCheckOptions(command: Command): Command {
  const names = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    ...value.split(",").filter((name) => name !== ""),
  ];
  return command
    .addOption(
      new Option("--only <names>", "these checks or sections, comma-separated").argParser(names),
    )
    .addOption(new Option("--skip <names>", "all but these").argParser(names))
    .addOption(new Option("--strict", "what is only to be looked at counts as failed"))
    .addOption(
      new Option("--wait <duration>", "look again at what fails, for so long").argParser(
        durationMs,
      ),
    )
    .addOption(new Option("-o, --output <format>", "another format").choices(["json"]))
    .addOption(NO_COLOR_OPTION);
}

export function checkQuestion({
  only = [],
  skip = [],
  wait = 0,
}: CheckFlags): Pick<DoctorQuestion, "only" | "skip" | "waitMs"> {
  return { only, skip, waitMs: wait };
}

/** Prints what was found. @returns the exit code */
export function toldFindings(
  terminal: Terminal,
  answer: DoctorAnswer,
  { output, color, strict }: CheckFlags,
): number {
  const { stdout, stderr } = terminal;
  if (answer.kind === "unknown-names") {
    stderr(`error: no check and no section is called ${printable(answer.names.join(", "))}\n`);
    return EXIT_CANNOT;
  }
  const { report } = answer;
  const text = (): string => doctorText(report, paintFor(terminal, color));
  stdout(output === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : text());
  const { fail, warn } = report.summary;
  return fail > 0 || (strict === true && warn > 0) ? EXIT_FAILED : EXIT_OK;
}

function durationMs(text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === "invalid")
    throw new InvalidArgumentError(`${parsed.reason}, such as 30s or 2m`);
  return parsed.value;
}
