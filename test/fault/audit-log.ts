import { AuditTrail, type AuditedWrite } from "../harness/audit-trail.js";

/** What an API server wrote down about all writes since this was made, in the order of its answers. */
export class AuditLog {
  readonly #trail: AuditTrail;
  readonly #writes: AuditedWrite[] = [];

  constructor(path: string) {
    this.#trail = new AuditTrail(path);
  }

  /** Every write of svc-ferry's to the objects of a namespace, the refused ones included; Leases and Events are not among them. */
  ferryWrites(namespace: string): readonly AuditedWrite[] {
    return this.#all().filter(
      (write) =>
        write.userAgent.startsWith("svc-ferry/") &&
        write.namespace === namespace &&
        OBJECTS.has(write.resource),
    );
  }

  /** How many writes to that object are written down, whoever sent them. */
  count(resource: string, namespace: string, name: string): number {
    return this.#all().filter(
      (write) =>
        write.resource === resource && write.namespace === namespace && write.name === name,
    ).length;
  }

  #all(): readonly AuditedWrite[] {
    this.#writes.push(...this.#trail.next());
    return this.#writes;
  }
}

const OBJECTS = new Set(["services", "endpointslices", "endpoints"]);

/** Those that changed something. */
export function stored(writes: readonly AuditedWrite[]): readonly AuditedWrite[] {
  return writes.filter(({ status }) => status < 300);
}

/** "create services/web", sorted: what happened to which object, how many times. */
export function summary(writes: readonly AuditedWrite[]): readonly string[] {
  return writes.map(({ verb, resource, name }) => `${verb} ${resource}/${name}`).sort();
}

/** The id of the process that sent it; svc-ferry's User-Agent ends in "(pod; process id)". */
export function processIdOf(write: AuditedWrite): string {
  return /\(.*; ([0-9a-f]+)\)$/.exec(write.userAgent)?.[1] ?? "";
}
