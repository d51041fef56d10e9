/** The command line: which commands there are, and what every one of them does with a mistake. */
import { Command, CommanderError } from "commander";
import { suggest } from "../config/suggest.js";
import { printable } from "../ports/printable.js";
import { withTwoDashes } from "./arguments.js";
import { certsCommand, type Certs } from "./certs.js";
import { doctorCommand, type Doctor } from "./doctor.js";
import { explainCommand, type Explain } from "./explain.js";
import { kubeconfigCommand, type MakeKubeconfig } from "./kubeconfig.js";
import { leaveCommand, type Leave } from "./leave.js";
import { mirrorCommand, mirrorEntry } from "./mirror.js";
import type { Mirror } from "./mirror-command.js";
import { runCommand, type Run } from "./run.js";
import { askOverHttp, type Ask } from "./read-status.js";
import { statusCommand } from "./status.js";
import { EXIT_CANNOT, EXIT_OK, type Terminal } from "./terminal.js";

export interface Program {
  readonly version: string;
  /** As kubectl's plugin: usage says `kubectl ferry`, and nothing runs without being named. */
  readonly isPlugin?: boolean;
  readonly terminal: Terminal;
  /** What the commands do; `main` gives the real ones. */
  readonly commands: {
    readonly run: Run;
    readonly certs: Certs;
    readonly explain: Explain;
    readonly doctor: Doctor;
    readonly kubeconfig: MakeKubeconfig;
    readonly leave: Leave;
    /** Loads the mirror's code. */
    readonly mirror: () => Promise<Mirror>;
  };
  /** How `status` asks; default: HTTP. */
  readonly ask?: Ask;
}

/**
 * Parses and runs one command line; resolves with the exit code. Without a command it is `run`, so that k8s-svc-sync's
 * arguments work as they are.
 *
 * @param args without node and script
 */
export async function runProgram(program: Program, args: readonly string[]): Promise<number> {
  const { terminal, commands, ask = askOverHttp, isPlugin = false } = program;
  let exitCode = EXIT_OK;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const run = runCommand(terminal, commands.run, exit);
  const status = statusCommand(terminal, ask, exit);
  const name = isPlugin ? "kubectl ferry" : "svc-ferry";
  const root = new Command(name)
    .description("Labelled Services of one Kubernetes cluster, live in another.")
    .addHelpText("after", `\n${beginning(name)}`)
    .addCommand(run, { isDefault: !isPlugin })
    .addCommand(status)
    .addCommand(explainCommand({ terminal, explain: commands.explain, ask }, exit))
    .addCommand(doctorCommand(terminal, commands.doctor, exit))
    .addCommand(kubeconfigCommand(terminal, commands.kubeconfig, exit))
    .addCommand(leaveCommand(terminal, commands.leave, exit))
    .addCommand(
      args.slice(0, 2).includes("mirror")
        ? mirrorCommand({ terminal, open: commands.mirror, exit }, ask)
        : mirrorEntry(),
    )
    .addCommand(certsCommand(terminal, commands.certs, exit));
  const all = withSubcommands(root);
  for (const command of all) prepare(command, program);
  const mistake = unknownCommand(args, root);
  if (mistake !== undefined) {
    terminal.stderr(`${mistake}\n`);
    return EXIT_CANNOT;
  }
  const names = new Set(all.flatMap(longNames));
  try {
    await root.parseAsync([...withTwoDashes(args, names)], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT_OK;
    // A group of commands without one of them: its help is printed already.
    if (error.code === "commander.help") return EXIT_CANNOT;
    const words = all.filter(({ parent }) => parent !== root).map((command) => command.name());
    terminal.stderr(`${printable(error.message, 1_000)}${hint(error, names, words)}\n`);
    return EXIT_CANNOT;
  }
  return exitCode;
}

/** For whoever sees it for the first time. */
function beginning(name: string): string {
  return [
    "Begin:",
    `  ${name} doctor --pre          is anything in the way of an installation?`,
    `  ${name} explain NS/NAME       why is this Service not in the other cluster?`,
    `  ${name} COMMAND --help        every flag, its default and its environment variable`,
    "Documents: README.md and docs/ of the package or the repository.",
  ].join("\n");
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

/** Every command: the version, no process.exit, our streams, our wording of mistakes. */
function prepare(command: Command, { version, terminal }: Program): void {
  command
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: terminal.stdout,
      writeErr: terminal.stderr,
      // Printed by runProgram, in one line with our suggestion.
      outputError: () => {},
    });
}

function longNames(command: Command): readonly string[] {
  const declared = command.options.flatMap(({ long }) => long?.slice(2) ?? []);
  return [...declared, "help"];
}

/** A word that is no command would be taken for an argument of the default one, where there is one. */
function unknownCommand([first, ...rest]: readonly string[], group: Command): string | undefined {
  if (first === undefined || first.startsWith("-") || first === "help") return undefined;
  const found = group.commands.find((command) => command.name() === first);
  if (found?.name() === "mirror") return unknownCommand(rest, found);
  if (found !== undefined) return undefined;
  const known = [...group.commands.map((command) => command.name()), "help"];
  const near = suggest(first, known);
  const hints = near === undefined ? `; there are ${known.join(", ")}` : `; did you mean ${near}?`;
  return printable(`error: unknown command '${first}'${hints}`, 1_000);
}

/** @param words the commands below a group; a first word that is none is found before */
function hint(
  { code, message }: CommanderError,
  names: ReadonlySet<string>,
  words: readonly string[],
): string {
  const [, name = ""] = /'-{0,2}([^'=]*)/.exec(message) ?? [];
  if (code === "commander.unknownCommand") return meant(name, words, "");
  return code === "commander.unknownOption" ? meant(name, names, "--") : "";
}

function meant(name: string, known: Iterable<string>, dashes: string): string {
  const near = suggest(name, known);
  // Known, but to another command: to suggest it would be mockery.
  return near === undefined || near === name ? "; see --help" : `; did you mean ${dashes}${near}?`;
}
