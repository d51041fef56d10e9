/** Where mirrors go: the namespaces are there, and source and destination are two clusters, or one that is meant to be both. */
import { leaseNamespace, targetNamespaces } from "../domain/namespaces.js";
import type { Route } from "../domain/route.js";
import { fill } from "../domain/target.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import type { ObjectMeta } from "../ports/kube-api.js";
import { NAMESPACES } from "../ports/kube-resources.js";
import { fail, ok, warn, type Check, type Outcome } from "./check.js";
import { kubectl, reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";

/** @param routes those to this destination */
export function placementChecks(
  source: ClusterSubject,
  destination: ClusterSubject,
  routes: readonly Route[],
): readonly Check[] {
  const common = { section: sectionOf(destination), pre: true };
  const namespaces = targetNamespaces(routes);
  return [
    {
      ...common,
      id: "src-same-dst",
      subject: destination.name,
      needs: [reachKey(source), reachKey(destination)],
      run: async (signal) =>
        identities([await source.open(), await destination.open()], routes, signal),
    },
    ...(namespaces === "all" ? [] : namespaces).map((namespace) => ({
      ...common,
      id: "dst-ns",
      subject: `${destination.name} ${namespace}`,
      needs: [reachKey(destination)],
      run: async (signal: AbortSignal) =>
        namespaceThere(await destination.open(), { namespace, destination, routes }, signal),
    })),
  ];
}

async function identities(
  [source, destination]: readonly [InspectedCluster, InspectedCluster],
  routes: readonly Route[],
  signal: AbortSignal,
): Promise<Outcome> {
  const [one, other] = await Promise.all([
    clusterUidOf(source, signal),
    clusterUidOf(destination, signal),
  ]);
  if (one !== other) return ok("two clusters");
  const same = `${source.cluster} and ${destination.cluster} are the same cluster`;
  const onto = routes.filter(writesOntoItself).map(({ name }) => name);
  if (onto.length === 0) return warn(`${same}; mirrors lie in namespaces of their own`);
  return fail(`${same}, and route ${onto.join(", ")} gives Services their own names`, {
    text: "let one of the contexts name the other cluster, or give the route another namespace",
  });
}

/** A mirror would have the name of its source. */
function writesOntoItself({ namespaces, target }: Route): boolean {
  if (target.name !== "{name}") return false;
  if (namespaces === "all") return target.namespace === "{namespace}";
  return namespaces.some(
    (namespace) => fill(target.namespace, { namespace, name: "" }) === namespace,
  );
}

/** @throws RetryableError FERRY-K007 when the cluster has no kube-system: then it is none */
export async function clusterUidOf(
  cluster: InspectedCluster,
  signal: AbortSignal,
): Promise<string> {
  const system = await cluster.get(NAMESPACES, { name: "kube-system" }, signal);
  if (system?.metadata.uid !== undefined) return system.metadata.uid;
  throw new RetryableError("FERRY-K007", `${cluster.cluster} has no namespace kube-system`);
}

interface Place {
  readonly namespace: string;
  readonly destination: ClusterSubject;
  readonly routes: readonly Route[];
}

async function namespaceThere(
  cluster: InspectedCluster,
  { namespace, destination, routes }: Place,
  signal: AbortSignal,
): Promise<Outcome> {
  const found = await cluster.get(NAMESPACES, { name: namespace }, signal);
  if (found !== undefined) return whyLeaving(namespace, found.metadata, destination);
  const isCreated = routes.some((route) => route.createNamespace && isTargetOf(route, namespace));
  if (isCreated) return ok(`${namespace} is created with the first mirror`);
  const isFirst = namespace === leaseNamespace(routes);
  const harm = isFirst
    ? `; it is the first that the routes map to: the Lease of the link lies there, and without it nothing is written to ${destination.name}`
    : "";
  return fail(
    `namespace ${namespace} does not exist${harm}`,
    {
      text: "create it, or let the route do so (createNamespace: true)",
      command: `${kubectl(destination)} create namespace ${namespace}`,
    },
    "namespace-missing",
  );
}

function isTargetOf(route: Route, namespace: string): boolean {
  const all = targetNamespaces([route]);
  return all === "all" || all.includes(namespace);
}

function whyLeaving(
  namespace: string,
  { deletionTimestamp }: ObjectMeta,
  destination: ClusterSubject,
): Outcome {
  if (deletionTimestamp === undefined) return ok(`${namespace} is there`);
  return fail(
    `namespace ${namespace} is being deleted since ${deletionTimestamp}`,
    {
      text: "wait, or find out why its deletion does not end",
      command: `${kubectl(destination)} get namespace ${namespace} -o jsonpath='{.status.conditions}'`,
    },
    "namespace-terminating",
  );
}
