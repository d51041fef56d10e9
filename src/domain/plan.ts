/**
 * Decides what has to happen to one name in one destination. Pure: all state is
 * passed in, nothing is read, nothing is written.
 *
 * Two steps, because slices need the uid of the Service that owns them: first
 * `planService`, and once that mirror is there `planEndpoints` (plan-endpoints.ts).
 */
import type { Reason } from "./codes.js";
import { winner } from "./conflict.js";
import { desired, type DesiredContext, type DesiredMirror } from "./desired.js";
import { PAUSED_ANNOTATION, routeOf, SOURCE_ANNOTATION } from "./labels.js";
import type { Service } from "./objects.js";
import type { Ownership } from "./ownership.js";
import type { Route } from "./route.js";
import { createSpec, serviceDiff } from "./service-diff.js";
import { keyOf, serviceKey, splitKey, type ServiceKey } from "./service-key.js";
import type { Write } from "./writes.js";

/** A source Service that wants the name, by way of a route. */
export interface Candidate {
  readonly service: Service;
  readonly route: Route;
  /** What it asks for now is refused, so it keeps the name that it had: while the mirror there is its own, and no longer. */
  readonly retained?: true;
}

/** Who really wants the name: of those who merely keep it, only the one that holds it counts. */
export function standing(
  candidates: readonly Candidate[],
  holder: ServiceKey | undefined,
): readonly Candidate[] {
  return candidates.filter(
    ({ service, retained }) =>
      retained !== true || serviceKey(service.namespace, service.name) === holder,
  );
}

/** All that is known about one name in one destination. */
export interface TargetView {
  readonly target: ServiceKey;
  readonly candidates: readonly Candidate[];
  readonly existing: Ownership;
  readonly destinationPaused: boolean;
}

export interface PlanContext extends DesiredContext {
  /** Names of the routes of this configuration that are paused. */
  readonly pausedRoutes: ReadonlySet<string>;
}

export type ServicePlan =
  /** Nothing is wanted, and nothing is there but what is going by itself. */
  | { readonly kind: "nothing" }
  /** Nothing may be written now; what is there stays. */
  | { readonly kind: "hold"; readonly winner: Candidate | undefined; readonly reason: Reason }
  /** The winner cannot have the name. */
  | {
      readonly kind: "refused";
      readonly winner: Candidate;
      readonly reason: Reason;
      /** Its own mirror, which waits for its finalizers: traffic goes there until it is gone, so its endpoints are kept right. */
      readonly leaving?: { readonly mirror: Service; readonly wanted: DesiredMirror };
    }
  /** Nobody wants our mirror any more: delete it, once that is proven. */
  | { readonly kind: "unwanted"; readonly mirror: Service; readonly write: Write }
  /** `writes` (none, one, or delete and create) make the mirror what it has to be; then come the endpoints. */
  | {
      readonly kind: "wanted";
      readonly winner: Candidate;
      readonly wanted: DesiredMirror;
      readonly writes: readonly Write[];
      readonly change: "none" | "create" | "update" | "recreate" | "adopt";
    };

export function planService(view: TargetView, context: PlanContext): ServicePlan {
  const mirror = view.existing.kind === "ours" ? view.existing.service : undefined;
  const first = winnerOf(view);
  const pause = whyPaused(view, first, mirror, context);
  if (pause !== undefined) {
    const idle = first === undefined && mirror === undefined;
    return idle ? { kind: "nothing" } : { kind: "hold", winner: first, reason: pause };
  }
  if (first === undefined) {
    // What waits for its finalizers was deleted once already.
    if (mirror === undefined || mirror.deleting) return { kind: "nothing" };
    return { kind: "unwanted", mirror, write: deletion(mirror, "nobody wants it") };
  }
  const wanted = desired(first.service, first.route, keepingFamily(view, first, context));
  if ("refused" in wanted) return { kind: "refused", winner: first, reason: wanted.refused };
  return planWanted(view, first, wanted);
}

/**
 * What is there keeps its primary family as long as both clusters have it: families are learnt as Services show them, and
 * one that is learnt later must not cost a mirror its life, for the API forbids the change in place. A headless mirror has no
 * address to learn from, but we gave it no family that the destination did not have.
 */
function keepingFamily(view: TargetView, first: Candidate, context: PlanContext): PlanContext {
  const { existing } = view;
  if (existing.kind !== "ours" && existing.kind !== "adoptable") return context;
  const { clusterIP, ipFamilies: [has] = [] } = existing.service.spec;
  if (has === undefined || first.service.spec.ipFamilies?.includes(has) !== true) return context;
  const isOursHeadless = existing.kind === "ours" && clusterIP === "None";
  const isCommon = isOursHeadless || context.families.includes(has);
  return isCommon ? { ...context, families: [has] } : context;
}

/** Who gets the name; undefined when nobody wants it. */
function winnerOf(view: Pick<TargetView, "candidates" | "existing">): Candidate | undefined {
  const holder = view.existing.kind === "ours" ? sourceOf(view.existing.service) : undefined;
  const service = winner(
    view.candidates.map((candidate) => candidate.service),
    holder,
  );
  return view.candidates.find((candidate) => candidate.service === service);
}

/** The source that a mirror names. */
export function sourceOf(mirror: Pick<Service, "annotations">): ServiceKey | undefined {
  const source = mirror.annotations[SOURCE_ANNOTATION];
  return source?.includes("/") === true ? (source as ServiceKey) : undefined;
}

function planWanted(view: TargetView, first: Candidate, wanted: DesiredMirror): ServicePlan {
  const { existing, target } = view;
  if ("service" in existing && existing.service.deleting) {
    const refused = { kind: "refused", winner: first, reason: whyLeaving(target) } as const;
    const mirror = existing.service;
    const isOwn = existing.kind === "ours" && sourceOf(mirror) === keyOf(first.service);
    return isOwn && mirror.losesDependents !== true
      ? { ...refused, leaving: { mirror, wanted } }
      : refused;
  }
  switch (existing.kind) {
    case "absent":
      return {
        kind: "wanted",
        winner: first,
        wanted,
        writes: [creation(target, wanted)],
        change: "create",
      };
    case "foreign":
      return { kind: "refused", winner: first, reason: existing.reason };
    case "adoptable":
      return planUpdate(existing.service, first, wanted, target, "adopt");
    case "ours":
      return planUpdate(existing.service, first, wanted, target, "update");
  }
}

/** Nothing can be written under the name that would stay; the end of it brings a pass of its own. */
function whyLeaving(target: ServiceKey): Reason {
  return {
    code: "mirror-terminating",
    message: `${target} is being deleted in the destination and waits for its finalizers; it is made anew when they are gone`,
  };
}

function planUpdate(
  mirror: Service,
  first: Candidate,
  wanted: DesiredMirror,
  target: ServiceKey,
  change: "update" | "adopt",
): ServicePlan {
  const diff = serviceDiff(mirror, wanted);
  switch (diff.kind) {
    case "equal":
      return { kind: "wanted", winner: first, wanted, writes: [], change: "none" };
    case "patch":
      return {
        kind: "wanted",
        winner: first,
        wanted,
        writes: [
          {
            verb: "patch",
            resource: "services",
            ref: splitKey(target),
            body: diff.patch,
            uid: mirror.uid,
            resourceVersion: mirror.resourceVersion,
            why: diff.fields,
          },
        ],
        change,
      };
    case "recreate":
      return {
        kind: "wanted",
        winner: first,
        wanted,
        writes: [deletion(mirror, ...diff.fields), creation(target, wanted)],
        change: "recreate",
      };
  }
}

function creation(target: ServiceKey, wanted: DesiredMirror): Write {
  const ref = splitKey(target);
  const metadata = { ...ref, labels: wanted.labels, annotations: wanted.annotations };
  return {
    verb: "create",
    resource: "services",
    ref,
    body: { apiVersion: "v1", kind: "Service", metadata, spec: createSpec(wanted.spec) },
    why: ["created"],
  };
}

function deletion(mirror: Service, ...why: readonly string[]): Write {
  return {
    verb: "delete",
    resource: "services",
    ref: { namespace: mirror.namespace, name: mirror.name },
    uid: mirror.uid,
    resourceVersion: mirror.resourceVersion,
    why,
  };
}

function whyPaused(
  view: TargetView,
  first: Candidate | undefined,
  mirror: Service | undefined,
  context: PlanContext,
): Reason | undefined {
  const paused = (what: string): Reason => ({
    code: "paused",
    message: `${what} is paused: nothing is created, changed or deleted until that ends`,
  });
  if (view.destinationPaused) return paused("the destination");
  const routeName = first?.route.name ?? (mirror && routeOf(mirror.annotations)?.name);
  if (routeName !== undefined && context.pausedRoutes.has(routeName)) {
    return paused(`route ${routeName}`);
  }
  if (first?.service.annotations[PAUSED_ANNOTATION] === "true") return paused("the source Service");
  if (mirror?.annotations[PAUSED_ANNOTATION] === "true") return paused("the mirror");
  return undefined;
}

/** Why each other candidate does not get the name. */
export function whyLost(loser: Candidate, first: Candidate, target: ServiceKey): Reason {
  const { namespace, name, creationTimestamp } = first.service;
  return {
    code: "name-taken",
    message: `${target} mirrors ${serviceKey(namespace, name)} (created ${creationTimestamp}); give ${serviceKey(
      loser.service.namespace,
      loser.service.name,
    )} another svc-ferry.io/target-name, or remove that one`,
  };
}
