import { inject, injectable, type InjectionToken } from "tsyringe";
import { Clock } from "../ports/clock.js";
import { Log } from "../ports/log.js";
import { Metrics } from "../ports/metrics.js";
import { Config } from "./config.js";
import type { ConfigResult } from "./load.js";
import { problemLine } from "./problems.js";

/** Where a configuration came from, to be looked at again. */
export interface ConfigOrigin {
  /** Of the file; undefined: none is named, and nothing ever changes. */
  readonly path: string | undefined;
  /** Its text. @throws when it cannot be read */
  read(): string;
  /** Flags, environment and the file as it is now. */
  load(): ConfigResult;
}
export const ConfigOrigin: InjectionToken<ConfigOrigin> = Symbol("ConfigOrigin");

/** A configuration that nobody changes: it came by flags and variables alone. */
export const NO_FILE: ConfigOrigin = {
  path: undefined,
  read: () => "",
  load: () => ({ kind: "invalid", problems: [] }),
};

/** Between two looks at the file. The kubelet itself takes a minute to bring a changed ConfigMap. */
const LOOK_MS = 2_000;

/** Why what the file says is not in force. */
type Pending = "invalid" | "restart";

/**
 * The configuration file of a running process. What changes nothing but routes comes into force without a restart; what
 * is wrong does not, and neither does what changes anything else: the file is taken as a whole or not at all, and
 * `svc_ferry_config_pending` and the log say why.
 *
 * Looked at, not watched: a mounted ConfigMap changes by a symbolic link that is exchanged, of which inotify does not tell
 * reliably.
 */
@injectable()
export class ConfigFeed {
  #text: string | undefined;
  /** The newest that was handed over. */
  #taken: Config;
  /** What was complained of last, so that it is said once. */
  #told = "";

  constructor(
    /** What the process was started with. */
    @inject(Config) readonly initial: Config,
    @inject(ConfigOrigin) private readonly origin: ConfigOrigin,
    @inject(Clock) private readonly clock: Clock,
    @inject(Log) private readonly log: Log,
    @inject(Metrics) private readonly metrics: Metrics,
  ) {
    this.#taken = initial;
  }

  /** Until `signal` aborts; each new configuration is handed over once. */
  async follow(onChange: (config: Config) => void, signal: AbortSignal): Promise<void> {
    if (this.origin.path === undefined) return;
    this.#tell(undefined, []);
    while (!signal.aborted) {
      const config = this.#look();
      if (config !== undefined) onChange(config);
      await this.clock.sleep(LOOK_MS, signal);
    }
  }

  /** undefined: nothing that could be taken. The first look compares with what the process was started with. */
  #look(): Config | undefined {
    let text: string;
    try {
      text = this.origin.read();
    } catch (error) {
      this.#tell("invalid", [`cannot be read: ${messageOf(error)}`]);
      return undefined;
    }
    if (text === this.#text) return undefined;
    this.#text = text;
    const result = this.origin.load();
    if (result.kind === "invalid") {
      this.#tell("invalid", result.problems.map(problemLine));
      return undefined;
    }
    const { config, warnings } = result;
    const fixed = fixedChanges(this.#taken, config);
    if (fixed.length > 0) {
      this.#tell("restart", fixed);
      return undefined;
    }
    this.#tell(undefined, []);
    if (isSame(config.routes, this.#taken.routes)) return undefined;
    this.#taken = config;
    for (const text of warnings) this.log.warn({ text }, "configuration warning");
    return config;
  }

  #tell(pending: Pending | undefined, details: readonly string[]): void {
    for (const reason of ["invalid", "restart"] as const) {
      this.metrics.set("svc_ferry_config_pending", { reason }, reason === pending ? 1 : 0);
    }
    const told = `${pending ?? ""} ${details.join("\n")}`;
    if (told === this.#told) return;
    this.#told = told;
    const { path } = this.origin;
    switch (pending) {
      case undefined:
        return;
      case "invalid":
        return this.log.error(
          { path, problems: details },
          "changed configuration is wrong, the one before stays in force",
        );
      case "restart":
        return this.log.warn(
          { path, changed: details },
          "changed configuration needs a restart, as it changes more than routes",
        );
    }
  }
}

/** What no running process can change, of what differs. */
function fixedChanges(before: Config, after: Config): readonly string[] {
  const keys = Object.keys(after) as readonly (keyof Config)[];
  return keys.filter((key) => key !== "routes" && !isSame(before[key], after[key]));
}

/** Configurations are plain data, made by the same code in the same order. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
