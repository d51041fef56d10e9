/** The kinds of values that settings have: how each is read and how the right ones are described. */
import { isIP } from "node:net";
import { parseCidr } from "../domain/ip.js";
import type { Mark, Selector } from "../domain/route.js";
import { durationText, parseDuration } from "./duration.js";
import { isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName } from "./names.js";
import { invalid, ok, type Parsed } from "./parsed.js";
import { parseSelector } from "./selector.js";

export interface ValueType<T> {
  /** Word in the help: `--src-ns <namespace>`. */
  readonly placeholder: string;
  /** Completes "allowed: …" in error messages. */
  readonly allowed: string;
  readonly parse: (text: string) => Parsed<T>;
  /** The flag may stand alone; it then means this text. */
  readonly bare?: string;
}

/** Any text of one line; names of contexts, pods and files. */
export function line(placeholder: string): ValueType<string> {
  return checked(placeholder, "one line of 1 to 4096 characters", isLine);
}

function isLine(text: string): boolean {
  return text.trim() !== "" && text.length <= 4_096 && !/\p{Cc}/u.test(text);
}

export const namespaceName: ValueType<string> = checked(
  "namespace",
  'lower-case letters, digits and "-", at most 63 characters',
  isDnsLabel,
);

export const objectName: ValueType<string> = checked(
  "name",
  'lower-case letters, digits, "-" and ".", at most 253 characters',
  isDnsSubdomain,
);

export const labelValue: ValueType<string> = checked(
  "value",
  'a label value: letters, digits, "-", "_" and ".", 1 to 63 characters',
  (text) => text !== "" && isLabelValue(text),
);

export const labelSelector: ValueType<Selector> = {
  placeholder: "selector",
  allowed: "a label selector such as sync=true or env in (a,b),!legacy",
  parse: parseSelector,
};

export const mark: ValueType<Mark> = {
  placeholder: "key=value",
  allowed: "one label as key=value",
  parse: (text) => {
    const equals = text.indexOf("=");
    const [key, value] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
    if (equals < 0 || value === "") return invalid("is not key=value");
    if (!isQualifiedName(key) || !isLabelValue(value)) return invalid("is not a valid label");
    return ok({ key, value });
  },
};

/** The template of a destination's namespace or of a mirror's name. */
export const template: ValueType<string> = checked(
  "template",
  'lower-case letters, digits, "-", {namespace} and {name}',
  isTemplate,
);

/** Literal parts must leave a DNS label, whatever is filled in. */
function isTemplate(text: string): boolean {
  return isDnsLabel(text.replaceAll(/\{(?:namespace|name)\}/g, "a"));
}

export const annotationKey: ValueType<string> = {
  placeholder: "key",
  allowed: "an annotation key outside svc-ferry.io and kubectl.kubernetes.io",
  parse: (text) => {
    if (!isQualifiedName(text)) return invalid("is not an annotation key");
    // Ours say whose a mirror is; kubectl's would make `apply` on the mirror undo what we wrote.
    const reserved = /^(?:svc-ferry\.io|kubectl\.kubernetes\.io)\//.test(text);
    return reserved ? invalid("is never copied") : ok(text);
  },
};

export const cidr: ValueType<string> = checked(
  "cidr",
  "an address range such as 10.0.0.0/8 or fd00::/8",
  (text) => parseCidr(text) !== undefined,
);

export const bindAddress: ValueType<string> = checked(
  "address",
  "an IP address or localhost",
  (text) => text === "localhost" || isIP(text) !== 0,
);

export const hostAddress: ValueType<string> = checked(
  "address",
  "an IP address",
  (text) => isIP(text) !== 0,
);

export function oneOf<const T extends string>(...choices: readonly T[]): ValueType<T> {
  return {
    placeholder: choices.join("|"),
    allowed: choices.join(", "),
    parse: (text) => {
      const choice = choices.find((candidate) => candidate === text);
      return choice === undefined ? invalid("is not one of them") : ok(choice);
    },
  };
}

/** on or off; a bare flag means on. Go's spellings true and false are understood. */
export const toggle: ValueType<boolean> = {
  placeholder: "on|off",
  allowed: "on, off",
  bare: "on",
  parse: (text) => {
    if (text === "on" || text === "true") return ok(true);
    if (text === "off" || text === "false") return ok(false);
    return invalid("is neither on nor off");
  },
};

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number): ValueType<number> {
  return {
    placeholder: "number",
    allowed: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      if (!/^\d{1,15}$/.test(text)) return invalid("is not a whole number");
      const value = Number(text);
      return value >= min && value <= max ? ok(value) : invalid("is out of range");
    },
  };
}

/** A duration of at least `minMs`, at most 24 days (timers end there), in ms. */
export function duration(minMs: number): ValueType<number> {
  const maxMs = 24 * 24 * 3_600_000;
  return {
    placeholder: "duration",
    allowed: `a duration such as 500ms, 15s or 1m30s, from ${durationText(minMs)} to ${durationText(maxMs)}`,
    parse: (text) => {
      const parsed = parseDuration(text);
      if (parsed.kind === "invalid") return parsed;
      return parsed.value >= minMs && parsed.value <= maxMs ? parsed : invalid("is out of range");
    },
  };
}

function checked(
  placeholder: string,
  allowed: string,
  isRight: (text: string) => boolean,
): ValueType<string> {
  return {
    placeholder,
    allowed,
    parse: (text) => (isRight(text) ? ok(text) : invalid("is not valid")),
  };
}
