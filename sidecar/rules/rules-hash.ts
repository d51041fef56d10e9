/** What rules mean, as one short text: two files with the same meaning have the same one. */
import { createHash } from "node:crypto";
import { BUILTIN_RESOURCES } from "../keys/builtin-resources.js";
import type { KindChoice } from "./name-resolution.js";
import { covers, type Exclude, type Rule } from "./rule.js";
import type { Selector } from "./selectors.js";

/** Whether a rule reaches them depends on more than its text. */
const SERVICES = BUILTIN_RESOURCES.find(({ kind }) => kind === "Service");

/**
 * SHA-256, hex. Spelling, comments and the order within lists that have none do not count; versions do not either,
 * because they decide nothing.
 */
export function rulesHash(rules: readonly Rule[]): string {
  const meanings = rules.map((rule) => [rule.order, meaning(rule)] as const);
  // Secondary rules share an order and have none among themselves.
  const text = sorted(meanings.map(([order, rule]) => [String(order).padStart(6, "0"), rule]));
  return createHash("sha256").update(JSON.stringify(text)).digest("hex");
}

function meaning(rule: Rule): unknown {
  return [
    rule.group.text,
    rule.kinds === undefined ? "every" : sorted(rule.kinds.map(kindName)),
    rule.namespace ?? "",
    selectors(rule.namespaceSelectors),
    selectors(rule.labelSelectors),
    selectors(rule.fieldSelectors),
    sorted(rule.excludes.map(exclude)),
    sorted([...rule.allow]),
    rule.writtenVia ?? "etcd",
    SERVICES !== undefined && covers(rule, SERVICES),
    rule.mirrorsStatus,
  ];
}

function exclude({ kind, name, namespace, labelSelectors }: Exclude): unknown {
  return [
    kind === undefined ? "every" : kindName(kind),
    name ?? "",
    namespace ?? "",
    selectors(labelSelectors),
  ];
}

/** Built-in kinds by their plural, however they were written. */
function kindName({ group, word, builtin }: KindChoice): string {
  return `${group.text}/${builtin.length === 1 ? (builtin[0]?.resource ?? word) : word}`;
}

function selectors(list: readonly Selector[]): readonly unknown[] {
  return sorted(
    list.map((selector) =>
      sorted(selector.map(({ key, operator, values }) => [key, operator, sorted([...values])])),
    ),
  );
}

function sorted(list: readonly unknown[]): readonly unknown[] {
  return list.map((one) => JSON.stringify(one)).toSorted();
}
