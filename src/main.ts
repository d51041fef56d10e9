import "reflect-metadata";
import { basename } from "node:path";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import type { DependencyContainer } from "tsyringe";
import type { Mirror } from "./cli/mirror-command.js";
import { whyNodeIsTooOld } from "./cli/node-version.js";
import { runProgram } from "./cli/program.js";
import type { RunOrder } from "./cli/run.js";
import { EXIT_CANNOT } from "./cli/terminal.js";
import { commandsOf } from "./commands.js";
import { compose } from "./compose.js";
import { ConfigOrigin } from "./config/config-feed.js";
import { processEnvironment, readTextFile } from "./config/load.js";
import { termination } from "./runtime/signals.js";
import { inLittleMemory } from "./runtime/small-memory.js";
import { SystemClock } from "./runtime/system-clock.js";
import { logSink, type LogSink } from "./telemetry/log-sink.js";
import { VERSION } from "./version.js";

/** Until it is told to stop; then the process ends at once. */
async function untilTold(
  act: (signal: AbortSignal, sink: LogSink) => Promise<number>,
): Promise<number> {
  const sink = logSink(new SystemClock());
  const { signal, release } = termination(process, (code) => {
    sink.flushNow();
    process.exit(code);
  });
  const exitCode = await act(signal, sink);
  release();
  await sink.flush();
  // Not left to the event loop: a connection that is being opened to a silent server would hold it for seconds.
  process.exit(exitCode);
}

async function run({ config, warnings, origin }: RunOrder): Promise<number> {
  const { execPath, execArgv, argv } = process;
  inLittleMemory({
    execPath,
    execArgv,
    argv: argv.slice(1),
    env: processEnvironment(),
    execve: process.execve?.bind(process),
    setFlag: setFlagsFromString,
  });
  const fromFile = (root: DependencyContainer): void => {
    root.register(ConfigOrigin, { useValue: origin });
  };
  return untilTold((signal, sink) => compose(config, sink, fromFile).run(signal, warnings));
}

/** Loaded when it is asked for: the mirror is half of the code, and `svc-ferry run` needs none of it. */
async function mirror(): Promise<Mirror> {
  const { mirrorCommands, runMirror } = await import("../sidecar/main.js");
  const progress = process.stderr.isTTY ? terminal.stderr : undefined;
  return mirrorCommands({
    version: VERSION,
    stderr: terminal.stderr,
    run: (config, warnings) =>
      untilTold((signal, sink) =>
        runMirror({ config, warnings, version: VERSION, signal, sink, terminal: progress }),
      ),
  });
}

const terminal = {
  env: processEnvironment(),
  readFile: readTextFile,
  stdout: (text: string) => process.stdout.write(text),
  stderr: (text: string) => process.stderr.write(text),
  isColourful: process.stdout.isTTY,
};

/** kubectl finds its plugins by the file's name; npm's links keep it. */
const isPlugin = basename(process.argv[1] ?? "").startsWith("kubectl-ferry");

const tooOld = whyNodeIsTooOld(process.versions.node);
if (tooOld !== undefined) terminal.stderr(tooOld);
process.exitCode =
  tooOld === undefined
    ? await runProgram(
        { version: VERSION, isPlugin, terminal, commands: commandsOf(terminal, run, mirror) },
        process.argv.slice(2),
      )
    : EXIT_CANNOT;
