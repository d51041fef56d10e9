import "reflect-metadata";
import process from "node:process";
import { CertsCommands } from "./certs-commands.js";
import { runProgram } from "./cli/program.js";
import { compose } from "./compose.js";
import type { Config } from "./config/config.js";
import { processEnvironment, readTextFile } from "./config/load.js";
import { openSource } from "./open-source.js";
import { termination } from "./runtime/signals.js";
import { inLittleMemory } from "./runtime/small-memory.js";
import { SystemClock } from "./runtime/system-clock.js";
import { logSink } from "./telemetry/log-sink.js";
import { VERSION } from "./version.js";

async function run(config: Config, warnings: readonly string[]): Promise<number> {
  const { execPath, execArgv, argv } = process;
  inLittleMemory({
    execPath,
    execArgv,
    argv: argv.slice(1),
    env: processEnvironment(),
    execve: process.execve?.bind(process),
  });
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
const certs = new CertsCommands({
  open: (source) => openSource(source, terminal.stderr),
  clock: new SystemClock(),
  readFile: readTextFile,
});

process.exitCode = await runProgram(
  { version: VERSION, terminal, commands: { run, certs } },
  process.argv.slice(2),
);
