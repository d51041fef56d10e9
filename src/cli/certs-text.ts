/** Certificates as text for people: tables, then what comes next and what is wrong. Pure. */
import type { RotateAnswer } from "../ports/certificates-answers.js";
import type {
  CaReport,
  CertificateProblem,
  CertificatesReport,
  ConfigurationReport,
  Dates,
  LeafReport,
  NextRotation,
} from "../ports/certificates-report.js";
import { printable } from "../ports/printable.js";
import { parseRfc3339 } from "../ports/timestamps.js";
import { ageText } from "./age.js";
import { tableLines } from "./table.js";

const NONE = "-";

/** Ends with a line feed. */
export function certificatesText(report: CertificatesReport): string {
  const { cas, leaves, configurations, problems } = report;
  const lines = [
    headLine(report),
    "",
    ...(cas.length === 0
      ? ["no CA"]
      : tableLines([
          ["CA", "IN", "ROLE", "FROM", "UNTIL", "DAYS LEFT"],
          ...cas.map((ca) => [ca.id, ca.in, roleText(ca), ...dateCells(ca)]),
        ])),
    "",
    ...tableLines([
      ["LEAF", "IN", "STATE", "FROM", "UNTIL", "DAYS LEFT", "SIGNED BY", "NAMES"],
      ...leaves.map(leafCells),
    ]),
    "",
    ...tableLines([
      ["STAMP KEY", "STATE"],
      ["current", thereOrNot(report.stampKeys.current)],
      ["previous", thereOrNot(report.stampKeys.previous)],
    ]),
    "",
    ...tableLines([
      ["WEBHOOK CONFIGURATION", "STATE", "ENTRIES", "NAMES THE CERTIFICATE LACKS"],
      ...configurations.map(configurationCells),
    ]),
    "",
    ...requestLines(report),
    nextLine(report.next, report.time),
    ...problems.map((one) => problemText(one).trimEnd()),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Two lines: what is wrong, and the way out. */
export function problemText({ problem, fix }: CertificateProblem, label = "PROBLEM"): string {
  return `${label}: ${printable(problem, 1_000)}\n  fix: ${printable(fix, 1_000)}\n`;
}

/** What a request to rotate leads to; not for one that cannot be. */
export function rotateText(answer: Exclude<RotateAnswer, { readonly kind: "cannot" }>): string {
  switch (answer.kind) {
    case "requested":
      return requestedText(answer);
    case "already-requested":
      return (
        `${answer.rotation} is requested already and has not begun: the leader begins within seconds; where it does not, ` +
        "see that one leads\n"
      );
    case "under-way":
      return (
        "a new CA is trusted already; it signs once every API server trusts it, " +
        `at the earliest at ${timeText(answer.signsAt)}. Nothing is requested\n`
      );
  }
}

function headLine({ cluster, secret, mode }: CertificatesReport): string {
  const state = secret.exists ? "" : " (does not exist)";
  return `Secret ${secret.name}${state} in ${printable(cluster)} · certs mode ${mode}`;
}

function roleText({ role }: CaReport): string {
  return role === "unusable" ? "UNUSABLE" : role;
}

function leafCells(leaf: LeafReport): readonly string[] {
  const { name, in: place, state, signedBy = NONE, names } = leaf;
  const shown = state === "good" ? state : state.toUpperCase();
  return [name, place, shown, ...dateCells(leaf), signedBy, names.join(", ") || NONE];
}

function configurationCells(configuration: ConfigurationReport): readonly string[] {
  const { kind, name, state, entries, namesLacking } = configuration;
  const shown = {
    missing: "missing: calls nobody",
    trusts: "trusts what is served",
    "does-not-trust": "DOES NOT TRUST what is served",
  }[state];
  return [`${kind}/${name}`, shown, String(entries), namesLacking.join(", ") || NONE];
}

function dateCells({ from, until, daysLeft }: Partial<Dates>): readonly string[] {
  return [timeText(from), timeText(until), daysLeft === undefined ? NONE : String(daysLeft)];
}

/** Whole seconds: certificates know no finer ones. */
function timeText(moment: string | undefined): string {
  return moment?.replace(/\.\d+Z$/, "Z") ?? NONE;
}

function thereOrNot(isThere: boolean): string {
  return isThere ? "there" : "not there";
}

function requestLines({ secret }: CertificatesReport): readonly string[] {
  const { requested } = secret;
  return requested === undefined ? [] : [`Requested: ${printable(requested)}`];
}

/** "Next: renew serving, hand-off (ends-soon) at 2026-03-02T00:00:00Z, in 59d" */
function nextLine(next: NextRotation | undefined, now: string): string {
  if (next === undefined) return "Next: nothing in sight";
  const { step, reason, what, at } = next;
  if (step === "wait")
    return "Next: sign, as soon as every webhook configuration trusts the new CA";
  const subject = what.length === 0 ? "" : ` ${what.join(", ")}`;
  const seconds = ((parseRfc3339(at) ?? 0) - (parseRfc3339(now) ?? 0)) / 1_000;
  const when =
    seconds <= 0
      ? "now: the leader does it within seconds, if one leads"
      : `at ${timeText(at)}, in ${ageText(seconds)}`;
  return `Next: ${step}${subject} (${reason}) ${when}`;
}

type Requested = Extract<RotateAnswer, { readonly kind: "requested" }>;

function requestedText({ rotation, replaced, overlapMs, dropsStampKey }: Requested): string {
  const overlap = ageText(overlapMs / 1_000);
  const what = {
    leaf: [
      "the leader makes serving and hand-off certificate anew within seconds; the CA stays, nothing is refused",
    ],
    ca: [
      "the leader adds a new CA to the bundle and to the webhook configurations within seconds;",
      `${overlap} later it signs new certificates, another ${overlap} later the old CA leaves the bundle;`,
      "nothing is refused meanwhile",
    ],
    stamp: [
      "the leader makes a new key within seconds; what was stamped with the one of now still counts",
      ...(dropsStampKey
        ? [
            "the previous key goes: authors of changes stamped with that one are unknown from then on",
          ]
        : []),
    ],
  }[rotation];
  const lost =
    replaced === undefined
      ? []
      : [`replaced the request for ${printable(replaced)}, which had not begun`];
  const lines = [`requested: ${rotation}`, ...what, ...lost, "see `svc-ferry certs status`"];
  return lines.map((line) => `${line}\n`).join("");
}
