/** An explanation as text for people: a verdict, the steps that lead to it, the reason and the way out. Pure. */
import type { ExplainReport, Finding, Step } from "../ports/explain-report.js";
import { printable } from "../ports/printable.js";
import { type Colour, type Paint, PLAIN } from "./paint.js";
import { tableLines } from "./table.js";

/** Longest sentence; the API servers' own are in it. */
const MAX_CHARS = 1_000;

/** Ends with a line feed. */
export function explainText({ source, findings }: ExplainReport, paint: Paint = PLAIN): string {
  return findings
    .map((finding) => [
      headLine(source, finding, paint),
      ...stepLines(finding, paint),
      ...tailLines(finding),
    ])
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(""))
    .join("\n");
}

/** One line for each finding; with none, one line that says so. @param looked how many there were in all */
export function listText({ findings }: ExplainReport, looked: number): string {
  if (findings.length === 0) return `all ${looked} in order\n`;
  const rows = findings.map(({ service, destination = "-", target = "-", verdict, reason }) => [
    service,
    destination,
    target,
    verdict,
    [reason?.code, reason?.message].filter(Boolean).join(": "),
  ]);
  return tableLines([["SERVICE", "DESTINATION", "TARGET", "VERDICT", "REASON"], ...rows])
    .map((line) => `${line}\n`)
    .join("");
}

function headLine(source: string, finding: Finding, paint: Paint): string {
  const { service, destination, target } = finding;
  const to = destination === undefined ? "" : ` → ${destination} ${target ?? ""}`;
  return `${printable(source)} ${printable(service)}${printable(to)}   ${verdictText(finding, paint)}`;
}

/** Of all endpoints that were probed none answered this host. */
export function isOutOfReach({ steps }: Finding): boolean {
  return steps.some(({ id, result }) => id === "reachable" && result === "no");
}

function verdictText(finding: Finding, paint: Paint): string {
  switch (finding.verdict) {
    case "synced":
      if (isOutOfReach(finding)) return paint("red", "SYNCED, but out of reach of this host");
      return finding.endpoints?.ready === 0
        ? paint("yellow", "SYNCED, but nobody answers")
        : paint("green", "SYNCED");
    case "not-synced":
      return paint("red", "NOT SYNCED");
    case "not-selected":
      return paint("yellow", "NOT SELECTED");
    case "unknown":
      return paint("yellow", "UNKNOWN");
  }
}

const TITLES: Readonly<Record<Step["id"], string>> = {
  selected: "1 selected",
  mapped: "2 mapped",
  "name-free": "3 name free",
  written: "4 written",
  endpoints: "5 endpoints",
  reachable: "6 reachable",
};

const RESULTS: Readonly<Record<Step["result"], string>> = {
  yes: "yes",
  no: "NO",
  look: "look",
  "not-asked": "-",
  unknown: "?",
};

const COLOURS: Readonly<Record<Step["result"], Colour>> = {
  yes: "green",
  no: "red",
  look: "yellow",
  "not-asked": "grey",
  unknown: "grey",
};

function stepLines({ steps }: Finding, paint: Paint): readonly string[] {
  return steps.map(({ id, result, text }) => {
    const word = paint(COLOURS[result], RESULTS[result].padEnd(4));
    return `  ${TITLES[id].padEnd(12)} ${word} ${printable(text, MAX_CHARS)}`;
  });
}

function tailLines({ reason, fix, remarks, lastChange, leader }: Finding): readonly string[] {
  const line = (title: string, text: string): string =>
    `${title.padEnd(7)} ${printable(text, MAX_CHARS)}`;
  return [
    ...(reason === undefined ? [] : [line("reason", `${reason.code}: ${reason.message}`)]),
    ...(fix === undefined ? [] : [line("fix", fix)]),
    ...remarks.map(({ code, message }) => line("remark", `${code}: ${message}`)),
    ...(lastChange === undefined
      ? []
      : [
          line(
            "last",
            `change ${lastChange.id} by ${lastChange.by ?? "unknown"}${lastChange.at === undefined ? "" : `, admitted ${lastChange.at}`}; the leader's log has its story: grep ${lastChange.id}`,
          ),
        ]),
    ...(leader === undefined
      ? []
      : [
          line(
            "leader",
            `${leader.podName}: ${[leader.state, leader.reason, leader.message].filter(Boolean).join(", ")} (${leader.queued ?? "?"} in the queue)`,
          ),
        ]),
  ];
}
