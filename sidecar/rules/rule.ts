/** A rule that was checked: what it covers, and under which conditions. */
import type { StoredResource } from "../keys/resource.js";
import type { AllowClass, Denial } from "./deny.js";
import { kindDenial } from "./denied-kinds.js";
import type { GroupPattern } from "./group-pattern.js";
import { chooses, type KindChoice } from "./name-resolution.js";
import type { RuleSummary } from "./ruleset.js";
import type { Selector } from "./selectors.js";

export interface Exclude {
  /** undefined: any kind that the rule covers. */
  readonly kind: KindChoice | undefined;
  /** undefined: any. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly labelSelectors: readonly Selector[];
}

export interface Rule extends RuleSummary {
  readonly group: GroupPattern;
  /** undefined: every kind of the group. */
  readonly kinds: readonly KindChoice[] | undefined;
  readonly namespace: string | undefined;
  readonly namespaceSelectors: readonly Selector[];
  readonly labelSelectors: readonly Selector[];
  readonly fieldSelectors: readonly Selector[];
  readonly excludes: readonly Exclude[];
  readonly allow: ReadonlySet<AllowClass>;
  /** Objects can be written through the destination's API server. */
  readonly apiReachable: boolean;
  /** `via:` as it is written. */
  readonly writtenVia: "etcd" | "api" | undefined;
}

/** Does the rule name this resource, denied or not? */
export function names(
  { group, kinds }: Pick<Rule, "group" | "kinds">,
  resource: StoredResource,
): boolean {
  if (!group.includes(resource.group)) return false;
  return kinds === undefined || kinds.some((kind) => chooses(kind, resource));
}

/** Could it match an object of this resource? */
export function covers(rule: Rule, resource: StoredResource): boolean {
  const inNamespaces = rule.namespace !== undefined || rule.namespaceSelectors.length > 0;
  return (
    names(rule, resource) &&
    (resource.namespaced || !inNamespaces) &&
    resourceDenial(rule, resource) === undefined
  );
}

/** How an object of this resource is written. Services need the allocators of an API server. */
export function viaOf(
  { writtenVia }: Pick<Rule, "writtenVia">,
  resource: StoredResource,
): "etcd" | "api" {
  return isService(resource) ? "api" : (writtenVia ?? "etcd");
}

/** Why the rule covers no object of a resource that it names; undefined: nothing speaks against it. */
export function resourceDenial(
  rule: Pick<Rule, "allow" | "apiReachable" | "writtenVia">,
  resource: StoredResource,
): Denial | undefined {
  const denial = kindDenial(resource);
  if (denial !== undefined) return isAllowed(rule, denial) ? undefined : denial;
  if (!isService(resource) || (rule.apiReachable && rule.writtenVia !== "etcd")) return undefined;
  return SERVICE_WITHOUT_API;
}

export function isAllowed({ allow }: Pick<Rule, "allow">, { unlockedBy }: Denial): boolean {
  return unlockedBy !== undefined && unlockedBy !== "destination-api" && allow.has(unlockedBy);
}

const SERVICE_WITHOUT_API: Denial = {
  why: "a Service needs the address and port allocators of the destination's API server",
  unlockedBy: "destination-api",
};

function isService({ group, resource }: StoredResource): boolean {
  return group === "" && resource === "services";
}
