/** The API server of the mirror's destination: what holds for any cluster, and the rights of docs/mirror.md. */
import type { NeededRight } from "../domain/needed-rights.js";
import type { Right } from "../domain/right.js";
import type { Clock } from "../ports/clock.js";
import type { Check } from "./check.js";
import { clusterChecks } from "./cluster-checks.js";
import type { ClusterSubject } from "./cluster-subject.js";
import { rightsChecks } from "./rights-checks.js";

const COMMON = { cluster: "destination", place: "cluster", feature: "core" } as const;

const SERVICES: Right = {
  ...COMMON,
  group: "",
  resource: "services",
  verbs: ["get", "create", "update", "delete"],
  why: "make Services, which get their addresses of the API server",
};
const FAMILIES: Right = {
  ...COMMON,
  feature: "families",
  group: "networking.k8s.io",
  resource: "servicecidrs",
  verbs: ["get"],
  names: "kubernetes",
  why: "learn a second IP family; without it Services get the primary one alone",
};
/** Unless `--delete-namespaces=never`. */
const REMOVALS: readonly Right[] = [
  {
    ...COMMON,
    group: "",
    resource: "namespaces",
    verbs: ["get", "delete"],
    why: "delete Namespaces that left the rules and are empty",
  },
  {
    ...COMMON,
    group: "apiextensions.k8s.io",
    resource: "customresourcedefinitions",
    verbs: ["get", "delete"],
    why: "delete CRDs that left the rules and have no objects",
  },
];

/** Asked as whoever the mirror's kubeconfig is. NB: rights for rules with `via: api` are not asked for: only objects tell which. */
export function mirrorApiChecks(
  subject: ClusterSubject,
  { clock, deletesNamespaces }: { readonly clock: Clock; readonly deletesNamespaces: boolean },
): readonly Check[] {
  const rights = [SERVICES, FAMILIES, ...(deletesNamespaces ? REMOVALS : [])];
  const parts = { account: { kind: "self" }, namespace: "" } as const;
  return [
    ...clusterChecks(subject, clock),
    ...rightsChecks(subject, rights.flatMap(neededOf), parts),
  ];
}

function neededOf(right: Right): readonly NeededRight[] {
  return right.verbs.map((verb) => ({ right, verb, namespace: undefined, name: right.names }));
}
