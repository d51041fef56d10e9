/** Rules applied to objects. What follows from the resource alone is worked out once for each resource. */
import type { Catalog } from "../keys/catalog.js";
import type { ObjectKey, StoredResource } from "../keys/resource.js";
import type { StoredObject } from "../wire/stored-object.js";
import { denialText, type Denial, type ObjectDenial } from "./deny.js";
import { objectDenials } from "./denied-objects.js";
import { excludes, excludesFor } from "./excludes.js";
import { anyFieldsMatch } from "./field-selectors.js";
import { covers, isAllowed, viaOf, type Exclude, type Rule } from "./rule.js";
import { rulesHash } from "./rules-hash.js";
import type { Judgement, NamespaceIndex, RuleSummary, Ruleset, UnresolvedName } from "./ruleset.js";
import { anyMatches } from "./selectors.js";
import { unresolvedNames } from "./unresolved.js";

/** One rule as it concerns one resource. */
interface Applied {
  readonly rule: Rule;
  readonly match: Judgement;
  readonly excludes: readonly Exclude[];
  readonly denials: readonly ObjectDenial[];
}

const NO_RULE: Judgement = { kind: "no", why: "no-rule" };
const EXCLUDED: Judgement = { kind: "no", why: "excluded" };
const DELETING: Judgement = { kind: "no", why: "deleting" };

export class AppliedRules implements Ruleset {
  readonly rules: readonly RuleSummary[];
  readonly hash: string;
  readonly usesNamespaceSelectors: boolean;
  /** By identity, which a catalog keeps for as long as a resource's CRD does not change. */
  readonly #applied = new WeakMap<StoredResource, readonly Applied[]>();

  /** @param checked in the order of evaluation */
  constructor(private readonly checked: readonly Rule[]) {
    this.rules = checked.map(summary);
    this.hash = rulesHash(checked);
    this.usesNamespaceSelectors = checked.some((rule) => rule.namespaceSelectors.length > 0);
  }

  wants(resource: StoredResource): boolean {
    return this.#for(resource).length > 0;
  }

  orderOf(resource: StoredResource): number | undefined {
    return this.#for(resource)[0]?.rule.order;
  }

  unresolved(catalog: Catalog): readonly UnresolvedName[] {
    return unresolvedNames(this.checked, catalog);
  }

  judge(key: ObjectKey, object: StoredObject, namespaces: NamespaceIndex): Judgement {
    let refused = NO_RULE;
    for (const applied of this.#for(key.resource)) {
      if (!selects(applied.rule, key, object, namespaces)) continue;
      const refusal = refusalOf(applied, key, object);
      if (refusal === undefined) return object.meta.deleting ? DELETING : applied.match;
      // Another rule may still match; else the first reason is told.
      if (refused === NO_RULE) refused = refusal;
    }
    return refused;
  }

  #for(resource: StoredResource): readonly Applied[] {
    const known = this.#applied.get(resource);
    if (known !== undefined) return known;
    const applied = this.checked
      .filter((rule) => covers(rule, resource))
      .map((rule) => appliedTo(rule, resource));
    this.#applied.set(resource, applied);
    return applied;
  }
}

/** What others print: no more than its type says. */
function summary({ index, label, order, line, via, mirrorsStatus }: Rule): RuleSummary {
  return { index, label, order, line, via, mirrorsStatus };
}

function selects(
  rule: Rule,
  key: ObjectKey,
  object: StoredObject,
  namespaces: NamespaceIndex,
): boolean {
  return (
    (rule.namespace === undefined || rule.namespace === key.namespace) &&
    liesInSelected(rule, key.namespace, namespaces) &&
    anyMatches(rule.labelSelectors, object.meta.labels) &&
    anyFieldsMatch(rule.fieldSelectors, object)
  );
}

function refusalOf(applied: Applied, key: ObjectKey, object: StoredObject): Judgement | undefined {
  const { labels } = object.meta;
  if (applied.excludes.some((exclude) => excludes(exclude, key, labels))) return EXCLUDED;
  for (const deniedBy of applied.denials) {
    const denial = deniedBy(key, object);
    if (denial === undefined || isLifted(applied.rule, denial)) continue;
    return { kind: "no", why: "denied", detail: denialText(denial) };
  }
  return undefined;
}

function appliedTo(rule: Rule, resource: StoredResource): Applied {
  return {
    rule,
    match: { kind: "match", rule: rule.index, order: rule.order, via: viaOf(rule, resource) },
    excludes: excludesFor(rule.excludes, resource),
    denials: objectDenials(resource),
  };
}

/** By its class, or because the rule names the one namespace that it reads, so nobody meets it by accident. */
function isLifted(rule: Rule, denial: Denial): boolean {
  const bySystem = denial.unlockedBy === "system-namespaces";
  return isAllowed(rule, denial) || (bySystem && rule.namespace !== undefined);
}

/** NB: a namespace that the source does not have, or has no more, is selected by none, not even by an empty selector. */
function liesInSelected(
  { namespaceSelectors }: Rule,
  namespace: string | undefined,
  namespaces: NamespaceIndex,
): boolean {
  if (namespaceSelectors.length === 0) return true;
  const labels = namespace === undefined ? undefined : namespaces.labels(namespace);
  return labels !== undefined && anyMatches(namespaceSelectors, labels);
}
