import { stringify } from "yaml";
import type { RotationSettings } from "../../certs/rotation-settings.js";
import { compose } from "../../src/compose.js";
import { ConfigOrigin } from "../../src/config/config-feed.js";
import { configOrigin, type ConfigResult } from "../../src/config/load.js";
import { problemLine } from "../../src/config/problems.js";
import { Clock } from "../../src/ports/clock.js";
import type { ServiceStatus, StatusReport } from "../../src/ports/status.js";
import { metricSum } from "./metric-sum.js";
import { waitFor } from "./wait-for.js";

export interface FerryRunOptions {
  readonly podName: string;
  /** By the names of the settings table: `{ srcNs: "a", allowMassDelete: true }`. */
  readonly flags: Readonly<Record<string, string | boolean>>;
  /** Content of the `--config` file. */
  readonly file?: Readonly<Record<string, unknown>> | undefined;
  /** How long certificates live; undefined: as in life. */
  readonly rotation?: RotationSettings | undefined;
  /** undefined: the machine's. */
  readonly clock?: Clock | undefined;
}

/** One record of the log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/**
 * A whole `svc-ferry run` within the test's own process: faster than a process of its own, and several of them may run
 * beside each other. What only a process has (signals, exit codes, the bundle) is tested with startFerry.
 */
export class FerryRun {
  readonly #records: LogLine[] = [];
  readonly #stopping = new AbortController();
  #file: string;
  readonly #ended: Promise<number>;

  /** @throws Error with what is wrong with the configuration */
  constructor(private readonly options: FerryRunOptions) {
    const { rotation, clock } = options;
    this.#file = stringify(options.file);
    const origin = originOf(options, () => this.#file);
    const sink = { write: (line: string): void => void this.#records.push(JSON.parse(line)) };
    const { config, warnings } = valid(origin.load());
    const ferry = compose(config, sink, (root) => {
      root.register(ConfigOrigin, { useValue: origin });
      if (clock !== undefined) root.register(Clock, { useValue: clock });
    });
    this.#ended = ferry.run(this.#stopping.signal, warnings, rotation);
  }

  get podName(): string {
    return this.options.podName;
  }

  /** The `--config` file says something else from now on. */
  rewrite(file: string | Readonly<Record<string, unknown>>): void {
    this.#file = typeof file === "string" ? file : stringify(file);
  }

  /** Everything that it logged. */
  get records(): readonly LogLine[] {
    return this.#records;
  }

  /** Lets go of all but the first so many: for tests that measure what the process itself holds. */
  forgetRecordsFrom(index: number): void {
    this.#records.splice(index);
  }

  /** The log's records of this message, or of this code. */
  logged(messageOrCode: string): readonly LogLine[] {
    return this.#records.filter(
      ({ message, code }) => message === messageOrCode || code === messageOrCode,
    );
  }

  async untilLogged(messageOrCode: string, count = 1): Promise<readonly LogLine[]> {
    return waitFor(() => this.logged(messageOrCode).length >= count && this.logged(messageOrCode), {
      what: `${count} × "${messageOrCode}" in the log`,
    });
  }

  /** Of the admin port, without a path. */
  async url(): Promise<string> {
    const [listening] = await this.untilLogged("admin server listening");
    return `http://127.0.0.1:${String(listening?.["port"])}`;
  }

  /** Any path of the admin port. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch((await this.url()) + path);
    return { status: response.status, text: await response.text() };
  }

  async status(): Promise<StatusReport> {
    return JSON.parse((await this.get("/status")).text) as StatusReport;
  }

  /** Sum of a metric's samples whose labels include these; undefined when there is none. */
  async metric(
    name: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<number | undefined> {
    return metricSum((await this.get("/metrics")).text, name, labels);
  }

  /** Resolves when it leads, knows its clusters and every queue is empty. */
  async untilIdle(): Promise<StatusReport> {
    return waitFor(
      async () => {
        const report = await this.status();
        const { observed, destinations } = report;
        const idle = destinations.every(
          ({ heartbeat, queued }) => heartbeat === "held" && queued === 0,
        );
        return observed && idle && report;
      },
      { what: `${this.podName} to lead and be idle`, everyMs: 10 },
    );
  }

  /** Waits for a state in `/status` of one source Service, "namespace/name". */
  async untilState(
    service: string,
    state: ServiceStatus["state"],
    reason?: string,
  ): Promise<ServiceStatus> {
    return waitFor(
      async () => {
        const { services } = await this.status();
        return services.find(
          (one) =>
            one.service === service &&
            one.state === state &&
            (reason === undefined || one.reason === reason),
        );
      },
      { what: `${service} to be ${state} ${reason ?? ""}` },
    );
  }

  /** As SIGTERM does; resolves with the exit code. */
  async stop(): Promise<number> {
    this.#stopping.abort();
    return this.#ended;
  }
}

/** What a run with these options reads. @throws Error with what is wrong with it */
export function configurationOf(options: Configured): ValidConfig {
  return valid(originOf(options, () => stringify(options.file)).load());
}

type Configured = Pick<FerryRunOptions, "podName" | "flags" | "file">;
type ValidConfig = Extract<ConfigResult, { kind: "ok" }>;

function originOf({ podName, flags, file }: Configured, readFile: () => string): ConfigOrigin {
  const common = { podName, httpPort: "0", bindAddress: "127.0.0.1", logFormat: "json" };
  return configOrigin({
    flags: { ...common, ...(file === undefined ? {} : { config: "ferry.yaml" }), ...flags },
    env: {},
    readFile,
  });
}

function valid(result: ConfigResult): ValidConfig {
  if (result.kind === "invalid") throw new Error(result.problems.map(problemLine).join("\n"));
  return result;
}
