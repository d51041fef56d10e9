/** Can a pod's address mean only one pod? Where source and destination have addresses in common, mirrors lead to the wrong one. */
import { overlaps } from "../domain/ip-overlap.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import type { KubeObject } from "../ports/kube-api.js";
import { NODES, PODS } from "../ports/kube-resources.js";
import { fail, ok, skip, type Check, type Outcome } from "./check.js";
import { reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";
import { clusterUidOf } from "./placement-checks.js";

/** Of each cluster; where nodes have no ranges, that many pods stand for all. */
const MAX_OBJECTS = 500;
/** Pairs in one line. */
const MAX_NAMED = 3;

export function podRangesCheck(source: ClusterSubject, destination: ClusterSubject): Check {
  return {
    id: "pod-ranges",
    section: sectionOf(destination),
    subject: destination.name,
    pre: true,
    needs: [reachKey(source), reachKey(destination)],
    run: async (signal) => compared(await source.open(), await destination.open(), signal),
  };
}

async function compared(
  source: InspectedCluster,
  destination: InspectedCluster,
  signal: AbortSignal,
): Promise<Outcome> {
  const both = [source, destination] as const;
  const [here, there] = await Promise.all(both.map((one) => clusterUidOf(one, signal)));
  if (here === there) return ok("one cluster, whose pods have addresses of their own");
  const [ours, theirs] = await Promise.all([
    rangesOf(source, signal),
    rangesOf(destination, signal),
  ]);
  const unknown = [ours, theirs].find(({ texts }) => texts.length === 0);
  if (unknown !== undefined) return skip(unknown.text);
  const common = overlaps(ours.texts, theirs.texts);
  if (common.length === 0) return ok(`${ours.text}, ${theirs.text}: none in common`);
  const named = common
    .slice(0, MAX_NAMED)
    .map(({ one, other }) => (one === other ? one : `${one} and ${other}`))
    .join(", ");
  const more = common.length > MAX_NAMED ? ` and ${common.length - MAX_NAMED} more` : "";
  return fail(`pods of both clusters have the same addresses: ${named}${more}`, {
    text: "mirrors hold pods' addresses as they are: give one of the clusters another range, or keep away from what overlaps by addressCIDRs of the route",
  });
}

interface Ranges {
  readonly texts: readonly string[];
  /** What they are, or why there are none. */
  readonly text: string;
}

/** @throws RetryableError FERRY-K006 when whoever asks may read neither nodes nor pods */
async function rangesOf(cluster: InspectedCluster, signal: AbortSignal): Promise<Ranges> {
  const name = cluster.cluster;
  const nodes = await nodesOf(cluster, signal);
  const ranges = [...new Set(nodes.flatMap(rangesOfNode))];
  if (ranges.length > 0)
    return { texts: ranges, text: `${counted(ranges, "range")} of nodes in ${name}` };
  const { items } = await cluster.list(PODS, { limit: MAX_OBJECTS }, signal);
  const addresses = [...new Set(items.flatMap(addressesOfPod))];
  if (addresses.length > 0) {
    return { texts: addresses, text: `${counted(addresses, "address")} of pods in ${name}` };
  }
  return { texts: [], text: `nodes of ${name} have no ranges, and there are no pods to tell by` };
}

/** Empty where whoever asks may not read them: pods tell as well. */
async function nodesOf(
  cluster: InspectedCluster,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    const { items } = await cluster.list(NODES, { limit: MAX_OBJECTS }, signal);
    return items;
  } catch (error) {
    if (error instanceof RetryableError && error.code === "FERRY-K006") return [];
    throw error;
  }
}

function rangesOfNode(node: KubeObject): readonly string[] {
  const { spec } = node as {
    readonly spec?: { readonly podCIDR?: string; readonly podCIDRs?: readonly string[] };
  };
  return spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]);
}

/** Those on the host's network have the node's. */
function addressesOfPod(pod: KubeObject): readonly string[] {
  const { spec, status } = pod as {
    readonly spec?: { readonly hostNetwork?: boolean };
    readonly status?: { readonly podIPs?: readonly { readonly ip?: string }[] };
  };
  if (spec?.hostNetwork === true) return [];
  return (status?.podIPs ?? []).flatMap(({ ip }) => ip ?? []);
}

function counted({ length }: readonly string[], what: "range" | "address"): string {
  const many = { range: "ranges", address: "addresses" } as const;
  return `${length} ${length === 1 ? what : many[what]}`;
}
