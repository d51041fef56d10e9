/** The rules file from YAML to rules as they are written: the structure is checked here, what it names in check-rules.ts. */
import { isDnsLabel } from "../../src/config/names.js";
import { ALLOW_CLASSES, type AllowClass } from "./deny.js";
import { isGroupPattern } from "./group-pattern.js";
import { parseSelectors, type WrittenSelector } from "./parse-selectors.js";
import { choice, fieldsOf, text } from "./written-fields.js";
import type { YamlNode } from "./yaml-tree.js";

/** One of `resources`, or an exclude's `resource`. */
export interface WrittenResource {
  readonly place: YamlNode;
  readonly group: string | undefined;
  readonly version: string | undefined;
  readonly kind: string;
}

export interface WrittenExclude {
  readonly place: YamlNode;
  readonly resource: WrittenResource | undefined;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly labelSelectors: readonly WrittenSelector[];
}

export interface WrittenRule {
  readonly place: YamlNode;
  readonly section: "sequential" | "secondary";
  /** "sequential[0]": its section and its place there. */
  readonly label: string;
  /** 0 when it is not written, as Go reads it. */
  readonly sequence: number;
  readonly group: string;
  readonly resources: readonly WrittenResource[];
  /** undefined: any. "" counts as not written. */
  readonly namespace: string | undefined;
  readonly namespaceSelectors: readonly WrittenSelector[];
  readonly labelSelectors: readonly WrittenSelector[];
  readonly fieldSelectors: readonly WrittenSelector[];
  readonly excludes: readonly WrittenExclude[];
  readonly allow: ReadonlySet<AllowClass>;
  readonly via: "etcd" | "api" | undefined;
  readonly mirrorsStatus: boolean;
}

/** In the file's order, sequential ones first; none when there is nothing to mirror. */
export function parseRules(root: YamlNode): readonly WrittenRule[] {
  const filters = fieldsOf(root, ["filters"])("filters");
  if (filters === undefined || filters.isEmpty) return [];
  const field = fieldsOf(filters, ["sequential", "secondary"]);
  return (["sequential", "secondary"] as const).flatMap((section) => {
    const rules = field(section)?.list() ?? [];
    return rules.map((rule, index) => parseRule(rule, section, `${section}[${index}]`));
  });
}

/** What a rule may say, in the order of docs/mirror-rules.md. */
export const RULE_KEYS = [
  "group",
  "sequence",
  "resources",
  "namespace",
  "namespaceSelectors",
  "labelSelectors",
  "fieldSelectors",
  "excludes",
  "allow",
  "via",
  "status",
] as const;

function parseRule(place: YamlNode, section: WrittenRule["section"], label: string): WrittenRule {
  const field = fieldsOf(place, RULE_KEYS);
  const [namespaceSelectors, namespace] = [
    field("namespaceSelectors"),
    namespaceOf(field("namespace")),
  ];
  const rule: WrittenRule = {
    place,
    section,
    label,
    sequence: sequenceOf(field("sequence"), section),
    group: groupOf(field("group")) ?? "",
    resources: (field("resources")?.list() ?? []).flatMap(parseResource),
    namespace,
    namespaceSelectors: parseSelectors(namespaceSelectors, "labels"),
    labelSelectors: parseSelectors(field("labelSelectors"), "labels"),
    fieldSelectors: parseSelectors(field("fieldSelectors"), "fields"),
    excludes: (field("excludes")?.list() ?? []).flatMap(parseExclude),
    allow: allowed(field("allow")),
    via: choice(field("via"), ["etcd", "api"]),
    mirrorsStatus: choice(field("status"), ["mirror"]) === "mirror",
  };
  if (namespace !== undefined && rule.namespaceSelectors.length > 0) {
    namespaceSelectors?.problem("stands beside namespace: write one of the two");
  }
  return rule;
}

function sequenceOf(node: YamlNode | undefined, section: WrittenRule["section"]): number {
  const written = node?.text();
  if (node === undefined || written === undefined) return 0;
  if (section === "secondary") node.problem("has a meaning in sequential rules only");
  else if (!/^-?\d{1,9}$/.test(written)) node.problem("is not a whole number");
  return Number(written);
}

function groupOf(node: YamlNode | undefined): string | undefined {
  const group = node?.text();
  if (group === undefined || isGroupPattern(group)) return group;
  node?.problem(`"${group}" is no API group; a version goes into resources[].version`);
  return undefined;
}

/** What no namespace can be called would select nothing, and exclude nothing, without a word. */
function namespaceOf(node: YamlNode | undefined): string | undefined {
  const namespace = text(node);
  if (namespace !== undefined && !isDnsLabel(namespace)) {
    node?.problem(`"${namespace}" is no name of a namespace; leave it out to select all`);
  }
  return namespace;
}

/** Names of some kinds (Roles) may hold almost anything, but who writes a star means several. */
function nameOf(node: YamlNode | undefined): string | undefined {
  const name = text(node);
  if (name?.includes("*")) {
    node?.problem("takes no wildcard; give one exclude for each name, or labelSelectors");
  }
  return name;
}

function parseResource(place: YamlNode): readonly WrittenResource[] {
  const field = fieldsOf(place, ["group", "version", "kind"]);
  const [group, version, kind] = [
    groupOf(field("group")),
    text(field("version")),
    text(field("kind")),
  ];
  if (kind === undefined) {
    place.problem("names no kind; leave resources out to select every kind of the group");
    return [];
  }
  if (kind.includes("*")) {
    (field("kind") ?? place).problem("takes no wildcard; leave resources out to select every kind");
    return [];
  }
  return [{ place: field("kind") ?? place, group, version, kind }];
}

function parseExclude(place: YamlNode): readonly WrittenExclude[] {
  const field = fieldsOf(place, ["resource", "name", "namespace", "labelSelectors"]);
  const node = field("resource");
  const resource = node === undefined || node.isEmpty ? undefined : parseResource(node)[0];
  const exclude: WrittenExclude = {
    place,
    resource,
    name: nameOf(field("name")),
    namespace: namespaceOf(field("namespace")),
    labelSelectors: parseSelectors(field("labelSelectors"), "labels"),
  };
  const says = exclude.name ?? exclude.namespace ?? exclude.labelSelectors[0];
  if (node === undefined && says === undefined) {
    place.problem("excludes everything: give resource, name, namespace or labelSelectors");
  }
  return [exclude];
}

function allowed(node: YamlNode | undefined): ReadonlySet<AllowClass> {
  const classes = (node?.list() ?? []).flatMap((element) => choice(element, ALLOW_CLASSES) ?? []);
  return new Set(classes);
}
