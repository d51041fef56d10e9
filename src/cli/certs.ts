/** `svc-ferry certs print|status|rotate`: the webhook's certificates, for people. */
import { Argument, Command, Option } from "commander";
import { CERTS_SETTINGS, loadCertsConfig, type CertsConfig } from "../config/certs-config.js";
import type { Flags } from "../config/given.js";
import { problemLine } from "../config/problems.js";
import type { Bundle, Cannot, RotateAnswer } from "../ports/certificates-answers.js";
import { ROTATIONS, type CertificatesReport, type Rotation } from "../ports/certificates-report.js";
import { printable } from "../ports/printable.js";
import { certificatesText, problemText, rotateText } from "./certs-text.js";
import { failureText } from "./failure-text.js";
import { settingOptions } from "./setting-options.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

/**
 * What the commands ask for. Each opens the source and closes it again.
 * @throws RetryableError, TerminalError when the source could not be asked
 */
export interface Certs {
  print(config: CertsConfig): Promise<Bundle | Cannot>;
  report(config: CertsConfig): Promise<CertificatesReport | Cannot>;
  rotate(config: CertsConfig, rotation: Rotation): Promise<RotateAnswer>;
}

const EXIT_NOT_WELL = 1;

const READ_SECRET = "get on the Secret svc-ferry-webhook-tls in --leader-election-namespace";
const RIGHTS = {
  print: READ_SECRET,
  status: `${READ_SECRET}, and on both webhook configurations`,
  rotate: `${READ_SECRET}, and patch`,
} as const;

export function certsCommand(
  terminal: Terminal,
  certs: Certs,
  exit: (code: number) => void,
): Command {
  const run =
    (rights: string, act: (config: CertsConfig) => Promise<number>) =>
    async (flags: Flags): Promise<void> =>
      exit(await guarded(terminal, flags, rights, act));
  const print = withSettings(
    new Command("print").description("print the CA bundle that API servers have to trust, PEM"),
  ).action(run(RIGHTS.print, async (config) => printed(terminal, await certs.print(config))));
  const status = withSettings(
    new Command("status")
      .description(
        "show CAs, certificates and who trusts them (exit 0: all is well, 1: something is not, 2: could not ask)",
      )
      .addOption(new Option("-o, --output <format>", "another format").choices(["json"])),
  ).action(async (flags: Flags) =>
    run(RIGHTS.status, async (config) => {
      return reported(terminal, await certs.report(config), flags["output"] === "json");
    })(flags),
  );
  const rotate = withSettings(
    new Command("rotate")
      .description("have the leader replace the leaf certificates, the CA or the key of stamps now")
      .addArgument(new Argument("[what]", "what to replace").choices(ROTATIONS).default("leaf")),
  ).action(async (rotation: Rotation, flags: Flags) =>
    run(RIGHTS.rotate, async (config) => rotated(terminal, await certs.rotate(config, rotation)))(
      flags,
    ),
  );
  return new Command("certs")
    .description("print, inspect or rotate the webhook's certificates")
    .addCommand(print)
    .addCommand(status)
    .addCommand(rotate);
}

function withSettings(command: Command): Command {
  for (const option of settingOptions(CERTS_SETTINGS)) command.addOption(option);
  return command;
}

/** Settings before, errors of the cluster after. */
async function guarded(
  { env, readFile, stderr }: Terminal,
  flags: Flags,
  rights: string,
  act: (config: CertsConfig) => Promise<number>,
): Promise<number> {
  const result = loadCertsConfig({ flags, env, readFile });
  if (result.kind === "invalid") {
    for (const problem of result.problems) stderr(`error: ${problemLine(problem)}\n`);
    return EXIT_CANNOT;
  }
  for (const warning of result.warnings) stderr(`warning: ${printable(warning, 1_000)}\n`);
  try {
    return await act(result.config);
  } catch (error) {
    const text = failureText(error, rights);
    if (text === undefined) throw error;
    stderr(text);
    return EXIT_CANNOT;
  }
}

function cannot({ stderr }: Terminal, answer: Cannot): number {
  stderr(problemText(answer, "error"));
  return EXIT_CANNOT;
}

function printed(terminal: Terminal, answer: Bundle | Cannot): number {
  if (answer.kind === "cannot") return cannot(terminal, answer);
  terminal.stdout(answer.pem);
  return EXIT_OK;
}

function reported(
  terminal: Terminal,
  answer: CertificatesReport | Cannot,
  isJson: boolean,
): number {
  if (answer.kind === "cannot") return cannot(terminal, answer);
  terminal.stdout(isJson ? `${JSON.stringify(answer, undefined, 2)}\n` : certificatesText(answer));
  return answer.problems.length === 0 ? EXIT_OK : EXIT_NOT_WELL;
}

function rotated(terminal: Terminal, answer: RotateAnswer): number {
  if (answer.kind === "cannot") return cannot(terminal, answer);
  terminal.stdout(rotateText(answer));
  return EXIT_OK;
}
