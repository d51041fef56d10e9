import { readFileSync } from "node:fs";

/** One write that an API server answered, whoever sent it and whatever the answer was. Moments are ms since the epoch. */
export interface AuditedWrite {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: number;
  readonly userAgent: string;
  readonly receivedMs: number;
  readonly answeredMs: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** What an API server wrote down about all writes, in the order of its answers. */
export class AuditLog {
  constructor(private readonly path: string) {}

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
    const text = readFileSync(this.path, "utf8");
    // the last line may be on its way
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    return lines
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ stage, objectRef }) => stage === "ResponseComplete" && objectRef !== undefined)
      .map(read);
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

function read(event: AuditEvent): AuditedWrite {
  const { resource = "", namespace = "", name = "" } = event.objectRef ?? {};
  return {
    verb: event.verb,
    resource,
    namespace,
    name,
    status: event.responseStatus?.code ?? 0,
    userAgent: event.userAgent ?? "",
    receivedMs: Date.parse(event.requestReceivedTimestamp),
    answeredMs: Date.parse(event.stageTimestamp),
  };
}
