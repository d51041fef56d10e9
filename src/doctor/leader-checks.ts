/** Does a replica lead, and do the pods live? */
import { LEASES, readLease, type LeaseRecord } from "../leader/lease-record.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import type { KubeObject } from "../ports/kube-api.js";
import { NAMESPACES, PODS } from "../ports/kube-resources.js";
import { parseRfc3339 } from "../ports/timestamps.js";
import { fail, ok, skip, warn, type Check, type Outcome } from "./check.js";
import { kubectl, prefixOf, reachKey, type ClusterSubject } from "./cluster-subject.js";

export interface LeaderPlace {
  /** `--leader-election-namespace` and `-name`. */
  readonly namespace: string;
  readonly name: string;
}

/** What clocks may differ by before `src-clock` says so; a Lease is renewed every two seconds. */
const CLOCK_SLACK_MS = 5_000;
/** What manifests and chart put on the pods. */
const POD_LABELS = "app.kubernetes.io/name=svc-ferry,app.kubernetes.io/component=ferry";
/** A container that was started anew so often is in trouble. */
const MANY_RESTARTS = 5;

export function leaderChecks(
  source: ClusterSubject,
  place: LeaderPlace,
  clock: Clock,
): readonly Check[] {
  const common = { section: "leader", pre: false };
  const needs = [reachKey(source), `${prefixOf(source)}-clock ${source.name}`];
  const subject = `${place.namespace}/${place.name}`;
  return [
    {
      ...common,
      id: "lease",
      subject,
      needs,
      run: async (signal) => lease(await source.open(), { source, place, clock, signal }),
    },
    {
      ...common,
      id: "pods",
      subject: place.namespace,
      needs: [reachKey(source)],
      run: async (signal) => pods(await source.open(), { source, place, clock, signal }),
    },
  ];
}

interface Question {
  readonly source: ClusterSubject;
  readonly place: LeaderPlace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function lease(cluster: InspectedCluster, question: Question): Promise<Outcome> {
  const { source, place, clock, signal } = question;
  const object = await cluster.get(LEASES, place, signal);
  if (object === undefined) return whyNoLease(cluster, question);
  const record = readLease(object);
  const logs = {
    text: "no replica leads: do the pods live, and may they write leases?",
    command: `${kubectl(source)} -n ${place.namespace} logs deploy/svc-ferry --tail=50`,
  };
  if (record.holder === "") return fail("nobody holds the Lease", logs);
  const ageMs = ageOf(record, clock);
  const text = ageMs === undefined ? "at an unknown time" : `${(ageMs / 1_000).toFixed(1)} s ago`;
  const message = `${record.holder}, renewed ${text}`;
  const durationMs = (record.durationSeconds ?? 0) * 1_000;
  if (ageMs === undefined || ageMs > durationMs + CLOCK_SLACK_MS) {
    return fail(`${message}: nobody has renewed it since`, logs);
  }
  const isPod = await hasPod(cluster, { namespace: place.namespace, name: record.holder }, signal);
  if (isPod !== false) return ok(message);
  return warn(`${message}, but there is no such pod in ${place.namespace}: who is it?`, {
    text: "another installation, or a process outside of the cluster, leads under this Lease",
    command: `${kubectl(source)} -n ${place.namespace} get lease ${place.name} -o yaml`,
  });
}

function ageOf({ renewTime }: LeaseRecord, clock: Clock): number | undefined {
  const renewedMs = parseRfc3339(renewTime);
  return renewedMs === undefined ? undefined : Math.max(0, clock.now() - renewedMs);
}

async function whyNoLease(
  cluster: InspectedCluster,
  { source, place: { namespace, name }, signal }: Question,
): Promise<Outcome> {
  const found = await allowed(cluster.get(NAMESPACES, { name: namespace }, signal));
  if (found.kind === "allowed" && found.value === undefined) {
    return fail(`namespace ${namespace}, where the Lease is to be, does not exist`, {
      text: "create it, or correct --leader-election-namespace",
      command: `${kubectl(source)} create namespace ${namespace}`,
    });
  }
  return fail(`there is no Lease ${namespace}/${name}: no replica has ever led`, {
    text: "do the pods live, and may they create leases? (src-rbac:create:leases)",
    command: `${kubectl(source)} -n ${namespace} logs deploy/svc-ferry --tail=50`,
  });
}

/** undefined: whoever asks may not read pods. */
async function hasPod(
  cluster: InspectedCluster,
  ref: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const found = await allowed(cluster.get(PODS, ref, signal));
  return found.kind === "allowed" ? found.value !== undefined : undefined;
}

async function pods(
  cluster: InspectedCluster,
  { source, place: { namespace }, signal }: Question,
): Promise<Outcome> {
  const options = { namespace, labelSelector: POD_LABELS };
  const listed = await allowed(cluster.list(PODS, options, signal));
  if (listed.kind === "refused") return skip(`whoever asks may not list pods in ${namespace}`);
  const found = listed.value.items.map(podOf);
  if (found.length === 0) {
    return skip(`no pods with ${POD_LABELS} in ${namespace}: installed otherwise, or elsewhere`);
  }
  const remedy = {
    text: "see what they say of themselves",
    command: `${kubectl(source)} -n ${namespace} describe pods -l ${POD_LABELS}`,
  };
  const ready = found.filter((pod) => pod.ready);
  const troubled = found.find((pod) => !pod.ready || pod.restarts >= MANY_RESTARTS);
  const state = troubled?.last === undefined ? "" : `; ${troubled.name}: ${troubled.last}`;
  const message = `${ready.length} of ${found.length} ready${state}`;
  if (ready.length === 0) return fail(message, remedy);
  if (troubled !== undefined) return warn(message, remedy);
  const nodes = new Set(found.map(({ node }) => node)).size;
  const images = new Set(found.flatMap(({ image }) => image ?? [])).size;
  if (nodes < 2) return warn(`${message}, all on one node`, remedy);
  if (images > 1) return warn(`${message}, of ${images} different images`, remedy);
  return ok(`${message}, on ${nodes} nodes`);
}

interface PodFacts {
  readonly name: string;
  readonly ready: boolean;
  readonly node: string | undefined;
  readonly image: string | undefined;
  readonly restarts: number;
  /** Why its container ended last. */
  readonly last: string | undefined;
}

interface RawPod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
    readonly containerStatuses?: readonly RawContainer[];
  };
}

interface RawContainer {
  readonly imageID?: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
  readonly lastState?: {
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}

function podOf(object: KubeObject): PodFacts {
  const { metadata, spec, status } = object as RawPod;
  const [container] = status?.containerStatuses ?? [];
  return {
    name: metadata.name,
    ready: (status?.conditions ?? []).some(
      (condition) => condition.type === "Ready" && condition.status === "True",
    ),
    node: spec?.nodeName,
    image: container?.imageID,
    restarts: container?.restartCount ?? 0,
    last: container && endOf(container),
  };
}

/** What its container waits for, or why it ended last. */
function endOf({ state, lastState }: RawContainer): string | undefined {
  const ended = lastState?.terminated;
  const exit = ended && `${ended.reason ?? "ended"}, exit code ${ended.exitCode ?? "unknown"}`;
  return state?.waiting?.reason ?? exit;
}

type Allowed<T> = { readonly kind: "allowed"; readonly value: T } | { readonly kind: "refused" };

/** What is only good to know is no failure where it may not be read. */
async function allowed<T>(question: Promise<T>): Promise<Allowed<T>> {
  try {
    return { kind: "allowed", value: await question };
  } catch (error) {
    if (error instanceof RetryableError && error.code === "FERRY-K006") return { kind: "refused" };
    throw error;
  }
}
