/** An explanation as text for people: a verdict, the steps that lead to it, the reason and the way out. Pure. */
import type { ExplainReport, Finding, Step } from "../ports/explain-report.js";
import { printable } from "../ports/printable.js";
import { tableLines } from "./table.js";

/** Longest sentence; the API servers' own are in it. */
const MAX_CHARS = 1_000;

/** Ends with a line feed. */
export function explainText({ source, findings }: ExplainReport): string {
  return findings
    .map((finding) => [headLine(source, finding), ...stepLines(finding), ...tailLines(finding)])
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

function headLine(source: string, finding: Finding): string {
  const { service, destination, target } = finding;
  const to = destination === undefined ? "" : ` → ${destination} ${target ?? ""}`;
  return `${printable(source)} ${printable(service)}${printable(to)}   ${verdictText(finding)}`;
}

function verdictText({ verdict, endpoints }: Finding): string {
  switch (verdict) {
    case "synced":
      return endpoints?.ready === 0 ? "SYNCED, but nobody answers" : "SYNCED";
    case "not-synced":
      return "NOT SYNCED";
    case "not-selected":
      return "NOT SELECTED";
    case "unknown":
      return "UNKNOWN";
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

function stepLines({ steps }: Finding): readonly string[] {
  return steps.map(
    ({ id, result, text }) =>
      `  ${TITLES[id].padEnd(12)} ${RESULTS[result].padEnd(4)} ${printable(text, MAX_CHARS)}`,
  );
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
