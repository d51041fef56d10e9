/** Where each setting's value comes from, and its value: flag, environment, file, default, in this order. */
import type { ConfigFile } from "./config-file.js";
import { problem, type Problem } from "./problems.js";
import { settingKey, VARIABLE_PREFIX, variableName, type Setting } from "./setting.js";
import { settingList, SETTINGS } from "./settings.js";
import { suggest } from "./suggest.js";

/** Options as commander gives them: keys in camelCase, `true` for a flag that stands alone. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting's value with the name under which the user finds it again. */
export interface Given<T> {
  readonly value: T;
  /** "--src-ns", "SVC_FERRY_SRC_NS", "ferry.yaml:3 srcNs"; the flag's name for a default. */
  readonly label: string;
  /** What was written; undefined for a default. */
  readonly text: string | undefined;
  /** Written by somebody, not a default. */
  readonly explicit: boolean;
}

interface RawValue {
  readonly label: string;
  readonly text: string;
  /** False for a variable of others ($HOSTNAME). */
  readonly explicit: boolean;
}

export interface GivenSources {
  readonly flags: Flags;
  readonly env: Environment;
  readonly file: ConfigFile | undefined;
  /** What names of variables begin with; without one those of `svc-ferry run`. */
  readonly variablePrefix?: string;
}

/** Reads single settings; an unreadable value becomes a problem, and the default goes on, so that all are found. */
export class GivenSettings {
  /** By setting: one that is read twice is wrong once. */
  readonly #problems = new Map<string, Problem>();

  constructor(private readonly sources: GivenSources) {}

  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  /** Reads every setting of a table, so that the ones that nothing asks for are checked as well. */
  readAll(settings: readonly Setting<unknown>[] = settingList()): void {
    for (const setting of settings) this.read(setting);
  }

  read<T>(setting: Setting<T>): Given<T> {
    const raw = this.#raw(setting);
    if (raw === undefined) {
      return {
        value: setting.fallback,
        label: `--${setting.name}`,
        text: undefined,
        explicit: false,
      };
    }
    const parsed = setting.type.parse(raw.text);
    if (parsed.kind === "ok") return { ...raw, value: parsed.value };
    const { allowed } = setting.type;
    const wrong = problem(raw.label, parsed.reason, { value: raw.text, allowed });
    this.#problems.set(setting.name, wrong);
    return { ...raw, value: setting.fallback };
  }

  /** undefined: nobody names a file, and whoever opens the cluster reads $KUBECONFIG, which may list several. */
  kubeconfigPath(): string | undefined {
    const { value, explicit } = this.read(SETTINGS.kubeconfig);
    return explicit ? value : undefined;
  }

  #raw(setting: Setting<unknown>): RawValue | undefined {
    const inFile = this.sources.file?.settings.get(settingKey(setting.name));
    return (
      this.#flag(setting, setting.name) ??
      this.#flag(setting, setting.olderName ?? "") ??
      this.#variable(variableName(setting.name, this.sources.variablePrefix), true) ??
      (inFile && { ...inFile, explicit: true }) ??
      this.#variable(setting.fallbackVariable ?? "", false)
    );
  }

  #flag({ type }: Setting<unknown>, name: string): RawValue | undefined {
    const flag = this.sources.flags[settingKey(name)];
    if (flag === undefined) return undefined;
    const text = flag === true ? (type.bare ?? "") : String(flag);
    return { label: `--${name}`, text, explicit: true };
  }

  /** An empty variable is one that is not set: charts and shells cannot help leaving them. */
  #variable(label: string, explicit: boolean): RawValue | undefined {
    const text = this.sources.env[label];
    if (text === undefined || text === "" || isServiceLink(text)) return undefined;
    return { label, text, explicit };
  }
}

/**
 * A Service called "svc-ferry-http" makes the kubelet set SVC_FERRY_HTTP_PORT=tcp://10.0.0.1:80 in each pod of its
 * namespace (service links): that is nobody's setting.
 */
function isServiceLink(text: string): boolean {
  return /^(?:tcp|udp|sctp):\/\//.test(text);
}

/** What the variables of `svc-ferry mirror` begin with. */
export const MIRROR_VARIABLE_PREFIX = `${VARIABLE_PREFIX}MIRROR_`;

/** Variables that look like a slip of one of ours. Others are left alone: service links have our prefix too. */
export function misspelledVariables(env: Environment): readonly string[] {
  const known = ["SVC_FERRY_CONFIG", ...settingList().map(({ name }) => variableName(name))];
  const names = Object.keys(env).filter((name) => !name.startsWith(MIRROR_VARIABLE_PREFIX));
  return slips(names, known, env);
}

/** @param settings those of the mirror, all of them: a variable for another of its commands is no slip */
export function misspelledMirrorVariables(
  env: Environment,
  settings: readonly Setting<unknown>[],
): readonly string[] {
  const known = settings.map(({ name }) => variableName(name, MIRROR_VARIABLE_PREFIX));
  const names = Object.keys(env).filter((name) => name.startsWith(MIRROR_VARIABLE_PREFIX));
  return slips(names, known, env);
}

function slips(
  names: readonly string[],
  known: readonly string[],
  env: Environment,
): readonly string[] {
  return names
    .filter((name) => name.startsWith(VARIABLE_PREFIX) && !known.includes(name))
    .filter((name) => !isServiceLink(env[name] ?? "") && !/_SERVICE_(?:HOST|PORT)/.test(name))
    .flatMap((name) => {
      const near = suggest(name, known);
      return near === undefined ? [] : [`${name} is not known; did you mean ${near}?`];
    });
}
