/** Makes /status from what the parts of this process know. Reads memory only. */
import type { Core } from "./core.js";
import type { DestinationLink } from "./destination-link.js";
import type { ServiceKey } from "./domain/service-key.js";
import type { WatchHealth } from "./intake/watch-health.js";
import type { Clock } from "./ports/clock.js";
import type {
  ClusterStatus,
  DestinationStatus,
  ServiceStatus,
  StatusReport,
} from "./ports/status.js";
import { rfc3339 } from "./ports/timestamps.js";
import type { ServiceState, SyncState } from "./reconcile/service-state.js";

/** A watch hears from its server at least every minute (bookmarks); after this it is no longer connected. */
const SILENT_AFTER_MS = 90_000;

export interface StatusParts {
  readonly clock: Clock;
  readonly podName: string;
  readonly version: string;
  readonly sourceName: string;
  readonly core: Core | undefined;
  readonly isLeader: boolean;
  readonly leader: string | undefined;
  readonly link: string | undefined;
}

export function statusReport(parts: StatusParts): StatusReport {
  const { clock, core, isLeader } = parts;
  const now = clock.now();
  const source = clusterStatus(parts.sourceName, core?.cache.health() ?? [], clock);
  return {
    apiVersion: "svc-ferry.io/cli/v1",
    kind: "StatusReport",
    time: rfc3339(now),
    version: parts.version,
    podName: parts.podName,
    role: isLeader ? "leader" : "follower",
    leader: parts.leader,
    observed: isLeader && core?.sourceSynced === true,
    link: parts.link,
    source,
    destinations: (core?.links ?? []).map((link) => destinationStatus(link, clock)),
    services: isLeader && core !== undefined ? serviceStatuses(core) : [],
  };
}

export function clusterStatus(
  name: string,
  watches: readonly WatchHealth[],
  clock: Clock,
): ClusterStatus {
  const ages = watches.map((watch) => silentMs(watch, clock));
  const youngest = Math.min(...ages);
  return {
    name,
    connected: isConnected(watches, clock),
    lastContact: Number.isFinite(youngest) ? rfc3339(clock.now() - youngest) : undefined,
  };
}

/** Everything that is watched there is listed, and heard of now. */
export function isConnected(watches: readonly WatchHealth[], clock: Clock): boolean {
  const isHeard = (watch: WatchHealth): boolean =>
    watch.synced && !watch.broken && silentMs(watch, clock) < SILENT_AFTER_MS;
  return watches.length > 0 && watches.every(isHeard);
}

function silentMs({ lastContactMs = -Infinity }: WatchHealth, clock: Clock): number {
  return clock.monotonicMs() - lastContactMs;
}

function destinationStatus(link: DestinationLink, clock: Clock): DestinationStatus {
  const { state } = link.lease;
  const { live, bulk, inFlight } = link.backlog;
  return {
    ...clusterStatus(link.settings.name, link.watches(), clock),
    paused: link.settings.paused,
    heartbeat: state.kind,
    heartbeatHolder: state.kind === "held-elsewhere" ? state.holder : undefined,
    heartbeatCause: state.kind === "unknown" ? state.cause : undefined,
    brake: link.orphans.brakeBlocked,
    mirrors: link.mirrorCount,
    queued: live + bulk + inFlight,
  };
}

function serviceStatuses(core: Core): readonly ServiceStatus[] {
  const placed = core.links.flatMap((link) =>
    [...link.reporter.states()].map((state) => placedStatus(link.settings.name, state)),
  );
  const unplaced = core.links.flatMap((link) =>
    [...pending(core, link)].map((names): ServiceStatus => ({
      ...names,
      destination: link.settings.name,
      state: "pending",
    })),
  );
  const orphaned = core.links.flatMap((link) =>
    [...link.orphans.all()].map(({ source, target, reason }): ServiceStatus => ({
      service: source,
      destination: link.settings.name,
      target,
      state: "held",
      reason: reason.code,
      message: reason.message,
    })),
  );
  const refused = [...core.cache.refused()].map(
    ([service, { route, target, reason }]): ServiceStatus => ({
      service: `${service.namespace}/${service.name}`,
      destination: route.destination,
      target,
      state: "refused",
      reason: reason.code,
      message: reason.message,
    }),
  );
  return [...placed, ...unplaced, ...orphaned, ...refused].sort(
    (a, b) => compare(a.destination, b.destination) || compare(a.service, b.service),
  );
}

/** How many Services of each state `serviceStatuses` would tell, without making their reports: ten thousand are no pause. */
export function countServices(core: Core, destination: string): ReadonlyMap<string, number> {
  const counts = new Map<SyncState, number>();
  const add = (state: SyncState): unknown => counts.set(state, (counts.get(state) ?? 0) + 1);
  const link = core.links.find(({ settings }) => settings.name === destination);
  for (const { state } of link?.reporter.states() ?? []) add(state);
  for (const _waiting of link === undefined ? [] : pending(core, link)) add("pending");
  for (const _orphan of link?.orphans.all() ?? []) add("held");
  for (const [, { route }] of core.cache.refused()) {
    if (route.destination === destination) add("refused");
  }
  return counts;
}

/** Services that no pass has reached yet: the destination was not to be had so far, or a term has just begun. */
function* pending(
  core: Core,
  link: DestinationLink,
): Generator<{ readonly service: ServiceKey; readonly target: ServiceKey }> {
  for (const [target, wanting] of core.cache.wanting(link.settings.name)) {
    for (const { source, retained } of wanting) {
      // Who merely keeps a name is told as refused.
      if (retained === true || link.reporter.stateOf(target, source) !== undefined) continue;
      yield { service: source, target };
    }
  }
}

function placedStatus(destination: string, state: ServiceState): ServiceStatus {
  const reason = state.reason ?? state.remarks?.[0];
  return {
    service: state.source,
    destination,
    target: state.target,
    state: state.state,
    reason: reason?.code,
    message: reason?.message,
    endpoints: state.endpoints,
    lastChange: moment(state.lastChangeMs),
    lastWrite: moment(state.lastWriteMs),
    lagMs: state.lagMs,
  };
}

function moment(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : rfc3339(ms);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
