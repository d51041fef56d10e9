/**
 * The leader's side of the hand-off: what admission let pass should come by in the watch. What does not is read from the API
 * server itself, so a watch that is late or stalled delays nothing, and what was never stored is told as such.
 */
import type { Service } from "../domain/objects.js";
import type { ServiceKey } from "../domain/service-key.js";
import { stampIn, type Stamp } from "../domain/stamp.js";
import type { Clock } from "../ports/clock.js";
import { ExpiringMap } from "../ports/expiring-map.js";
import type { Hint, HintSink } from "../ports/hint.js";
import type { KubeObject } from "../ports/kube-api.js";
import { parseRfc3339 } from "../ports/timestamps.js";
import { WorkQueue } from "../queue/work-queue.js";

/** How the expectation of one change ended. */
export type Outcome =
  /** The watch brought it. */
  | "seen"
  /** It was read, because the watch was late. */
  | "read"
  /** Something later was admitted for the same Service, and is expected in its place. */
  | "replaced"
  /** Something later is stored. */
  | "superseded"
  /** It was never stored: another webhook, a quota or a conflict refused it after we had let it pass. */
  | "abandoned";

export interface ExpectationParts {
  readonly clock: Clock;
  /** The Service as the cache has it; undefined: it has none, or none that is selected. */
  readonly cached: (service: ServiceKey) => Service | undefined;
  /** Quorum GET. undefined: there is none. @throws what the API client throws: asked again */
  readonly read: (service: ServiceKey, signal: AbortSignal) => Promise<KubeObject | undefined>;
  /** As the caches would keep it. */
  readonly parse: (object: KubeObject) => Service;
  /** Gives the caches what was read: it is what was expected, or later. */
  readonly observed: (service: ServiceKey, object: KubeObject | undefined) => void;
  readonly listener: ExpectationListener;
}

export interface ExpectationListener {
  /** A change is expected that was not before. */
  expected(hint: Hint): void;
  ended(hint: Hint, outcome: Outcome, attempts: number): void;
}

/** A watch is behind by milliseconds. */
const FIRST_LOOK_MS = 50;
/** Or by this, where the API server has more to do than it can: then it is not asked besides, as long as the watch brings others. */
const BEHIND_MS = 1_000;
const MAX_PAUSE_MS = 8_000;
/** The API server gives a request 60 s, with all its retries; what is not stored by then never is. */
const STORED_WITHIN_MS = 65_000;
/** Reads at once: hints for the watch's own failures, not a load. */
const READERS = 4;
/** More are not kept: the watch finds them, as it does without any webhook. */
const MAX_PENDING = 10_000;

/** Ours have 16; where nobody stamps, users write what they like. */
const MAX_ID_CHARS = 64;

interface Expected {
  readonly hint: Hint;
  /** The change that the cache showed when this one was announced: by whatever clock, it came before. */
  readonly before: string | undefined;
  readonly sinceMs: number;
  lookedMs: number;
  attempts: number;
}

export class Expectations implements HintSink {
  readonly #expected = new Map<ServiceKey, Expected>();
  /** Changes that the cache has shown. A hint may come later than its change, and than the next one's too. */
  readonly #shown: ExpiringMap<true>;
  /** Monotonic ms of the last change that the watch brought, of any Service in a namespace. */
  readonly #heardMsByNamespace = new Map<string, number>();
  #queue: WorkQueue<ServiceKey, undefined> | undefined;

  constructor(private readonly parts: ExpectationParts) {
    const { clock } = parts;
    this.#shown = new ExpiringMap({ clock, keepMs: STORED_WITHIN_MS, maxEntries: MAX_PENDING });
  }

  /** A later change of the same Service takes the place of an earlier one: it is what the Service has to become. */
  offer(hint: Hint): void {
    const { service } = hint;
    // Without a stamp there is nothing to know it by: the watch brings it.
    if (hint.changeId === undefined) return;
    const before = this.#expected.get(service);
    if (before === undefined && this.#expected.size >= MAX_PENDING) return;
    if (before !== undefined) {
      if (isSame(before.hint, hint)) return;
      this.parts.listener.ended(before.hint, "replaced", before.attempts);
    }
    const { clock, listener, cached } = this.parts;
    const nowMs = clock.monotonicMs();
    const expected: Expected = {
      hint,
      before: stampId(cached(service)),
      sinceMs: nowMs,
      lookedMs: nowMs,
      attempts: 0,
    };
    this.#expected.set(service, expected);
    listener.expected(hint);
    if (this.#shown.get(`${service} ${hint.changeId}`) === true) return this.#end(expected, "seen");
    this.#queue?.addAfter(service, FIRST_LOOK_MS, { priority: "live" });
  }

  /** The cache has something new about this Service. */
  changed(service: ServiceKey): void {
    this.#heardMsByNamespace.set(namespaceOf(service), this.parts.clock.monotonicMs());
    const found = this.parts.cached(service);
    const id = stampId(found);
    if (id !== undefined) this.#shown.set(`${service} ${id}`, true);
    const expected = this.#expected.get(service);
    if (expected !== undefined) this.#settle(expected, found, "seen");
  }

  /** Looks for what does not come by, until `signal` aborts. What is still expected then is the next leader's. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const queue = new WorkQueue<ServiceKey, undefined>({
      clock,
      baseDelayMs: FIRST_LOOK_MS,
      maxDelayMs: MAX_PAUSE_MS,
      mergeNotes: () => undefined,
    });
    this.#queue = queue;
    for (const service of this.#expected.keys()) queue.add(service, { priority: "live" });
    await Promise.all(Array.from({ length: READERS }, () => this.#look(queue, signal)));
    this.#queue = undefined;
    this.#expected.clear();
    await queue.close();
  }

  async #look(queue: WorkQueue<ServiceKey, undefined>, signal: AbortSignal): Promise<void> {
    for (;;) {
      const item = await queue.take(signal);
      if (item === undefined) return;
      if (await this.#isOver(item.key, signal)) queue.done(item.key);
      else queue.retry(item.key);
    }
  }

  /** The catch is this loop's own: a read that fails is made again, and at last given up with the change. */
  async #isOver(service: ServiceKey, signal: AbortSignal): Promise<boolean> {
    const expected = this.#expected.get(service);
    if (expected === undefined) return true;
    const before = this.parts.cached(service);
    if (this.#settle(expected, before, "seen")) return true;
    if (this.#isBehind(expected)) return false;
    expected.attempts += 1;
    try {
      const object = await this.parts.read(service, signal);
      // What the watch has brought meanwhile is newer than the answer, or the same.
      if (this.parts.cached(service)?.resourceVersion === before?.resourceVersion) {
        const found = object && this.parts.parse(object);
        if (this.#settle(expected, found, "read")) {
          this.parts.observed(service, object);
          return true;
        }
      }
    } catch {
      if (signal.aborted) return true;
    }
    if (this.parts.clock.monotonicMs() - expected.sinceMs < STORED_WITHIN_MS) return false;
    this.#end(expected, "abandoned");
    return true;
  }

  /** The watch has brought something else since the last look: it lives, and will bring this too if it is stored. */
  #isBehind(expected: Expected): boolean {
    const nowMs = this.parts.clock.monotonicMs();
    const heardMs = this.#heardMsByNamespace.get(namespaceOf(expected.hint.service)) ?? -Infinity;
    const isBehind = heardMs > expected.lookedMs && nowMs - expected.sinceMs < BEHIND_MS;
    expected.lookedMs = nowMs;
    return isBehind;
  }

  /** Is it as expected, or beyond that? */
  #settle(expected: Expected, found: Service | undefined, how: "seen" | "read"): boolean {
    const outcome = judge(expected, found, how);
    if (outcome === undefined) return false;
    this.#end(expected, outcome === "stored" ? how : outcome);
    return true;
  }

  #end(expected: Expected, outcome: Outcome): void {
    const { hint, attempts } = expected;
    // A later one has taken its place, and is told of for itself.
    if (this.#expected.get(hint.service) !== expected) return;
    this.#expected.delete(hint.service);
    this.#queue?.drop(hint.service);
    this.parts.listener.ended(hint, outcome, attempts);
  }
}

/** One conflict inside the API server runs the whole admission chain again. */
function isSame(one: Hint, other: Hint): boolean {
  return one.changeId === other.changeId && one.operation === other.operation;
}

function namespaceOf(service: ServiceKey): string {
  return service.slice(0, service.indexOf("/"));
}

/** undefined: not yet. */
function judge(
  expected: Expected,
  found: Service | undefined,
  how: "seen" | "read",
): "stored" | "superseded" | undefined {
  const { hint, before } = expected;
  if (hint.operation === "delete") {
    return found === undefined || found.deleting || found.uid !== hint.uid ? "stored" : undefined;
  }
  const stamp = found && stampIn(found.annotations);
  if (stamp?.id === hint.changeId) return "stored";
  if (stamp?.id !== before && isLater(stamp, hint)) return "superseded";
  return isAnother(hint, found, how) ? "superseded" : undefined;
}

function stampId(service: Service | undefined): string | undefined {
  const id = service && stampIn(service.annotations)?.id;
  return id !== undefined && id.length <= MAX_ID_CHARS ? id : undefined;
}

/**
 * The object that was changed has gone. A cache that has nothing may be late, or the Service is not selected any more; a read does
 * not lie.
 *
 * NB: one that is created has a uid in admission already, but keeps it only if it is stored.
 */
function isAnother(
  { operation, uid }: Hint,
  found: Service | undefined,
  how: "seen" | "read",
): boolean {
  if (found === undefined && how === "seen") return false;
  return operation === "update" && found?.uid !== uid;
}

function isLater(stamp: Stamp | undefined, { admittedAtMs }: Hint): boolean {
  const atMs = stamp && parseRfc3339(stamp.at);
  return atMs !== undefined && atMs > admittedAtMs;
}
