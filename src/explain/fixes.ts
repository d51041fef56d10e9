/** For every reason the way out, as a command to paste wherever there is one. Pure. */
import type { ReasonCode } from "../domain/codes.js";
import { splitKey, type ServiceKey } from "../domain/service-key.js";

export interface FixContext {
  readonly service: ServiceKey;
  readonly target: ServiceKey;
  /** Contexts by which kubectl reaches the clusters. */
  readonly sourceContext: string;
  readonly destinationContext: string;
}

/** undefined: the code is no reason (a failed attempt), whose message says what is missing. */
export function fixOf(code: string, context: FixContext): string | undefined {
  return isReason(code) ? FIXES[code](context) : undefined;
}

function isReason(code: string): code is ReasonCode {
  return Object.hasOwn(FIXES, code);
}

const annotate = ({ service, sourceContext }: FixContext, what: string): string => {
  const { namespace, name } = splitKey(service);
  return `kubectl --context ${sourceContext} -n ${namespace} annotate --overwrite service ${name} ${what}`;
};
const rename = (context: FixContext): string => {
  const { name } = splitKey(context.target);
  return annotate(context, `svc-ferry.io/target-name=${name.slice(0, 61)}-2`);
};
const there = ({ target, destinationContext }: FixContext, what: string): string => {
  const { namespace, name } = splitKey(target);
  return `kubectl --context ${destinationContext} -n ${namespace} ${what.replace("NAME", name)}`;
};
const unmap = (context: FixContext): string => annotate(context, "svc-ferry.io/target-namespace-");

const FIXES: Readonly<Record<ReasonCode, (context: FixContext) => string>> = {
  "is-a-mirror": () => "label its origin instead; for a chain A→B→C add a route in A",
  "not-selected": () => "set the label that the route selects by",
  "invalid-name": rename,
  "name-too-long": (context) => annotate(context, "svc-ferry.io/target-name=SHORTER-NAME"),
  "invalid-namespace": unmap,
  "target-not-allowed": unmap,
  "name-occupied": rename,
  "name-taken": rename,
  "held-by-other-link": rename,
  "no-common-ip-family": () => "give the Service an IP family that both clusters have",
  "namespace-missing": ({ target, destinationContext }) =>
    `kubectl --context ${destinationContext} create namespace ${splitKey(target).namespace}`,
  "namespace-terminating": ({ target, destinationContext }) =>
    `kubectl --context ${destinationContext} get namespace ${splitKey(target).namespace} -o jsonpath='{.status.conditions}'`,
  "rejected-by-destination": () => "change what the message names in the Service",
  "mirror-terminating": (context) =>
    there(context, "get service NAME -o jsonpath='{.metadata.finalizers}'"),
  paused: (context) =>
    `${annotate(context, "svc-ferry.io/paused-")}    (or the same on the mirror, or paused: true in the configuration)`,
  "link-held-elsewhere": () =>
    "stop the other installation that the Lease names, or give one of the two another --link",
  "mass-delete-blocked": () =>
    "if it is right, annotate the Lease as the Event on it says; if not, check the route's selector",
  "route-gone": () => "nothing, or put the route back",
  "former-cluster": (context) => there(context, "delete service NAME"),
  "deletion-not-proven": (context) => there(context, "delete service NAME"),
  "foreign-endpoints": (context) =>
    there(context, "get endpointslices,endpoints -l kubernetes.io/service-name=NAME"),
  "address-not-allowed": () =>
    "correct the hand-written endpoints, or widen the route's addressCIDRs",
  "type-reduced": () => "nothing; expose it there by a Service of its own if you need that",
  "cluster-local-external-name": () =>
    "mirror the Service that it names as well, or use a name that both clusters resolve alike",
  "endpoints-truncated": () => "let readers of Endpoints move to EndpointSlices",
};
