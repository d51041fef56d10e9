/** What `svc-ferry leave` does in one destination, with nothing but the credentials for that. */
import type { Leave } from "./cli/leave.js";
import type { Config } from "./config/config.js";
import { leavePlan, leftoverWrites } from "./domain/leave.js";
import type { Write } from "./domain/writes.js";
import { NO_LOG } from "./explain/silence.js";
import { LEASES, readLease } from "./leader/lease-record.js";
import { LeaveRun, writeText } from "./leave-run.js";
import { MirrorsOfLink, type Leaving } from "./leaving-mirrors.js";
import { LinkLease } from "./link-lease.js";
import type { Cannot } from "./ports/certificates-answers.js";
import type { Clock } from "./ports/clock.js";
import type { Digest } from "./ports/digest.js";
import { RetryableError } from "./ports/errors.js";
import type { KubeApi, ObjectRef } from "./ports/kube-api.js";
import type { LeaveQuestion, LeaveReport } from "./ports/leave-report.js";
import type { Random } from "./ports/random.js";

export interface LeaveCommandParts {
  readonly open: (cluster: Config["source"]) => Promise<KubeApi & { close(): Promise<void> }>;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  /** Default: as replicas hold it. Tests have no 15 s to wait. */
  readonly lease?: Pick<Config["lease"], "durationMs" | "renewDeadlineMs" | "retryPeriodMs">;
}

const LEASE = { durationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
/** Of a retry period: a leader that lives has renewed by then. */
const RENEWED_WITHIN = 1.5;

export class LeaveCommand implements Leave {
  constructor(private readonly parts: LeaveCommandParts) {}

  async leave(cluster: Config["source"], question: LeaveQuestion): Promise<LeaveReport | Cannot> {
    const api = await this.parts.open(cluster);
    const stop = new AbortController();
    try {
      return await this.#leave(api, question, stop);
    } finally {
      stop.abort();
      await api.close();
    }
  }

  async #leave(
    api: KubeApi,
    question: LeaveQuestion,
    stop: AbortController,
  ): Promise<LeaveReport | Cannot> {
    const { kind, namespaces, isMeant } = question;
    const found = new MirrorsOfLink(api, this.parts.digest, namespaces);
    const link = question.link ?? (await onlyLink(found, stop.signal));
    if (typeof link !== "string") return link;
    const leaving = await found.of(link, stop.signal);
    const lease = await found.lease(link, stop.signal);
    const ref = lease && { namespace: lease.metadata.namespace, name: link };
    const common = { kind: "left", link, mirrors: leaving.mirrors.length } as const;
    if (!isMeant) {
      const holder = lease && readLease(lease).holder;
      const writes = planned(kind, leaving, this.parts.digest).map(writeText);
      return { ...common, writes, troubles: [], ...(holder ? { holder } : {}) };
    }
    if (ref === undefined) {
      const run = new LeaveRun({ ...this.parts, api, found, link, kind, permit: () => true });
      return { ...common, ...(await run.leave(leaving, stop.signal)) };
    }
    return this.#holding(api, { ...ref, stop }, async (permit) => {
      const run = new LeaveRun({ ...this.parts, api, found, link, kind, permit });
      return { ...common, ...(await run.leave(leaving, stop.signal)) };
    });
  }

  /**
   * Writes only while it holds the link, as a leader does: while one lives there is nothing to be had, and one that starts
   * meanwhile writes nothing. Afterwards the Lease goes, too.
   */
  async #holding(
    api: KubeApi,
    { namespace = "default", name, stop }: ObjectRef & { readonly stop: AbortController },
    work: (permit: () => boolean) => Promise<LeaveReport>,
  ): Promise<LeaveReport | Cannot> {
    const { clock, random, lease: times = LEASE } = this.parts;
    const renewing = await this.#renewing(api, { namespace, name }, stop.signal);
    if (renewing !== undefined) return alive(renewing, `${namespace}/${name}`);
    const identity = { identity: "svc-ferry-leave", processId: random.id() };
    const place = { leaseNamespace: namespace, leaseName: name };
    const lease = new LinkLease({
      ...times,
      ...identity,
      ...place,
      api,
      clock,
      random,
      log: NO_LOG,
    });
    const release = new AbortController();
    const holding = lease.hold(AbortSignal.any([stop.signal, release.signal]));
    const patience = clock.sleep(times.durationMs + 2 * times.retryPeriodMs, release.signal);
    await Promise.race([lease.held(release.signal), patience]);
    if (!lease.permit()) {
      const { state } = lease;
      release.abort();
      await holding;
      return notHeld(state, `${namespace}/${name}`);
    }
    const report = await work(() => lease.permit());
    release.abort();
    await holding;
    if (report.troubles.length > 0) return report;
    const trouble = await withoutLease(api, { namespace, name }, stop.signal);
    return trouble === undefined ? report : { ...report, troubles: [trouble] };
  }

  /**
   * Who renews the Lease; undefined: nobody, as far as two looks tell. A leader that died without giving it back is waited for,
   * as by any other: that takes its whole duration.
   */
  async #renewing(api: KubeApi, ref: ObjectRef, signal: AbortSignal): Promise<string | undefined> {
    const { clock, lease: { retryPeriodMs } = LEASE } = this.parts;
    const before = await api.get(LEASES, ref, signal);
    if (before === undefined || readLease(before).holder === "") return undefined;
    await clock.sleep(retryPeriodMs * RENEWED_WITHIN, signal);
    const after = await api.get(LEASES, ref, signal);
    if (after === undefined || readLease(after).holder === "") return undefined;
    const isSame = after.metadata.resourceVersion === before.metadata.resourceVersion;
    return isSame ? undefined : readLease(after).holder;
  }
}

/** What a dry run says: every write that would be made if nothing changed meanwhile. */
function planned(
  kind: LeaveQuestion["kind"],
  { mirrors, leftovers }: Leaving,
  digest: Digest,
): readonly Write[] {
  const plans = mirrors.map((mirror) => leavePlan(kind, mirror, digest));
  return [
    ...plans.flatMap(({ first, next, last }) => [...first, ...next, ...last]),
    ...leftoverWrites(kind, leftovers.slices, leftovers.endpoints),
  ];
}

async function onlyLink(found: MirrorsOfLink, signal: AbortSignal): Promise<string | Cannot> {
  const links = await found.links(signal);
  const [only, ...others] = links;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) {
    return {
      kind: "cannot",
      problem: "there are no mirrors of svc-ferry",
      fix: "nothing is left to do",
    };
  }
  return {
    kind: "cannot",
    problem: `there are mirrors of several installations: ${links.join(", ")}`,
    fix: "say which one leaves: --link",
  };
}

function alive(holder: string, name: string): Cannot {
  return {
    kind: "cannot",
    problem: `the link is alive: ${holder} holds Lease ${name}`,
    fix: "stop it first, in the source: kubectl -n k8s-sync scale deployment svc-ferry --replicas=0",
  };
}

function notHeld(state: LinkLease["state"], name: string): Cannot {
  if (state.kind === "held-elsewhere") return alive(state.holder, name);
  const cause = state.kind === "unknown" ? (state.cause ?? "it was not to be had") : "";
  return {
    kind: "cannot",
    problem: `Lease ${name} cannot be taken: ${cause}`,
    fix: "whoever asks needs get, update and delete on it",
  };
}

/** undefined: it is gone. */
async function withoutLease(
  api: KubeApi,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<string | undefined> {
  const lease = await api.get(LEASES, ref, signal);
  if (lease === undefined || readLease(lease).holder !== "") return undefined;
  const { uid = "", resourceVersion } = lease.metadata;
  try {
    await api.delete(LEASES, ref, { uid, resourceVersion }, { signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    return `Lease ${ref.namespace ?? ""}/${ref.name} stays: ${error.message}`;
  }
}
