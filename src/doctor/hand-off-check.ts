/** Does the leader take from other replicas what admission let pass there? Asked as a replica asks it. */
import { HAND_OFF_ANNOTATION } from "../domain/labels.js";
import { LEASES, readLease } from "../leader/lease-record.js";
import type { Clock } from "../ports/clock.js";
import { RetryableError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import { fail, ok, skip, type Check, type Outcome } from "./check.js";
import { kubectl, reachKey, type ClusterSubject } from "./cluster-subject.js";
import type { LeaderPlace } from "./leader-checks.js";
import { layerOf } from "./reach-layers.js";

/** Who leads, and where its Lease says that it listens. */
export interface HandOffPeer {
  readonly identity: string;
  /** "host:port". */
  readonly address: string;
}

export interface HandOffParts {
  readonly place: LeaderPlace;
  readonly clock: Clock;
  /** The pod in which the check runs; undefined: in none, from where replicas may be out of reach by design. */
  readonly ownPod: string | undefined;
  /** Hands over nothing, with a replica's certificate. @throws RetryableError FERRY-H001 when the leader did not take it */
  readonly ask: (leader: HandOffPeer, signal: AbortSignal) => Promise<void>;
}

export function handOffCheck(source: ClusterSubject, parts: HandOffParts): Check {
  const { namespace, name } = parts.place;
  return {
    id: "handoff",
    section: "webhook",
    subject: namespace,
    pre: false,
    needs: [reachKey(source), `lease ${namespace}/${name}`],
    run: async (signal) => handedOver(await source.open(), { ...parts, source, signal }),
  };
}

interface Question extends HandOffParts {
  readonly source: ClusterSubject;
  readonly signal: AbortSignal;
}

async function handedOver(cluster: InspectedCluster, question: Question): Promise<Outcome> {
  const { place, clock, ownPod, ask, source, signal } = question;
  const lease = await cluster.get(LEASES, place, signal);
  const holder = lease === undefined ? "" : readLease(lease).holder;
  const address = lease?.metadata.annotations?.[HAND_OFF_ANNOTATION];
  if (holder === "") return skip("nobody leads");
  if (address === undefined) {
    return fail(`${holder} publishes no address for the hand-off on its Lease`, {
      text: "it runs with --webhook=off: give all replicas the same configuration",
      command: `${kubectl(source)} -n ${place.namespace} get lease ${place.name} -o yaml`,
    });
  }
  const sentMs = clock.monotonicMs();
  try {
    await ask({ identity: holder, address }, signal);
  } catch (error) {
    return untaken(error, { ...question, address });
  }
  const tookMs = Math.round(clock.monotonicMs() - sentMs);
  const note = ownPod === holder ? "; this pod leads itself: ask in another one as well" : "";
  return ok(`${holder} takes it at ${address}, in ${tookMs} ms${note}`);
}

function untaken(
  error: unknown,
  { ownPod, place, source, address }: Question & { readonly address: string },
): Outcome {
  if (!(error instanceof RetryableError) || error.code !== "FERRY-H001") throw error;
  const { code, message } = error;
  if (ownPod === undefined && isUnreached(error)) {
    return {
      ...skip(`${message}: from outside of the cluster that says nothing`, {
        text: "ask in a pod of svc-ferry",
        command: `${kubectl(source)} -n ${place.namespace} exec deploy/svc-ferry -- svc-ferry doctor --only handoff`,
      }),
      code,
    };
  }
  const port = address.slice(address.lastIndexOf(":") + 1);
  return fail(
    message,
    {
      text: `let the replicas reach each other at port ${port} (NetworkPolicy), and see what certs status says of hand-off`,
      command: "svc-ferry certs status",
    },
    code,
  );
}

/** Nobody answered at all; an answer that is wrong tells from everywhere. */
function isUnreached({ cause }: RetryableError): boolean {
  if (cause instanceof Error && cause.name === "AbortError") return true;
  const layer = layerOf(cause)?.layer ?? "";
  return layer.startsWith("TCP") || layer.startsWith("DNS");
}
