/** Whose the Service under a name in the destination is: the question before every write. */
import type { Reason } from "./codes.js";
import { LINK_LABEL, MANAGED_BY, MANAGED_BY_LABEL, SOURCE_ANNOTATION } from "./labels.js";
import type { Service, StringMap } from "./objects.js";
import type { Mark } from "./route.js";
import type { ServiceKey } from "./service-key.js";

/** The link that a Service in a destination carries; undefined: it is no mirror. */
export function linkOf(service: Pick<Service, "labels" | "annotations">): string | undefined {
  return service.labels[LINK_LABEL] ?? service.annotations[LINK_LABEL];
}

export type Ownership =
  | { readonly kind: "absent" }
  /** Carries our link. */
  | { readonly kind: "ours"; readonly service: Service }
  /** Left by k8s-svc-sync, and everything says that it mirrors this very Service. */
  | { readonly kind: "adoptable"; readonly service: Service }
  /** Never touched; `reason` says whose it is and what to do. */
  | { readonly kind: "foreign"; readonly reason: Reason };

/** What is remembered of a Service that is not ours. */
export interface ForeignService {
  readonly uid: string;
  readonly creationTimestamp: string;
  readonly managedBy: string | undefined;
  readonly helmRelease: string | undefined;
  readonly link: string | undefined;
  readonly source: string | undefined;
  /** It carries these labels, has no selector and no owner: k8s-svc-sync may have made it. */
  readonly bare: boolean;
  readonly labels: StringMap;
}

/** Reduces a Service that is not ours to what conflicts need. */
export function foreignService(
  service: Service,
  owned: boolean,
  marks: readonly Mark[],
): ForeignService {
  const { labels, annotations, spec } = service;
  const selectorless = Object.keys(spec.selector ?? {}).length === 0;
  const marked = marks.filter((mark) => labels[mark.key] === mark.value);
  return {
    uid: service.uid,
    creationTimestamp: service.creationTimestamp,
    managedBy: labels[MANAGED_BY_LABEL],
    helmRelease: annotations["meta.helm.sh/release-name"],
    link: linkOf(service),
    source: annotations[SOURCE_ANNOTATION],
    bare: selectorless && !owned,
    labels: Object.fromEntries(marked.map((mark) => [mark.key, mark.value])),
  };
}

/** The refusal that names the owner, since when, and the ways out. */
export function whyForeign(target: ServiceKey, foreign: ForeignService): Reason {
  const since = `since ${foreign.creationTimestamp}`;
  if (foreign.link !== undefined || foreign.managedBy === MANAGED_BY) {
    return {
      code: "held-by-other-link",
      message: `${target} is the mirror of ${foreign.source ?? "a Service"} by another installation (link ${
        foreign.link ?? "unknown"
      }), ${since}; annotate this Service with svc-ferry.io/target-name=ANOTHER-NAME`,
    };
  }
  const owner =
    foreign.helmRelease !== undefined
      ? `it belongs to Helm release ${foreign.helmRelease}`
      : foreign.managedBy !== undefined
        ? `it is managed by ${foreign.managedBy}`
        : "svc-ferry did not create it";
  return {
    code: "name-occupied",
    message: `${target} exists in the destination ${since}: ${owner}; annotate this Service with svc-ferry.io/target-name=ANOTHER-NAME, or remove the one that is there`,
  };
}

/** What the adoption rule looks at beside the foreign Service. */
export interface AdoptionEvidence {
  readonly mark: Mark;
  readonly targetNamespaceIsRoutes: boolean;
  readonly existingAddresses: readonly string[];
  readonly sourceAddresses: readonly string[];
}

/**
 * k8s-svc-sync's mirrors carry the mark and nothing else: no selector, no owner, nobody's managed-by. That alone could be
 * somebody's hand-made Service, so its Endpoints must be empty or overlap the source's addresses as well.
 */
export function isAdoptable(foreign: ForeignService, evidence: AdoptionEvidence): boolean {
  const { mark, existingAddresses, sourceAddresses } = evidence;
  return (
    evidence.targetNamespaceIsRoutes &&
    foreign.bare &&
    foreign.managedBy === undefined &&
    foreign.link === undefined &&
    foreign.labels[mark.key] === mark.value &&
    (existingAddresses.length === 0 ||
      existingAddresses.some((address) => sourceAddresses.includes(address)))
  );
}
