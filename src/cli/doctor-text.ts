/** A check-up as text for people: a good section is a line, what is wrong is the fact and the way out. Pure. */
import type { CheckReport, CheckResult, DoctorReport } from "../ports/doctor-report.js";
import { printable } from "../ports/printable.js";
import { type Colour, type Paint, PLAIN } from "./paint.js";

const MAX_CHARS = 1_000;
/** A section with so few checks says what they found. */
const FEW = 2;
const WIDTH = 24;

/** Ends with a line feed. */
export function doctorText(
  { version, checks, summary }: DoctorReport,
  paint: Paint = PLAIN,
): string {
  const sections = [...new Set(checks.map(({ section }) => section))];
  const lines = [
    `svc-ferry ${printable(version)}`,
    "",
    ...sections.flatMap((section) =>
      sectionLines(
        section,
        checks.filter((check) => check.section === section),
        paint,
      ),
    ),
    "",
    summaryLine(summary),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function sectionLines(
  section: string,
  checks: readonly CheckReport[],
  paint: Paint,
): readonly string[] {
  const good = checks.filter(({ result }) => result === "ok");
  if (good.length === checks.length) {
    const dots = ".".repeat(Math.max(2, WIDTH - section.length));
    const said =
      good.length <= FEW ? good.map(({ message }) => message).join("; ") : countText(good.length);
    return [
      `${printable(section)} ${dots} ${paint("green", "ok")}    ${printable(said, MAX_CHARS)}`,
    ];
  }
  const more = good.length === 0 ? "" : `   (${countText(good.length)} ok)`;
  return [
    `${printable(section)}${more}`,
    ...foldedLines(
      checks.filter(({ result }) => result !== "ok"),
      paint,
    ),
  ];
}

/** Many that wait for one are a line where the first of them stands: fifty would hide what they wait for. */
function foldedLines(checks: readonly CheckReport[], paint: Paint): readonly string[] {
  const waiting = Map.groupBy(
    checks.filter(({ waitsFor }) => waitsFor !== undefined),
    ({ waitsFor }) => waitsFor,
  );
  return checks.flatMap((check) => {
    const alike = waiting.get(check.waitsFor) ?? [];
    if (alike.length <= FEW) return checkLines(check, paint);
    if (check !== alike[0]) return [];
    const skip = paint(COLOURS.skip, WORDS.skip);
    return [`  ${skip} ${countText(alike.length)} wait for ${printable(check.waitsFor ?? "")}`];
  });
}

const WORDS: Readonly<Record<CheckResult, string>> = {
  ok: "ok  ",
  warn: "warn",
  fail: "FAIL",
  skip: "skip",
};

const COLOURS: Readonly<Record<CheckResult, Colour>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
  skip: "grey",
};

function checkLines(
  { result, id, subject, message, code, remedy }: CheckReport,
  paint: Paint,
): readonly string[] {
  const told = code === undefined ? message : `${message} (${code})`;
  const fix = (text: string): string => `       fix: ${printable(text, MAX_CHARS)}`;
  return [
    `  ${paint(COLOURS[result], WORDS[result])} ${printable(id)}  ${printable(subject)}: ${printable(told, MAX_CHARS)}`,
    ...(remedy === undefined ? [] : [fix(remedy.text)]),
    ...(remedy?.command === undefined ? [] : [fix(remedy.command)]),
  ];
}

function countText(count: number): string {
  return `${count} ${count === 1 ? "check" : "checks"}`;
}

/** "1 failed, 1 warning, 1 skipped, 31 ok" */
function summaryLine({ fail, warn, skip, ok }: DoctorReport["summary"]): string {
  const parts = [
    fail === 0 ? undefined : `${fail} failed`,
    warn === 0 ? undefined : `${warn} ${warn === 1 ? "warning" : "warnings"}`,
    skip === 0 ? undefined : `${skip} skipped`,
    `${ok} ok`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
