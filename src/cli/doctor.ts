/**
 * `svc-ferry doctor`: before and after installing, is everything as it has to be? Exit: 0 nothing failed, 1 something failed
 * (with --strict: or is to be looked at), 2 could not run.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Flags } from "../config/given.js";
import { loadConfig, type ConfigResult } from "../config/load.js";
import type { Account, DoctorAnswer, DoctorQuestion } from "../ports/doctor-report.js";
import {
  CHECK_FLAGS,
  checkQuestion,
  toldFindings,
  withCheckOptions,
  type CheckFlags,
} from "./doctor-options.js";
import type { Terminal } from "./terminal.js";
import { toolFlags, withToolSettings } from "./tool-config.js";

/** Looks at both sides, and changes nothing; what fails is in the report and never thrown. */
export interface Doctor {
  examine(loaded: ConfigResult, question: DoctorQuestion): Promise<DoctorAnswer>;
}

/** Whom the shipped manifests let svc-ferry be in a destination. */
const DESTINATION_ACCOUNT = "svc-ferry/svc-ferry";

export function doctorCommand(
  terminal: Terminal,
  doctor: Doctor,
  exit: (code: number) => void,
): Command {
  const command = new Command("doctor")
    .description(
      "check both clusters, rights, certificates and the way to the webhook (exit 0: nothing failed, 1: something did, 2: could not run)",
    )
    .addOption(new Option("--pre", "only what can be checked before anything is installed"))
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
    .addOption(
      new Option("-n, --namespace <namespace>", "the same as --leader-election-namespace"),
    );
  return withToolSettings(withCheckOptions(command)).action(async (flags: DoctorFlags) =>
    exit(await examined(terminal, doctor, flags)),
  );
}

/** What the options parse to. */
interface DoctorFlags extends CheckFlags {
  readonly pre?: boolean;
  readonly sourceAccount?: Account;
  readonly destinationAccount?: Account;
  readonly namespace?: string;
  readonly leaderElectionNamespace?: string;
}

async function examined(terminal: Terminal, doctor: Doctor, flags: DoctorFlags): Promise<number> {
  const { env, readFile } = terminal;
  const loaded = loadConfig({ flags: settingsOf(flags), env, readFile });
  const answer = await doctor.examine(loaded, questionOf(terminal, flags, loaded));
  return toldFindings(terminal, answer, flags);
}

/** The flags that are settings, as `loadConfig` takes them. */
function settingsOf({ namespace, ...flags }: DoctorFlags): Flags {
  const own = new Set([...CHECK_FLAGS, "pre"]);
  const settings = Object.entries(flags).filter(
    ([name, value]) => !own.has(name) && (typeof value === "string" || value === true),
  );
  const leaderElectionNamespace = flags.leaderElectionNamespace ?? namespace;
  return toolFlags({ ...Object.fromEntries(settings), leaderElectionNamespace });
}

function questionOf(
  terminal: Terminal,
  { pre = false, ...flags }: DoctorFlags,
  loaded: ConfigResult,
): DoctorQuestion {
  const own = `${leaseNamespace(loaded)}/svc-ferry`;
  return {
    ...checkQuestion(flags),
    pre,
    isInPod: isInPod(terminal),
    sourceAccount: flags.sourceAccount ?? ownAccount(terminal, own),
    destinationAccount: flags.destinationAccount ?? ownAccount(terminal, DESTINATION_ACCOUNT),
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
