/**
 * `svc-ferry explain NS/NAME`: why one Service is, or is not, in the destination, step by step. Exit: 0 synced, 1 selected but
 * not in order, 2 could not find out, 3 not selected or no such Service.
 */
import { Argument, Command, Option } from "commander";
import type { Config } from "../config/config.js";
import type { Flags } from "../config/given.js";
import { contextOf } from "../config/kubectl-contexts.js";
import type {
  ExplainQuestion,
  ExplainReport,
  Finding,
  LeaderFinding,
} from "../ports/explain-report.js";
import { printable } from "../ports/printable.js";
import { explainText, isOutOfReach, listText } from "./explain-text.js";
import { failureText } from "./failure-text.js";
import { NO_COLOR_OPTION, paintFor, type Paint } from "./paint.js";
import { readStatus, type Answer, type Ask, type StatusAnswer } from "./read-status.js";
import type { ReadStatus } from "./status-schema.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";
import { toolConfig, withToolSettings } from "./tool-config.js";

/** Looks at both sides and changes nothing. */
export interface Explain {
  /** @throws RetryableError, TerminalError when the source could not be asked */
  explain(config: Config, question: ExplainQuestion): Promise<ExplainReport>;
  /** The leader's own `/status`, through the source's API server and the pod's kubelet. Never rejects. */
  leaderStatus(config: Config, pod: string): Promise<Answer>;
}

const EXIT_NOT_IN_ORDER = 1;
const EXIT_NOT_SELECTED = 3;
const RIGHTS = "what docs/tools.md lists for explain: reading, in both clusters";

export interface ExplainParts {
  readonly terminal: Terminal;
  readonly explain: Explain;
  readonly ask: Ask;
}

export function explainCommand(parts: ExplainParts, exit: (code: number) => void): Command {
  const command = new Command("explain")
    .description(
      "say why a Service is, or is not, in the destination (exit 0: synced, 1: not in order, 2: could not find out, 3: not selected)",
    )
    .addArgument(new Argument("[service]", "NAMESPACE/NAME, or NAME with --namespace"))
    .addOption(new Option("-n, --namespace <namespace>", "namespace of NAME"))
    .addOption(new Option("-A, --all", "every Service that is not in order, a line each"))
    .addOption(new Option("--in <destination>", "the name is a mirror's, in this destination"))
    .addOption(new Option("--probe", "connect to the endpoints as well, from this host"))
    .addOption(new Option("--status-url <url>", "ask the leader as well, where it answers /status"))
    .addOption(new Option("-o, --output <format>", "another format").choices(["json"]))
    .addOption(NO_COLOR_OPTION);
  return withToolSettings(command).action(async (name: string | undefined, flags: Flags) =>
    exit(await explained(parts, name, flags)),
  );
}

async function explained(
  parts: ExplainParts,
  name: string | undefined,
  flags: Flags,
): Promise<number> {
  const { terminal, explain } = parts;
  const config = toolConfig(terminal, flags);
  if (config === undefined) return EXIT_CANNOT;
  const question = questionOf(config, name, flags);
  if (typeof question === "string") {
    terminal.stderr(`error: ${printable(question, 1_000)}\n`);
    return EXIT_CANNOT;
  }
  try {
    const report = await explain.explain(config, question);
    const status = await leadersView(parts, { config, report, url: flags["statusUrl"] });
    const told = withLeader(report, status);
    const shown = question.service === undefined ? notInOrder(told) : told;
    if (flags["output"] === "json") {
      terminal.stdout(`${JSON.stringify(shown, undefined, 2)}\n`);
    } else {
      const paint = paintFor(terminal, flags["color"]);
      terminal.stdout(textOf(shown, told.findings.length, paint));
      terminal.stdout(leaderHint(config, shown, status));
    }
    return exitCode(shown.findings);
  } catch (error) {
    const text = failureText(error, RIGHTS);
    if (text === undefined) throw error;
    terminal.stderr(text);
    return EXIT_CANNOT;
  }
}

/** Text: what is wrong with the arguments. */
function questionOf(
  config: Config,
  name: string | undefined,
  flags: Flags,
): ExplainQuestion | string {
  const destination = flags["in"] === undefined ? undefined : String(flags["in"]);
  const known = config.destinations.map((one) => one.name);
  if (destination !== undefined && !known.includes(destination)) {
    return `--in: there is no destination ${destination}; there are ${known.join(", ")}`;
  }
  const probe = flags["probe"] === true;
  if (flags["all"] === true) {
    if (name !== undefined) return "give a Service or --all, not both";
    return probe ? "--probe is for one Service" : { service: undefined, destination, probe };
  }
  if (name === undefined) return "which Service? NAMESPACE/NAME, or --all";
  return named(config, name, { flags, destination });
}

function named(
  config: Config,
  name: string,
  { flags, destination }: { readonly flags: Flags; readonly destination: string | undefined },
): ExplainQuestion | string {
  const [namespace, rest, ...more] = name.includes("/")
    ? name.split("/")
    : [namespaceOf(config, flags), name];
  if (namespace === undefined) return `in which namespace? --namespace, or NAMESPACE/${name}`;
  if (rest === undefined || namespace === "" || rest === "" || more.length > 0) {
    return `"${name}" is not NAMESPACE/NAME`;
  }
  return { service: `${namespace}/${rest}`, destination, probe: flags["probe"] === true };
}

/** The one that the routes read, when there is but one. */
function namespaceOf({ routes }: Config, { namespace }: Flags): string | undefined {
  if (namespace !== undefined) return String(namespace);
  const all = new Set(
    routes.flatMap(({ namespaces }) => (namespaces === "all" ? ["", "all"] : namespaces)),
  );
  const [only] = all;
  return all.size === 1 ? only : undefined;
}

/**
 * What the leader says: where `--status-url` leads, else through the cluster, as `kubectl port-forward` goes. undefined: nobody
 * is asked, because everything was asked for, or nobody leads.
 */
async function leadersView(
  { terminal, explain, ask }: ExplainParts,
  {
    config,
    report,
    url,
  }: { readonly config: Config; readonly report: ExplainReport; readonly url: Flags[string] },
): Promise<StatusAnswer | undefined> {
  if (url !== undefined) {
    const answer = await readStatus(ask, String(url));
    if (answer.kind === "none")
      terminal.stderr(`warning: the leader was not asked: ${answer.reason}\n`);
    return answer;
  }
  const { leader, asked } = report;
  if (leader === undefined || asked === undefined) return undefined;
  return readStatus(() => explain.leaderStatus(config, leader), `pod ${leader}`);
}

function withLeader(report: ExplainReport, status: StatusAnswer | undefined): ExplainReport {
  if (status?.kind !== "report") return report;
  const findings = report.findings.map((one) => judged(one, leaderOf(status.report, one)));
  return { ...report, findings };
}

function leaderOf(status: ReadStatus, one: Finding): LeaderFinding | undefined {
  const known = status.services.find(
    ({ service, destination, target }) =>
      service === one.service && destination === one.destination && target === one.target,
  );
  if (known === undefined) return undefined;
  const { state, reason, message } = known;
  const place = status.destinations.find(({ name }) => name === known.destination);
  return { podName: status.podName, state, reason, message, queued: place?.queued };
}

/** Attempts of the leader may fail although everything looks right from here. */
function judged(one: Finding, leader: LeaderFinding | undefined): Finding {
  if (leader === undefined) return one;
  const isWorse = one.verdict === "synced" && leader.state !== "synced";
  if (!isWorse && one.reason?.code !== "pending") return { ...one, leader };
  if (leader.reason === undefined || leader.state === "synced") return { ...one, leader };
  const { reason: code, message = "" } = leader;
  return { ...one, leader, verdict: "not-synced", reason: { code, message } };
}

function notInOrder(report: ExplainReport): ExplainReport {
  return { ...report, findings: report.findings.filter(({ verdict }) => verdict !== "synced") };
}

function textOf(report: ExplainReport, looked: number, paint: Paint): string {
  return report.asked === undefined ? listText(report, looked) : explainText(report, paint);
}

/** Why the leader was not asked, and how it can be, where it may know more. "" where all is in order, or it was asked. */
function leaderHint(
  { source, lease, http }: Config,
  { leader, asked, findings }: ExplainReport,
  status: StatusAnswer | undefined,
): string {
  const isOpen = findings.some(({ verdict }) => verdict === "not-synced");
  if (leader === undefined || asked === undefined || !isOpen || status?.kind !== "none") return "";
  const { port } = http;
  const forward = `kubectl --context ${contextOf(source)} -n ${lease.namespace} port-forward pod/${leader} ${port}`;
  const again = `--status-url=http://127.0.0.1:${port}/status`;
  return `leader  not asked: ${printable(`${status.reason}; by hand: ${forward}, and then ${again}`, 1_000)}\n`;
}

/** What is known to be wrong counts more than what could not be found out. */
function exitCode(findings: readonly Finding[]): number {
  const verdicts = new Set(findings.map(({ verdict }) => verdict));
  if (verdicts.has("not-synced") || findings.some(isOutOfReach)) return EXIT_NOT_IN_ORDER;
  if (verdicts.has("unknown")) return EXIT_CANNOT;
  return verdicts.has("not-selected") ? EXIT_NOT_SELECTED : EXIT_OK;
}
