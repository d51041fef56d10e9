import "reflect-metadata";
import { basename } from "node:path";
import process from "node:process";
import { runProgram } from "./cli/program.js";
import { commandsOf } from "./commands.js";
import { compose } from "./compose.js";
import type { Config } from "./config/config.js";
import { processEnvironment, readTextFile } from "./config/load.js";
import { termination } from "./runtime/signals.js";
import { keepHeapSmall } from "./runtime/small-heap.js";
import { SystemClock } from "./runtime/system-clock.js";
import { logSink } from "./telemetry/log-sink.js";
import { VERSION } from "./version.js";

async function run(config: Config, warnings: readonly string[]): Promise<number> {
  keepHeapSmall();
  const sink = logSink(new SystemClock());
  const { signal, release } = termination(process, (code) => {
    sink.flushNow();
    process.exit(code);
  });
  const exitCode = await compose(config, sink).run(signal, warnings);
  release();
  await sink.flush();
  // Not left to the event loop: a connection that is being opened to a silent server would hold it for seconds.
  process.exit(exitCode);
}

const terminal = {
  env: processEnvironment(),
  readFile: readTextFile,
  stdout: (text: string) => process.stdout.write(text),
  stderr: (text: string) => process.stderr.write(text),
};

/** kubectl finds its plugins by the file's name; npm's links keep it. */
const isPlugin = basename(process.argv[1] ?? "").startsWith("kubectl-ferry");

process.exitCode = await runProgram(
  { version: VERSION, isPlugin, terminal, commands: commandsOf(terminal, run) },
  process.argv.slice(2),
);
