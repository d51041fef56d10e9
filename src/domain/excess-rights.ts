/** What is granted beyond what is needed: rules as an authorizer lists them, compared with the table of rights. Pure. */
import type { NeededRight } from "./needed-rights.js";

/** A rule of a SelfSubjectRulesReview; "*" stands for all, and no names for any. */
export interface GrantedRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}

/**
 * What every user or every ServiceAccount may do, by roles that come with Kubernetes.
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, system:basic-user and system:cluster-trust-bundle-discovery.
 */
const EVERYBODYS: ReadonlySet<string> = new Set([
  "create selfsubjectaccessreviews.authorization.k8s.io",
  "create selfsubjectrulesreviews.authorization.k8s.io",
  "create selfsubjectreviews.authentication.k8s.io",
  "get clustertrustbundles.certificates.k8s.io",
  "list clustertrustbundles.certificates.k8s.io",
  "watch clustertrustbundles.certificates.k8s.io",
]);

/**
 * Each right that nobody needs: "delete secrets", "get secrets web". Wildcards are named as such.
 * @param rules what holds in one namespace, cluster-wide rules included
 * @param needed what is needed there, and cluster-wide
 */
export function excessRights(
  rules: readonly GrantedRule[],
  needed: readonly NeededRight[],
): readonly string[] {
  const found = rules.flatMap((rule) =>
    rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource) =>
        rule.verbs.flatMap((verb) => excessOf({ group, resource, verb }, rule, needed)),
      ),
    ),
  );
  return [...new Set(found)];
}

interface Act {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

function excessOf(
  act: Act,
  { resourceNames }: GrantedRule,
  needed: readonly NeededRight[],
): readonly string[] {
  const { group, resource, verb } = act;
  const text = `${verb} ${resource}${group === "" ? "" : `.${group}`}`;
  if (EVERYBODYS.has(text)) return [];
  const alike = needed.filter(
    (one) => one.verb === verb && one.right.group === group && one.right.resource === resource,
  );
  if (alike.some(coversAny)) return [];
  if (resourceNames.length === 0) return [alike.length === 0 ? text : `${text} of any name`];
  const known = new Set(alike.map(({ name }) => name));
  // A name that is not known yet, such as the link while the source is down, may be this one.
  if (known.has(undefined)) return [];
  return resourceNames.filter((name) => !known.has(name)).map((name) => `${text} ${name}`);
}

/**
 * Not restricted to a name, by its nature. The link's Lease is not either: its name follows from the source's kube-system, which
 * nobody knows who installs in the destination (manifests/destination/link-lease.yaml).
 */
function coversAny({ right }: NeededRight): boolean {
  return right.names === undefined || right.names === "link";
}
