/**
 * Events on source objects, within a budget: the lowest priority on the wire,
 * repeated ones counted up in place, at most a burst per object.
 */
import type { Clock } from "../ports/clock.js";
import type { EventRecord, EventSink } from "../ports/event-sink.js";
import type { KubeApi, KubeObject } from "../ports/kube-api.js";
import { EVENTS } from "../ports/kube-resources.js";
import type { Log } from "../ports/log.js";
import type { Metrics } from "../ports/metrics.js";
import type { Random } from "../ports/random.js";
import { rfc3339 } from "../ports/timestamps.js";

/** Burst per object, then one per 5 minutes. Source: client-go tools/record/events_cache.go, EventSourceObjectSpamFilter. */
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;
/** Waiting Events; more are dropped: they would be stale before they are written. */
const MAX_WAITING = 1_000;
/** Objects remembered for the spam filter and for counting repetitions. Source: client-go, maxLruCacheEntries. */
const MAX_REMEMBERED = 4_096;
/** An API server cuts or refuses longer ones. Source: pkg/apis/core/validation/events.go, NoteLengthLimit. */
const MAX_MESSAGE_LENGTH = 1_024;

/** While mirrors are written: an Event costs an API server as much as a mirror does, and people read it later. */
const BUSY_PAUSE_MS = 250;
const LOOK_AGAIN_MS = 50;

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

interface Written {
  readonly name: string;
  readonly uid: string;
  readonly count: number;
}

export interface EventRecorderParts {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Mirrors are being written now. */
  readonly isBusy: () => boolean;
}

export class EventRecorder implements EventSink {
  readonly #waiting: EventRecord[] = [];
  readonly #buckets = new Map<string, Bucket>();
  readonly #written = new Map<string, Written>();
  #wake: (() => void) | undefined;

  constructor(
    private readonly parts: EventRecorderParts,
    private readonly reporter: string,
  ) {}

  emit(record: EventRecord): void {
    if (this.#waiting.length >= MAX_WAITING) return this.#count("dropped");
    if (!this.#withinBudget(record)) return this.#count("filtered");
    this.#waiting.push(record);
    this.#wake?.();
  }

  /** Writes what is emitted until `signal` aborts. Never throws: a refused Event is dropped and counted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const record = this.#waiting.shift();
      if (record === undefined) {
        await this.#news(signal);
      } else {
        await this.#write(record, signal);
        await this.#letMirrorsGoFirst(signal);
      }
    }
    this.#waiting.length = 0;
  }

  async #letMirrorsGoFirst(signal: AbortSignal): Promise<void> {
    const { clock, isBusy } = this.parts;
    const untilMs = clock.monotonicMs() + BUSY_PAUSE_MS;
    while (isBusy() && clock.monotonicMs() < untilMs && !signal.aborted) {
      await clock.sleep(LOOK_AGAIN_MS, signal);
    }
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  async #write(record: EventRecord, signal: AbortSignal): Promise<void> {
    try {
      const repeated = this.#written.get(identity(record));
      const done = repeated !== undefined && (await this.#countUp(record, repeated, signal));
      if (!done) await this.#create(record, signal);
    } catch (error) {
      // An Event is news, not state: /status and the log hold the same, so it is not worth a retry.
      this.#count("failed");
      this.parts.log.debug({ err: error, reason: record.reason }, "event dropped");
    }
  }

  async #countUp(record: EventRecord, written: Written, signal: AbortSignal): Promise<boolean> {
    const patch = { count: written.count + 1, lastTimestamp: this.#now() };
    const ref = { namespace: record.subject.namespace, name: written.name };
    const options = { signal, priority: "event" as const };
    const result = await this.parts.api.patch(EVENTS, ref, patch, { uid: written.uid }, options);
    if (result.kind !== "done") return false;
    this.#remember(record, { ...written, count: patch.count });
    this.#count("written");
    return true;
  }

  async #create(record: EventRecord, signal: AbortSignal): Promise<void> {
    const now = this.#now();
    const { subject, type, reason } = record;
    const name = `${subject.name.slice(0, 200)}.${this.parts.random.id()}`;
    const event: KubeObject & Readonly<Record<string, unknown>> = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: subject.namespace },
      involvedObject: subject,
      type,
      reason,
      message: record.message.slice(0, MAX_MESSAGE_LENGTH),
      source: { component: "svc-ferry" },
      reportingComponent: "svc-ferry",
      reportingInstance: this.reporter,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    const result = await this.parts.api.create(EVENTS, event, { signal, priority: "event" });
    if (result.kind !== "done") return this.#count("failed");
    this.#count("written");
    const uid = result.object?.metadata.uid;
    if (uid !== undefined) this.#remember(record, { name, uid, count: 1 });
  }

  #remember(record: EventRecord, written: Written): void {
    const id = identity(record);
    this.#written.delete(id);
    this.#written.set(id, written);
    evictOldest(this.#written);
  }

  #withinBudget(record: EventRecord): boolean {
    const now = this.parts.clock.monotonicMs();
    const id = record.subject.uid;
    const bucket = this.#buckets.get(id) ?? { tokens: SPAM_BURST, filledAtMs: now };
    const refill = Math.floor((now - bucket.filledAtMs) / SPAM_REFILL_MS);
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + refill);
    bucket.filledAtMs += refill * SPAM_REFILL_MS;
    this.#buckets.delete(id);
    this.#buckets.set(id, bucket);
    evictOldest(this.#buckets);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #now(): string {
    return `${rfc3339(this.parts.clock.now()).slice(0, 19)}Z`;
  }

  #count(outcome: "written" | "failed" | "dropped" | "filtered"): void {
    this.parts.metrics.count("svc_ferry_events_total", { outcome });
  }
}

/** Equal Events are one Event that is counted up. */
function identity(record: EventRecord): string {
  return [record.subject.uid, record.reason, record.message].join("\n");
}

function evictOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}
