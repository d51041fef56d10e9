/** What `svc-ferry mirror` is made of: a bundle of its own, loaded when it is asked for. */
import "reflect-metadata";
import type { MirrorConfig } from "../src/config/mirror-config.js";
import { SystemClock } from "../src/runtime/system-clock.js";
import { SystemRandom } from "../src/runtime/system-random.js";
import type { LogSink } from "../src/telemetry/log-sink.js";
import { Logger } from "../src/telemetry/logger.js";
import { compose, inspectDestinationApi } from "./compose.js";
import { MirrorCommands } from "./mirror-commands.js";
import { ERASE } from "./status/progress.js";
import { SystemParts } from "./system-parts.js";

export interface MirrorRun {
  readonly config: MirrorConfig;
  readonly warnings: readonly string[];
  readonly version: string;
  readonly signal: AbortSignal;
  readonly sink: LogSink;
  /** Standard error, when it is a terminal. */
  readonly terminal: ((text: string) => unknown) | undefined;
}

/** `svc-ferry mirror run`: until `signal` aborts. Resolves with the exit code. */
export function runMirror(run: MirrorRun): Promise<number> {
  const { config, warnings, version, signal, sink } = run;
  // A line of progress in a log that is read by programs would be noise.
  const terminal = config.log.format === "human" ? run.terminal : undefined;
  const write = (line: string): unknown => {
    terminal?.(ERASE);
    return sink.write(line);
  };
  return compose(config, version, { write: (line) => void write(line) }).run(signal, {
    version,
    warnings,
    terminal,
  });
}

export interface CommandsOptions {
  readonly version: string;
  readonly stderr: (text: string) => unknown;
  readonly run: (config: MirrorConfig, warnings: readonly string[]) => Promise<number>;
}

/** The commands beside a running mirror: what is wrong goes to standard error, and the rest of the log nowhere. */
export function mirrorCommands({ version, stderr, run }: CommandsOptions): MirrorCommands {
  const clock = new SystemClock();
  const to = (write: (line: string) => unknown): Logger =>
    new Logger({
      format: "human",
      level: "warn",
      podName: "mirror",
      clock,
      sink: { write: (line) => void write(line) },
    });
  // A rehearsal says that it repairs and holds back what it does not even touch.
  const silent = to(() => undefined);
  const random = new SystemRandom();
  return new MirrorCommands({
    clock,
    log: to(stderr),
    parts: (config) =>
      new SystemParts({
        clock,
        random,
        log: silent,
        config: "source" in config ? config : undefined,
      }),
    version,
    run,
    inspect: (access) => inspectDestinationApi(access, version, { clock, random, log: to(stderr) }),
  });
}
