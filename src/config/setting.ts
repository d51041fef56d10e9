/** One setting of a table, and the names under which a user finds it. */
import type { ValueType } from "./value-types.js";

export interface Setting<T> {
  /** Kebab case: the flag without its dashes. */
  readonly name: string;
  readonly type: ValueType<T>;
  readonly help: string;
  /** The default as a user would write it; undefined: none. */
  readonly fallbackText: string | undefined;
  /** The default, parsed. */
  readonly fallback: T;
  /** A variable of others that gives the default, as the ancestor had it. */
  readonly fallbackVariable?: string;
  /** A flag of the same meaning that an ancestor had; taken, but not shown in the help. */
  readonly olderName?: string;
}

/** What a setting means when nobody gives it is said in its help. */
export function optional<T>(
  name: string,
  type: ValueType<T>,
  help: string,
  fallbackVariable?: string,
): Setting<T | undefined> {
  const setting = { name, type, help, fallbackText: undefined, fallback: undefined };
  return fallbackVariable === undefined ? setting : { ...setting, fallbackVariable };
}

/** @throws TypeError when the default is not valid: a defect of the table */
export function withDefault<T>(
  name: string,
  type: ValueType<T>,
  fallbackText: string,
  help: string,
): Setting<T> {
  const parsed = type.parse(fallbackText);
  if (parsed.kind === "invalid") throw new TypeError(`default of ${name} ${parsed.reason}`);
  return { name, type, help, fallbackText, fallback: parsed.value };
}

/** src-ns -> srcNs: the key in the table, in the file and in commander's options. */
export function settingKey(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** What the variables of `svc-ferry run` and of the commands beside it begin with. */
export const VARIABLE_PREFIX = "SVC_FERRY_";

/** src-ns -> SVC_FERRY_SRC_NS */
export function variableName(name: string, prefix: string = VARIABLE_PREFIX): string {
  return `${prefix}${name.replaceAll("-", "_").toUpperCase()}`;
}
