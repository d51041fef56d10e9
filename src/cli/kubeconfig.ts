/**
 * `svc-ferry kubeconfig`: a kubeconfig for a destination from its ServiceAccount, for whoever may make tokens there. It goes to
 * standard output and nowhere else. Exit: 0 made, 2 could not.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/config.js";
import { parseDuration } from "../config/duration.js";
import { isDnsLabel } from "../config/names.js";
import type { Cannot } from "../ports/certificates-answers.js";
import type { CredentialQuestion, MadeCredential } from "../ports/made-credential.js";
import { printable } from "../ports/printable.js";
import { problemText } from "./certs-text.js";
import { failureText, ONE_DESTINATION } from "./failure-text.js";
import { kubeconfigText, secretText } from "./kubeconfig-text.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

/** @throws RetryableError, TerminalError when the destination could not be asked */
export interface MakeKubeconfig {
  make(
    destination: Config["source"],
    question: CredentialQuestion,
  ): Promise<MadeCredential | Cannot>;
}

/** The least that API servers give. Source: kubernetes pkg/apis/authentication/validation, MinTokenAgeSec. */
const MIN_DURATION_MS = 600_000;
/** Seven days. Renewed at half of it: a destination that is out of reach from Friday to Monday costs no new token. */
const DURATION = { ms: 168 * 3_600_000, text: "168h" };
const RIGHTS = "create on serviceaccounts/token of that ServiceAccount (with --secret: get on it)";

interface KubeconfigFlags {
  readonly kubeconfig?: string;
  readonly context: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly server?: string;
  readonly name: string;
  readonly duration: number;
  readonly secret?: string;
  readonly output: "kubeconfig" | "secret";
  readonly secretName: string;
  readonly secretNamespace: string;
}

export function kubeconfigCommand(
  terminal: Terminal,
  kubeconfig: MakeKubeconfig,
  exit: (code: number) => void,
): Command {
  const option = (flags: string, help: string, fallback?: string): Option =>
    new Option(flags, help).default(fallback);
  return new Command("kubeconfig")
    .description("print a kubeconfig for a destination, from its ServiceAccount")
    .addOption(option("--kubeconfig <path>", "kubeconfig of whoever may make tokens there"))
    .addOption(
      option("--context <context>", "context of the destination").default("", "the current one"),
    )
    .addOption(
      option("-n, --namespace <namespace>", "of the ServiceAccount", "svc-ferry").argParser(name),
    )
    .addOption(option("--service-account <name>", "whose token", "svc-ferry").argParser(name))
    .addOption(
      option(
        "--server <url>",
        "address for svc-ferry, where it is another one than yours",
      ).argParser(address),
    )
    .addOption(option("--name <name>", "of the context that is made", "destination"))
    .addOption(
      new Option("--duration <duration>", "how long the token is to last; the server may give less")
        .default(DURATION.ms, DURATION.text)
        .argParser(duration),
    )
    .addOption(
      option(
        "--secret <name>",
        "take the token of this Secret instead, which never ends",
      ).argParser(name),
    )
    .addOption(
      option(
        "-o, --output <format>",
        "the file, or a Secret for the source that holds it",
        "kubeconfig",
      ).choices(["kubeconfig", "secret"]),
    )
    .addOption(option("--secret-name <name>", "of that Secret", "svc-ferry-destination"))
    .addOption(option("--secret-namespace <namespace>", "of that Secret", "k8s-sync"))
    .action(async (flags: KubeconfigFlags) => exit(await made(terminal, kubeconfig, flags)));
}

async function made(
  { env, stdout, stderr }: Terminal,
  kubeconfig: MakeKubeconfig,
  flags: KubeconfigFlags,
): Promise<number> {
  const { context, namespace, serviceAccount, server, secret } = flags;
  const path = flags.kubeconfig ?? (env["SVC_FERRY_KUBECONFIG"] || undefined);
  const destination = {
    name: context || "destination",
    access: { kind: "kubeconfig", path, context },
  } as const;
  const token =
    secret === undefined
      ? ({ kind: "bound", durationMs: flags.duration } as const)
      : ({ kind: "lasting", secret } as const);
  try {
    const question = { namespace, name: serviceAccount, server, token };
    const answer = await kubeconfig.make(destination, question);
    if (answer.kind === "cannot") {
      stderr(problemText(answer, "error"));
      return EXIT_CANNOT;
    }
    for (const warning of answer.warnings) stderr(`note: ${printable(warning, 1_000)}\n`);
    const text = kubeconfigText(flags.name, answer);
    const { secretName, secretNamespace } = flags;
    const ref = { namespace: secretNamespace, name: secretName };
    stdout(flags.output === "secret" ? secretText(ref, text) : text);
    return EXIT_OK;
  } catch (error) {
    const text = failureText(error, RIGHTS, ONE_DESTINATION);
    if (text === undefined) throw error;
    stderr(text);
    return EXIT_CANNOT;
  }
}

function name(text: string): string {
  if (!isDnsLabel(text)) throw new InvalidArgumentError("is no name of an object");
  return text;
}

function address(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === "https:") return text;
  throw new InvalidArgumentError("is no https address");
}

function duration(text: string): number {
  const parsed = parseDuration(text);
  if (parsed.kind === "invalid") throw new InvalidArgumentError(`${parsed.reason}, such as 24h`);
  if (parsed.value < MIN_DURATION_MS)
    throw new InvalidArgumentError("is less than API servers give: 10m");
  return parsed.value;
}
