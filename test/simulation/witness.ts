/**
 * Watches a world from outside for what must never happen, however it ends: it
 * sees every change of every store and every request that a server answered.
 */
import { EVENTS, NAMESPACES } from "../../src/ports/kube-resources.js";
import type { AuditEntry } from "../fakes/audit-log.js";
import type { MemoryApiServer } from "../fakes/memory-api-server.js";
import { LEASES } from "../fakes/resources.js";
import type { SimulatedWorld } from "../fakes/simulated-world.js";
import { collectionOf } from "../fakes/stored-object.js";
import { Holdings } from "./holdings.js";
import { label } from "./raw.js";

/** How far each audit log had come. */
export type AuditMark = ReadonlyMap<MemoryApiServer, number>;

export class Witness {
  readonly #holdings: Holdings;

  constructor(private readonly world: SimulatedWorld) {
    this.#holdings = new Holdings(world);
  }

  mark(): AuditMark {
    const { destinations } = this.world;
    return new Map(destinations.map((server) => [server, server.audit.entries.length]));
  }

  /** What replicas asked the destinations to change since, Leases and their namespaces left out. */
  writesSince(mark: AuditMark): readonly string[] {
    return this.world.destinations.flatMap((server, index) =>
      server.audit.entries
        .slice(mark.get(server) ?? 0)
        .filter((entry) => isData(entry) && !isQuestion(entry) && !isOf(entry, NAMESPACES))
        .map((entry) => `destination-${index}: ${spell(entry)}`),
    );
  }

  /** Events that replicas wrote to the source. */
  get events(): number {
    return this.world.source.audit.changes(EVENTS).filter(isFerrys).length;
  }

  /** Empty: nothing forbidden happened. */
  problems(): readonly string[] {
    return [
      ...this.world.destinations.flatMap((server, index) => [
        ...touchedForeign(server).map((text) => `destination-${index}: ${text}`),
        ...lateWrites(this.world.source, server).map((text) => `destination-${index}: ${text}`),
      ]),
      ...this.#holdings.problems(),
      ...this.#sourceWrites(),
    ];
  }

  /** The source gets Leases and Events, nothing else. */
  #sourceWrites(): readonly string[] {
    return this.world.source.audit.entries
      .filter((entry) => isData(entry) && !isOf(entry, EVENTS))
      .map((entry) => `wrote to the source: ${spell(entry)}`);
  }
}

function isFerrys({ client }: AuditEntry): boolean {
  return client.startsWith("ferry-");
}

function isOf({ resource }: AuditEntry, other: AuditEntry["resource"]): boolean {
  return collectionOf(resource) === collectionOf(other);
}

function isData(entry: AuditEntry): boolean {
  return isFerrys(entry) && !isOf(entry, LEASES);
}

/** Whether the name of Endpoints that are somebody else's is free meanwhile is asked by trying. */
function isQuestion({ verb, resource, outcome }: AuditEntry): boolean {
  return verb === "create" && resource.plural === "endpoints" && outcome === "AlreadyExists";
}

function spell({ client, verb, resource, ref, outcome, atMs }: AuditEntry): string {
  return `${(atMs / 1_000).toFixed(3)} ${client} ${verb} ${resource.plural} ${ref.namespace ?? ""}/${ref.name}: ${outcome}`;
}

/** What others made is never changed or deleted, but for slices that a destination's controller left under a mirror. */
function touchedForeign(server: MemoryApiServer): readonly string[] {
  const ours = new Set<string>();
  const problems: string[] = [];
  for (const entry of server.audit.changes().filter(isData)) {
    const { object, verb } = entry;
    if (object === undefined) continue;
    const { uid = "" } = object.metadata;
    const controller = label(object, "endpointslice.kubernetes.io/managed-by");
    const isLeftover = controller === "endpointslice-controller.k8s.io" && verb === "delete";
    if (verb === "create") ours.add(uid);
    else if (!ours.has(uid) && !isLeftover)
      problems.push(`touched what is not ours: ${spell(entry)}`);
    if (isOf(entry, NAMESPACES) && verb !== "create") problems.push(`namespace: ${spell(entry)}`);
  }
  return problems;
}

/**
 * After the first write of a new leader, none of an older one changes anything but by creating what is wanted: a create
 * asks for a name that is free, and is levelled by the new leader's first pass.
 */
function lateWrites(source: MemoryApiServer, destination: MemoryApiServer): readonly string[] {
  const leases = source.audit.changes(LEASES);
  const writes = destination.audit.changes().filter(isData);
  const problems: string[] = [];
  let leader: string | undefined;
  let leaderWrote = false;
  for (const entry of [...leases, ...writes].toSorted((a, b) => a.atMs - b.atMs)) {
    if (isOf(entry, LEASES)) {
      if (holderOf(entry) !== "" && entry.client !== leader) {
        leader = entry.client;
        leaderWrote = false;
      }
    } else if (entry.client === leader) leaderWrote = true;
    else if (leaderWrote && entry.verb !== "create") {
      problems.push(`written after ${leader ?? ""} had begun: ${spell(entry)}`);
    }
  }
  return problems;
}

function holderOf({ object }: AuditEntry): string {
  const { holderIdentity = "" } = (object as { spec?: { holderIdentity?: string } }).spec ?? {};
  return holderIdentity;
}
