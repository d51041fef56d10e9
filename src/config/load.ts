/** From flags, environment and file to one checked Config, or to everything that is wrong with them. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { configWarnings, leaseProblems, routeProblems } from "./checks.js";
import { parseConfigFile, type ConfigFile } from "./config-file.js";
import type { ClusterAccess } from "../ports/clusters.js";
import type { Config } from "./config.js";
import type { ConfigOrigin } from "./config-feed.js";
import { deepFrozen } from "./deep-frozen.js";
import { destinations } from "./destinations.js";
import { GivenSettings, misspelledVariables, type Environment, type Flags } from "./given.js";
import { problem, type Problem } from "./problems.js";
import { routes } from "./routes.js";
import { variableName } from "./setting.js";
import { SETTINGS } from "./settings.js";

export interface ConfigInput {
  /** commander's options; the path of the file is under `config`. */
  readonly flags: Flags;
  readonly env: Environment;
  /** @throws when the file cannot be read */
  readonly readFile: (path: string) => string;
}

export type ConfigResult =
  | { readonly kind: "ok"; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** Every problem is reported at once; a Config comes out only when there is none. */
export function loadConfig(input: ConfigInput): ConfigResult {
  const problems: Problem[] = [];
  const file = loadFile(input, problems);
  const given = new GivenSettings({ flags: input.flags, env: input.env, file });
  given.readAll();
  problems.push(...(file?.problems ?? []));

  const config = assemble(given, file, problems);

  const all = [...given.problems, ...problems];
  if (all.length > 0) return { kind: "invalid", problems: all };
  const warnings = [...configWarnings(config), ...misspelledVariables(input.env)];
  return { kind: "ok", config: deepFrozen(config), warnings };
}

/** The same input, to be loaded and looked at again and again. */
export function configOrigin(input: ConfigInput): ConfigOrigin {
  const path = configPath(input)?.path;
  return {
    path,
    read: () => (path === undefined ? "" : input.readFile(path)),
    load: () => loadConfig(input),
  };
}

/** The process's own environment; HOSTNAME, which shells keep to themselves, is completed. */
export function processEnvironment(): Environment {
  return { HOSTNAME: hostname(), ...process.env };
}

/** @throws when the file cannot be read */
export function readTextFile(path: string): string {
  return readFileSync(path, "utf8");
}

/** undefined: none is named, or it cannot be read, which is a problem. */
export function loadFile(input: ConfigInput, problems: Problem[]): ConfigFile | undefined {
  const named = configPath(input);
  if (named === undefined) return undefined;
  const { path, label } = named;
  try {
    return parseConfigFile(path, input.readFile(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push(problem(label, `cannot be read: ${why}`, { value: path }));
    return undefined;
  }
}

/** undefined: no file is named. */
function configPath({
  flags,
  env,
}: ConfigInput): { readonly path: string; readonly label: string } | undefined {
  const variable = variableName("config");
  const flag = flags["config"];
  const path = flag === undefined ? env[variable] : String(flag);
  if (path === undefined || path === "") return undefined;
  return { path, label: flag === undefined ? variable : "--config" };
}

/** The Config as far as it can be told; worth nothing when there are problems. */
function assemble(given: GivenSettings, file: ConfigFile | undefined, problems: Problem[]): Config {
  const podName = given.read(SETTINGS.podName);
  if (podName.value === undefined) {
    problems.push(problem(podName.label, "is required when HOSTNAME is not set"));
  }
  problems.push(...leaseProblems(given));
  const source = sourceOf(given);
  const listed = destinations(given, file, problems);
  const labelled = routes(file, {
    given,
    problems,
    destinations: listed,
    destinationsComplete: listed.length === (file?.destinationCount ?? listed.length),
  });
  for (const route of labelled) {
    const destination = listed.find(({ name }) => name === route.route.destination);
    problems.push(...routeProblems(route, source.access, destination));
  }
  return {
    podName: podName.value ?? "",
    source,
    destinations: listed,
    routes: labelled.map(({ route }) => route),
    ...plainSettings(given),
  };
}

/** How the source is reached, and what it is called. */
export function sourceOf(given: GivenSettings): Config["source"] {
  const context = given.read(SETTINGS.srcContext);
  if (given.read(SETTINGS.inCluster).value) {
    const name = context.explicit ? context.value : "in-cluster";
    return { name, access: { kind: "in-cluster" } };
  }
  const path = given.kubeconfigPath();
  const access: ClusterAccess = { kind: "kubeconfig", path, context: context.value };
  return { name: context.value, access };
}

function plainSettings(
  given: GivenSettings,
): Omit<Config, "podName" | "source" | "destinations" | "routes"> {
  return {
    lease: {
      namespace: given.read(SETTINGS.leaderElectionNamespace).value,
      name: given.read(SETTINGS.leaderElectionName).value,
      durationMs: given.read(SETTINGS.leaseDuration).value,
      renewDeadlineMs: given.read(SETTINGS.renewDeadline).value,
      retryPeriodMs: given.read(SETTINGS.retryPeriod).value,
    },
    kubeconfigSecret: given.read(SETTINGS.kubeconfigSecret).value,
    link: given.read(SETTINGS.link).value,
    endpoints: given.read(SETTINGS.endpoints).value,
    adopt: given.read(SETTINGS.adopt).value,
    allowMassDelete: given.read(SETTINGS.allowMassDelete).value,
    sweepIntervalMs: given.read(SETTINGS.sweepInterval).value,
    staleRouteGraceMs: given.read(SETTINGS.staleRouteGrace).value,
    http: {
      bindAddress: given.read(SETTINGS.bindAddress).value,
      port: given.read(SETTINGS.httpPort).value,
      page: given.read(SETTINGS.page).value,
    },
    webhook: {
      on: given.read(SETTINGS.webhook).value,
      port: given.read(SETTINGS.webhookPort).value,
      configuration: given.read(SETTINGS.webhookConfiguration).value,
      handOff: {
        port: given.read(SETTINGS.handOffPort).value,
        address: given.read(SETTINGS.handOffAddress).value,
      },
      certs: {
        mode: given.read(SETTINGS.certsMode).value,
        directory: given.read(SETTINGS.certsDir).value,
      },
      changedBy: given.read(SETTINGS.changedBy).value,
    },
    log: {
      format: given.read(SETTINGS.logFormat).value,
      level: given.read(SETTINGS.logLevel).value,
    },
    maxConnections: given.read(SETTINGS.maxConnections).value,
  };
}
