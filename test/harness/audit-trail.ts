import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";

/** One write that an API server answered, of whoever, whatever the answer was. Moments are ms since the epoch. */
export interface AuditedWrite {
  readonly verb: string;
  /** Plural, with `/status` and the like. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly status: number;
  readonly userAgent: string;
  readonly receivedMs: number;
  readonly answeredMs: number;
  /** What admission wrote down about it: `validate.svc-ferry.io/change-id`. */
  readonly annotations: Readonly<Record<string, string>>;
  /** What was sent; undefined: nothing. */
  readonly body: unknown;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly requestObject?: unknown;
}

const READS = new Set(["get", "list", "watch"]);

const CHUNK_BYTES = 1 << 20;

/** The writes in an API server's audit log as it grows, from its present end on. */
export class AuditTrail {
  #offset: number;
  /** What is left of a line that was there before us, be it only its end. */
  #isOld: boolean;
  #rest = Buffer.alloc(0);

  constructor(private readonly path: string) {
    const size = existsSync(path) ? statSync(path).size : 0;
    this.#isOld = size > 0;
    this.#offset = Math.max(0, size - 1);
  }

  /** Those that were answered since the last call, in the order of the answers. */
  next(): readonly AuditedWrite[] {
    return this.#newLines()
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter(({ stage, verb }) => stage === "ResponseComplete" && !READS.has(verb))
      .map(write);
  }

  #newLines(): readonly string[] {
    if (!existsSync(this.path)) return [];
    const file = openSync(this.path, "r");
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const chunks = [this.#rest];
    try {
      for (;;) {
        const length = readSync(file, chunk, 0, CHUNK_BYTES, this.#offset);
        if (length === 0) break;
        this.#offset += length;
        chunks.push(Buffer.from(chunk.subarray(0, length)));
      }
    } finally {
      closeSync(file);
    }
    const text = Buffer.concat(chunks);
    // The last line may be on its way.
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.subarray(end);
    const lines = text.subarray(0, end).toString("utf8").split("\n");
    if (this.#isOld && end > 0) {
      this.#isOld = false;
      lines.shift();
    }
    return lines.filter((line) => line !== "");
  }
}

function write(event: AuditEvent): AuditedWrite {
  const { resource = "", subresource, namespace = "", name = "" } = event.objectRef ?? {};
  return {
    verb: event.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    status: event.responseStatus?.code ?? 0,
    userAgent: event.userAgent ?? "",
    receivedMs: Date.parse(event.requestReceivedTimestamp),
    answeredMs: Date.parse(event.stageTimestamp),
    annotations: event.annotations ?? {},
    body: event.requestObject,
  };
}
