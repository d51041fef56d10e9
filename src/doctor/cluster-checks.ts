/** What holds for any cluster: it is reached, it is of a release that was tested, its clock is right, the credential lasts. */
import type { Clock } from "../ports/clock.js";
import { RetryableError, TerminalError } from "../ports/errors.js";
import type { InspectedCluster } from "../ports/inspected-cluster.js";
import { rfc3339 } from "../ports/timestamps.js";
import { fail, ok, warn, type Check, type Outcome } from "./check.js";
import { prefixOf, reachKey, sectionOf, type ClusterSubject } from "./cluster-subject.js";
import { layerOf } from "./reach-layers.js";
import { userName } from "./who-asks.js";

/** Minor releases of Kubernetes that the tests run on, oldest and newest. */
const TESTED = { from: 34, to: 36 } as const;
/** Cloud tokens fail beyond five minutes; long before that, Leases and certificates are judged wrongly. */
const SKEW = { warnMs: 5_000, failMs: 60_000 } as const;
/** Who renews in time never comes below this part of a credential's life: kubelets do at 20 %. */
const LAST_PART = 0.15;

export function clusterChecks(subject: ClusterSubject, clock: Clock): readonly Check[] {
  const common = {
    section: sectionOf(subject),
    subject: subject.name,
    pre: true,
    needs: [reachKey(subject)],
  };
  const prefix = prefixOf(subject);
  const check = (
    id: string,
    ask: (cluster: InspectedCluster, signal: AbortSignal) => Promise<Outcome>,
  ): Check => ({ ...common, id, run: async (signal) => ask(await subject.open(), signal) });
  return [
    { ...common, id: `${prefix}-reach`, needs: [], run: (signal) => reach(subject, signal) },
    check(`${prefix}-version`, version),
    check(`${prefix}-clock`, (cluster, signal) => skew(cluster, clock, signal)),
    check(`${prefix}-cred`, (cluster, signal) => credential(cluster, subject, clock, signal)),
  ];
}

async function reach(subject: ClusterSubject, signal: AbortSignal): Promise<Outcome> {
  try {
    const cluster = await subject.open();
    const answer = await cluster.raw.ask({ method: "GET", path: "/readyz" }, signal);
    if (answer.status === 200) return ok(`${cluster.cluster} answers`);
    if (answer.status === 401)
      return unauthenticated(`${subject.name} does not know who asks (401)`, subject);
    const text = "see the API server's own health: kubectl get --raw '/readyz?verbose'";
    return fail(`${subject.name} answers /readyz with ${answer.status}`, { text }, "FERRY-K004");
  } catch (error) {
    return unreached(error, subject);
  }
}

function unreached(error: unknown, subject: ClusterSubject): Outcome {
  if (!(error instanceof RetryableError || error instanceof TerminalError)) throw error;
  const { code, message } = error;
  if (code === "FERRY-K005") return unauthenticated(message, subject);
  const found = layerOf(error);
  if (found !== undefined) return fail(`${found.layer}: ${message}`, found.remedy, code);
  const text =
    "see that the context points to the right server, and that the network lets this host there";
  return fail(message, { text }, code);
}

function unauthenticated(message: string, { context, side, flags }: ClusterSubject): Outcome {
  const text =
    side === "source"
      ? `correct ${flags ?? "--kubeconfig and --src-context"}, or renew the credential that they name`
      : `correct ${flags ?? "--kubeconfig and --dst-context"}, or make the credential anew`;
  const command = side === "source" ? undefined : `svc-ferry kubeconfig --context ${context}`;
  return fail(message, { text, command }, "FERRY-K005");
}

async function version({ raw }: InspectedCluster, signal: AbortSignal): Promise<Outcome> {
  const { body } = await raw.ask({ method: "GET", path: "/version" }, signal);
  const { gitVersion, minor } = body as { readonly gitVersion?: unknown; readonly minor?: unknown };
  const number = /^\d+/.exec(String(minor))?.[0];
  const text = typeof gitVersion === "string" ? gitVersion : "unknown";
  if (number === undefined) return warn(`the server does not tell its version (${text})`);
  const tested = `tested are 1.${TESTED.from} to 1.${TESTED.to}`;
  if (Number(number) < TESTED.from) {
    return warn(`Kubernetes ${text}; ${tested}`, {
      text: "upgrade, or expect what nobody has tried",
    });
  }
  return Number(number) > TESTED.to
    ? warn(`Kubernetes ${text} is newer than what was tested; ${tested}`)
    : ok(`Kubernetes ${text}`);
}

/** Half of the round trip is the answer's way; the header has whole seconds, cut. */
async function skew(
  { raw, cluster }: InspectedCluster,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const sentMs = clock.now();
  const { dateMs } = await raw.ask({ method: "GET", path: "/version" }, signal);
  const localMs = (sentMs + clock.now()) / 2;
  if (dateMs === undefined) return warn(`${cluster} does not tell the time`);
  const skewMs = Math.round(Math.max(0, Math.abs(dateMs + 500 - localMs) - 500));
  const message = `clocks differ by ${(skewMs / 1_000).toFixed(1)} s`;
  const remedy = { text: "let both hosts follow NTP; cloud tokens fail beyond 5 minutes" };
  if (skewMs > SKEW.failMs) return fail(message, remedy);
  return skewMs > SKEW.warnMs ? warn(message, remedy) : ok(message);
}

async function credential(
  cluster: InspectedCluster,
  { context, side }: ClusterSubject,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome> {
  const { kind, issuedAtMs, expiresAtMs } = await cluster.credential();
  const who = await userName(cluster, signal);
  const remedy =
    side === "source"
      ? { text: "renew the credential that --src-context names" }
      : { text: "make it anew", command: `svc-ferry kubeconfig --context ${context}` };
  if (expiresAtMs === undefined) {
    if (kind !== "token") return ok(`${who}, by ${kind}`);
    const text = "a token that ends by itself is better: docs/tools.md, svc-ferry kubeconfig";
    return warn(`${who}, by a token that does not end or does not say when`, { text });
  }
  const leftMs = expiresAtMs - clock.now();
  const message = `${who}, by a ${kind} until ${rfc3339(expiresAtMs)}`;
  if (leftMs <= 0) return fail(`${message}, which is over`, remedy, "FERRY-K005");
  const lifeMs = expiresAtMs - (issuedAtMs ?? expiresAtMs);
  return leftMs < lifeMs * LAST_PART
    ? warn(`${message}, and nobody has renewed it`, remedy)
    : ok(message);
}
