/**
 * What a `group`, `version` and `kind` of a rules file mean. Built-in kinds are known here and now, so that what can never
 * match is a mistake; custom ones are known only once their CRD is read.
 */
import { BUILTIN_GROUPS, BUILTIN_RESOURCES } from "../keys/builtin-resources.js";
import type { StoredResource } from "../keys/resource.js";
import { groupPattern, type GroupPattern } from "./group-pattern.js";
import type { WrittenResource } from "./parse-rules.js";
import { meant } from "./written-fields.js";

/** Kinds that a rule or an exclude names. */
export interface KindChoice {
  readonly group: GroupPattern;
  /** Kind or plural, in lower case. */
  readonly word: string;
  readonly version: string | undefined;
  readonly line: number;
  /** Built-in resources among them. */
  readonly builtin: readonly StoredResource[];
}

/** Kinds are found by group and name; the version is checked but decides nothing, since the stored one may be another. */
export function chooses({ group, word }: KindChoice, resource: StoredResource): boolean {
  return group.includes(resource.group) && isCalled(resource, word);
}

/** A group that no Kubernetes and no CRD can have; undefined: it may exist. */
export function whyNoGroup({ text, exact }: GroupPattern): string | undefined {
  if (!exact || BUILTIN_GROUPS.has(text) || text.includes(".")) return undefined;
  if (text === "extensions") {
    return "extensions is gone since Kubernetes 1.22: its kinds are in apps, networking.k8s.io and policy";
  }
  return `there is no API group "${text}" (those of CRDs have a dot)${meant(text, BUILTIN_GROUPS)}`;
}

/**
 * @param ruleGroup the rule's own group or pattern. A resource without a group means the core group where the rule's group
 * includes it, as in the rules' ancestor, and the rule's group otherwise.
 * @returns undefined when nothing can be meant; the problem is noted at the resource's place
 */
export function resolveKind(
  written: WrittenResource,
  ruleGroup: GroupPattern,
): KindChoice | undefined {
  const { place, version, kind } = written;
  const group = groupPattern(written.group ?? (ruleGroup.includes("") ? "" : ruleGroup.text));
  const word = kind.toLowerCase();
  const builtin = BUILTIN_RESOURCES.filter(
    (resource) => group.includes(resource.group) && isCalled(resource, word),
  );
  const why =
    whyNoGroup(group) ??
    whyOutside(written.group, ruleGroup) ??
    whyNoKind(group, kind, builtin) ??
    whyNoVersion(version, builtin, group);
  if (why !== undefined) {
    place.problem(why);
    return undefined;
  }
  return { group, word, version, line: place.line, builtin };
}

function isCalled(resource: StoredResource, word: string): boolean {
  return resource.kind.toLowerCase() === word || resource.resource === word;
}

function whyOutside(group: string | undefined, ruleGroup: GroupPattern): string | undefined {
  if (group === undefined) return undefined;
  if (group.includes("*")) return "takes no wildcard in its group; write it as the rule's group";
  if (ruleGroup.includes(group)) return undefined;
  return `can never match: its group is ${named(group)}, the rule's is ${named(ruleGroup.text)}`;
}

function whyNoKind(
  group: GroupPattern,
  kind: string,
  builtin: readonly StoredResource[],
): string | undefined {
  if (builtin.length > 0 || !group.exact || !BUILTIN_GROUPS.has(group.text)) return undefined;
  const elsewhere = BUILTIN_RESOURCES.find(
    (resource) => resource.kind.toLowerCase() === kind.toLowerCase(),
  );
  if (elsewhere !== undefined)
    return `${kind} is in the group ${named(elsewhere.group)}, not in ${named(group.text)}`;
  const kinds = BUILTIN_RESOURCES.filter((resource) => resource.group === group.text).map(
    (resource) => resource.kind,
  );
  return `the group ${named(group.text)} has no kind "${kind}"${meant(kind, kinds)}`;
}

function whyNoVersion(
  version: string | undefined,
  builtin: readonly StoredResource[],
  group: GroupPattern,
): string | undefined {
  const [first] = builtin;
  if (version === undefined || first === undefined || !group.exact) return undefined;
  if (builtin.some(({ versions }) => versions.includes(version))) return undefined;
  return `can never match: ${first.kind} has no version "${version}", only ${first.versions.join(", ")}`;
}

/** The core group's name is empty, which nobody sees in a sentence. */
export function named(group: string): string {
  return group === "" ? '"" (core)' : group;
}
