/** From rules as they are written to rules that can be applied: what names nothing, is denied or can never match is a problem. */
import { BUILTIN_RESOURCES } from "../keys/builtin-resources.js";
import type { StoredResource } from "../keys/resource.js";
import { denialText } from "./deny.js";
import { selectablePaths } from "./field-selectors.js";
import { groupPattern, type GroupPattern } from "./group-pattern.js";
import { named, resolveKind, whyNoGroup, type KindChoice } from "./name-resolution.js";
import type { WrittenExclude, WrittenRule } from "./parse-rules.js";
import type { WrittenSelector } from "./parse-selectors.js";
import { covers, names, resourceDenial, type Exclude, type Rule } from "./rule.js";
import { meant } from "./written-fields.js";

export interface RuleOptions {
  /** A kubeconfig of the destination is given: `via: api` is possible. */
  readonly destinationApi: boolean;
}

export interface CheckedRules {
  /** In the order of evaluation: `index` is the place here. Of no use when a problem was noted. */
  readonly rules: readonly Rule[];
  readonly warnings: readonly string[];
}

/**
 * Sequential rules by `sequence`, then by their place, each with an order of its own; all secondary ones share the order
 * after them. Problems are noted at the places of what is wrong.
 */
export function checkRules(written: readonly WrittenRule[], options: RuleOptions): CheckedRules {
  const sequential = written
    .filter(({ section }) => section === "sequential")
    .toSorted((one, other) => one.sequence - other.sequence);
  const secondary = written.filter(({ section }) => section === "secondary");
  const rules = [...sequential, ...secondary].map((rule, index) =>
    checkRule(rule, options, { index, order: Math.min(index, sequential.length) }),
  );
  return { rules, warnings: rules.flatMap(passedOver) };
}

function checkRule(
  written: WrittenRule,
  options: RuleOptions,
  position: Pick<Rule, "index" | "order">,
): Rule {
  const { place, label, via } = written;
  const group = groupPattern(written.group);
  const noGroup = whyNoGroup(group);
  if (noGroup !== undefined) place.problem(noGroup);
  if (via === "api" && !options.destinationApi) {
    place.problem("asks for via: api, which needs --dest-kubeconfig");
  }
  const resolved = written.resources.flatMap((resource) => {
    const kind = resolveKind(resource, group);
    return kind === undefined ? [] : [{ kind, place: resource.place }];
  });
  const kinds = resolved.map(({ kind }) => kind);
  const rule: Rule = {
    ...position,
    label,
    line: place.line,
    via: via ?? "etcd",
    writtenVia: via,
    mirrorsStatus: written.mirrorsStatus,
    group,
    kinds: written.resources.length === 0 ? undefined : kinds,
    namespace: written.namespace,
    namespaceSelectors: written.namespaceSelectors,
    labelSelectors: written.labelSelectors,
    fieldSelectors: written.fieldSelectors,
    excludes: [],
    allow: written.allow,
    apiReachable: options.destinationApi,
  };
  if (noGroup === undefined) {
    for (const { kind, place: named } of resolved) {
      const why = whyNeverCovered(rule, kind);
      if (why !== undefined) named.problem(why);
    }
    checkGroup(rule, written);
  }
  const excludes = written.excludes.flatMap((exclude) => checkExclude(exclude, rule));
  const onlyServices = kinds.length > 0 && kinds.every(isService);
  return { ...rule, excludes, via: onlyServices ? "api" : rule.via };
}

function isService({ builtin }: KindChoice): boolean {
  return builtin.some(({ group, resource }) => group === "" && resource === "services");
}

/** A rule whose group holds nothing for it, and fields that nothing of it has. */
function checkGroup(rule: Rule, written: WrittenRule): void {
  const candidates = BUILTIN_RESOURCES.filter((resource) => names(rule, resource));
  if (rule.kinds === undefined && candidates.length > 0 && onlyBuiltin(rule.group)) {
    const none = !candidates.some((resource) => covers(rule, resource));
    if (none) written.place.problem(whyNothing(rule, candidates));
  }
  for (const selector of written.fieldSelectors) {
    checkFields(selector, rule, candidates);
  }
}

/** Of a kind that is named: why no object of it can ever match. */
function whyNeverCovered(rule: Rule, { builtin }: KindChoice): string | undefined {
  const [first] = builtin;
  if (first === undefined || builtin.some((resource) => covers(rule, resource))) return undefined;
  const denial = resourceDenial(rule, first);
  if (denial !== undefined) return `${first.kind} is not mirrored: ${denialText(denial)}`;
  return `can never match: ${first.kind} is cluster-scoped, and the rule asks for namespaces`;
}

function whyNothing(rule: Rule, candidates: readonly StoredResource[]): string {
  const reasons = candidates.map((resource) => {
    const denial = resourceDenial(rule, resource);
    return `${resource.kind}: ${denial === undefined ? "it is cluster-scoped" : denialText(denial)}`;
  });
  return `can never match: nothing of the group ${named(rule.group.text)} is mirrored (${reasons.join(" | ")})`;
}

/** Groups without a dot belong to Kubernetes; others may get custom resources. */
function onlyBuiltin({ text, exact }: GroupPattern): boolean {
  return exact && BUILTIN_RESOURCES.some(({ group }) => group === text);
}

function checkFields(
  selector: WrittenSelector,
  rule: Rule,
  candidates: readonly StoredResource[],
): void {
  const custom = rule.kinds?.some(({ builtin }) => builtin.length === 0);
  const mayBeCustom = custom ?? !onlyBuiltin(rule.group);
  if (mayBeCustom) return;
  const known = candidates.map(selectablePaths);
  if (known.includes("any")) return;
  const paths = new Set(known.flatMap((fields) => (fields === "any" ? [] : fields)));
  for (const { key, place } of selector) {
    if (paths.has(key)) continue;
    const kinds = candidates.map(({ kind }) => kind).join(", ");
    const offered = [...paths].sort().join(", ");
    place.problem(
      `${kinds} cannot be selected by "${key}", only by ${offered}${meant(key, paths)}`,
    );
  }
}

function checkExclude(written: WrittenExclude, rule: Rule): readonly Exclude[] {
  const { place, resource, name, namespace, labelSelectors } = written;
  const kind = resource === undefined ? undefined : resolveKind(resource, rule.group);
  if (resource !== undefined && kind === undefined) return [];
  const exclude = { kind, name, namespace, labelSelectors };
  const why = whyNothingExcluded(exclude, rule);
  if (why !== undefined) place.problem(`excludes nothing: ${why}`);
  return [exclude];
}

/** An exception that never applies is a slip, and what it should have kept back would be mirrored. */
function whyNothingExcluded({ kind, namespace }: Exclude, rule: Rule): string | undefined {
  if (namespace !== undefined && rule.namespace !== undefined && namespace !== rule.namespace) {
    return `it names the namespace ${namespace}, the rule ${rule.namespace}`;
  }
  const [first] = kind?.builtin ?? [];
  // Kinds of CRDs may be written in two ways, as kind and as plural, that nobody can compare yet.
  if (kind === undefined || first === undefined) return undefined;
  if (!kind.builtin.some((resource) => names(rule, resource))) {
    return `the rule does not name ${first.kind}`;
  }
  return namespace !== undefined && !first.namespaced
    ? `${first.kind} is cluster-scoped`
    : undefined;
}

/** What a rule leaves out by itself of all that its group or a wildcard includes. */
function passedOver(rule: Rule): readonly string[] {
  return BUILTIN_RESOURCES.filter((resource) => names(rule, resource)).flatMap((resource) =>
    warning(rule, resource),
  );
}

function warning(rule: Rule, resource: StoredResource): readonly string[] {
  const denial = resourceDenial(rule, resource);
  if (denial === undefined) return [];
  const kind = resource.group === "" ? resource.kind : `${resource.kind}.${resource.group}`;
  return [`line ${rule.line} ${rule.label}: ${kind} is left out: ${denialText(denial)}`];
}
