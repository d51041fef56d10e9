/** What the commands about certificates need of the settings of `run`, so that both find the same objects. */
import type { Config } from "./config.js";
import { GivenSettings, misspelledVariables } from "./given.js";
import { loadFile, sourceOf, type ConfigInput } from "./load.js";
import type { Problem } from "./problems.js";
import { type Setting } from "./setting.js";
import { SETTINGS } from "./settings.js";

export interface CertsConfig {
  readonly source: Config["source"];
  /** The Lease's, where the Secret is. */
  readonly namespace: string;
  /** Name of both webhook configurations. */
  readonly configuration: string;
  readonly certs: Config["webhook"]["certs"];
}

export type CertsConfigResult =
  | { readonly kind: "ok"; readonly config: CertsConfig; readonly warnings: readonly string[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

/** The settings that are read: the flags of these commands. */
export const CERTS_SETTINGS: readonly Setting<unknown>[] = [
  SETTINGS.kubeconfig,
  SETTINGS.srcContext,
  SETTINGS.inCluster,
  SETTINGS.leaderElectionNamespace,
  SETTINGS.webhookConfiguration,
  SETTINGS.certsMode,
  SETTINGS.certsDir,
];

/** As loadConfig; of the settings that are not read nothing is said, but the file has to be right as a whole. */
export function loadCertsConfig(input: ConfigInput): CertsConfigResult {
  const problems: Problem[] = [];
  const file = loadFile(input, problems);
  const given = new GivenSettings({ flags: input.flags, env: input.env, file });
  const config: CertsConfig = {
    source: sourceOf(given),
    namespace: given.read(SETTINGS.leaderElectionNamespace).value,
    configuration: given.read(SETTINGS.webhookConfiguration).value,
    certs: {
      mode: given.read(SETTINGS.certsMode).value,
      directory: given.read(SETTINGS.certsDir).value,
    },
  };
  const all = [...given.problems, ...problems, ...(file?.problems ?? [])];
  if (all.length > 0) return { kind: "invalid", problems: all };
  return { kind: "ok", config, warnings: misspelledVariables(input.env) };
}
