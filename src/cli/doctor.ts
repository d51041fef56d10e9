/**
 * `svc-ferry doctor`: before and after installing, is everything as it has to be? Exit: 0 nothing failed, 1 something failed
 * (with --strict: or is to be looked at), 2 could not run.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../config/duration.js";
import type { Flags } from "../config/given.js";
import { loadConfig, type ConfigResult } from "../config/load.js";
import type { Account, DoctorQuestion, DoctorReport } from "../ports/doctor-report.js";
import { printable } from "../ports/printable.js";
import { doctorText } from "./doctor-text.js";
import { NO_COLOR_OPTION, paintFor } from "./paint.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";
import { toolFlags, withToolSettings } from "./tool-config.js";

export type DoctorAnswer =
  | { readonly kind: "report"; readonly report: DoctorReport }
  /** Of --only and --skip. */
  | { readonly kind: "unknown-names"; readonly names: readonly string[] };

/** Looks at both sides, and changes nothing; what fails is in the report and never thrown. */
export interface Doctor {
  examine(loaded: ConfigResult, question: DoctorQuestion): Promise<DoctorAnswer>;
}

const EXIT_FAILED = 1;
/** Whom the shipped manifests let svc-ferry be in a destination. */
const DESTINATION_ACCOUNT = "svc-ferry/svc-ferry";

export function doctorCommand(
  terminal: Terminal,
  doctor: Doctor,
  exit: (code: number) => void,
): Command {
  const names = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    ...value.split(",").filter((name) => name !== ""),
  ];
  const command = new Command("doctor")
    .description(
      "check both clusters, rights, certificates and the way to the webhook (exit 0: nothing failed, 1: something did, 2: could not run)",
    )
    .addOption(
      new Option("--only <names>", "these checks or sections, comma-separated").argParser(names),
    )
    .addOption(new Option("--skip <names>", "all but these").argParser(names))
    .addOption(new Option("--pre", "only what can be checked before anything is installed"))
    .addOption(new Option("--strict", "what is only to be looked at counts as failed"))
    .addOption(
      new Option("--wait <duration>", "look again at what fails, for so long").argParser(
        durationMs,
      ),
    )
    .addOption(
      new Option(
        "--source-account <account>",
        "whose rights in the source: NAMESPACE/NAME of a ServiceAccount, or self (default: in a pod self, else svc-ferry in the Lease's namespace)",
      ).argParser(account),
    )
    .addOption(
      new Option(
        "--destination-account <account>",
        `the same in destinations (default: in a pod self, else ${DESTINATION_ACCOUNT})`,
      ).argParser(account),
    )
    .addOption(new Option("-n, --namespace <namespace>", "the same as --leader-election-namespace"))
    .addOption(new Option("-o, --output <format>", "another format").choices(["json"]))
    .addOption(NO_COLOR_OPTION);
  return withToolSettings(command).action(async (flags: DoctorFlags) =>
    exit(await examined(terminal, doctor, flags)),
  );
}

/** What the options parse to. */
interface DoctorFlags {
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly pre?: boolean;
  readonly strict?: boolean;
  readonly wait?: number;
  readonly sourceAccount?: Account;
  readonly destinationAccount?: Account;
  readonly output?: "json";
  readonly color?: boolean;
  readonly namespace?: string;
  readonly leaderElectionNamespace?: string;
}

async function examined(terminal: Terminal, doctor: Doctor, flags: DoctorFlags): Promise<number> {
  const { env, readFile, stdout, stderr } = terminal;
  const loaded = loadConfig({ flags: settingsOf(flags), env, readFile });
  const answer = await doctor.examine(loaded, questionOf(terminal, flags, loaded));
  if (answer.kind === "unknown-names") {
    stderr(`error: no check and no section is called ${printable(answer.names.join(", "))}\n`);
    return EXIT_CANNOT;
  }
  const { report } = answer;
  const isJson = flags.output === "json";
  const text = (): string => doctorText(report, paintFor(terminal, flags.color));
  stdout(isJson ? `${JSON.stringify(report, undefined, 2)}\n` : text());
  const { fail, warn } = report.summary;
  return fail > 0 || (flags.strict === true && warn > 0) ? EXIT_FAILED : EXIT_OK;
}

/** The flags that are settings, as `loadConfig` takes them. */
function settingsOf({ namespace, ...flags }: DoctorFlags): Flags {
  const own = new Set(["only", "skip", "pre", "strict", "wait", "output", "color"]);
  const settings = Object.entries(flags).filter(
    ([name, value]) => !own.has(name) && (typeof value === "string" || value === true),
  );
  const leaderElectionNamespace = flags.leaderElectionNamespace ?? namespace;
  return toolFlags({ ...Object.fromEntries(settings), leaderElectionNamespace });
}

function questionOf(
  terminal: Terminal,
  { only = [], skip = [], pre = false, wait = 0, ...accounts }: DoctorFlags,
  loaded: ConfigResult,
): DoctorQuestion {
  const own = `${leaseNamespace(loaded)}/svc-ferry`;
  return {
    only,
    skip,
    pre,
    waitMs: wait,
    isInPod: isInPod(terminal),
    sourceAccount: accounts.sourceAccount ?? ownAccount(terminal, own),
    destinationAccount: accounts.destinationAccount ?? ownAccount(terminal, DESTINATION_ACCOUNT),
  };
}

/** Inside of a pod whoever asks is svc-ferry itself. */
function ownAccount(terminal: Terminal, outside: string): Account {
  return isInPod(terminal) ? { kind: "self" } : account(outside);
}

/** Every pod has it. */
function isInPod({ env }: Terminal): boolean {
  return env["KUBERNETES_SERVICE_HOST"] !== undefined;
}

function leaseNamespace(loaded: ConfigResult): string {
  return loaded.kind === "ok" ? loaded.config.lease.namespace : "k8s-sync";
}

function account(text: string): Account {
  if (text === "self") return { kind: "self" };
  const [namespace = "", name = "", ...more] = text.split("/");
  if (namespace === "" || name === "" || more.length > 0) {
    throw new InvalidArgumentError("is neither NAMESPACE/NAME nor self");
  }
  return { kind: "service-account", namespace, name };
}

function durationMs(text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === "invalid")
    throw new InvalidArgumentError(`${parsed.reason}, such as 30s or 2m`);
  return parsed.value;
}
