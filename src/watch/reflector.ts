import type { KubeObject, WatchEvent } from "../ports/kube-api.js";
import { Consumer } from "./consumer.js";
import { hasNamespaceGone } from "./gone-namespace.js";
import { Health } from "./health.js";
import { ListSchedule } from "./list-schedule.js";
import { Lister } from "./lister.js";
import { isOlder, versionOf } from "./object-version.js";
import { isVersionError, Pace } from "./pace.js";
import type { ReflectorOptions, ReflectorState, RelistReason, Scope } from "./reflector-options.js";
import { Store } from "./store.js";
import type { Replacement } from "./stored.js";

/** How often a running watch is checked for assumptions that it should have confirmed long ago. */
const CHECK_MS = 30_000;
/** A watch is behind by milliseconds; what it has not confirmed after this it never will. */
const UNCONFIRMED_MS = 60_000;
/** The server ends a watch after this, at random up to twice of it. Source: client-go tools/cache/reflector.go. */
const WATCH_SECONDS = 300;

/**
 * Keeps a Store equal to what one API server has, and says what changed.
 *
 * 1. List in pages into a new map, then replace the store's and report the differences.
 * 2. Watch from the list's version on. When the watch ends or breaks, go on from the last version that was delivered, after one
 *    look whether the server's own version went backwards meanwhile.
 * 3. Whatever cannot be continued begins again at 1. Nothing that is thrown ends the loop, only the signal does.
 *
 * NB: a server whose etcd was restored and then written until it is past our version again cannot be told from a healthy one;
 * the periodic list levels that.
 */
export class Reflector<T> {
  readonly store: Store<T>;
  readonly #consumer: Consumer<T>;
  readonly #health: Health;
  readonly #lister: Lister<T>;
  readonly #pace: Pace;
  readonly #schedule: ListSchedule;
  readonly #firstList = Promise.withResolvers<void>();
  #isSynced = false;
  #relists = 0;
  /** The last version that the store has seen: the next watch begins there. */
  #position = "";
  /** Ends the guard's sleep. */
  #nudge: AbortController | undefined;

  constructor(private readonly options: ReflectorOptions<T>) {
    const { clock, random, relistEveryMs = 900_000 } = options;
    this.store = new Store(clock);
    this.#consumer = new Consumer(options);
    this.#health = new Health(options);
    this.#lister = new Lister(options, {
      store: this.store,
      consumer: this.#consumer,
      onContact: () => this.#health.contact(),
    });
    this.#pace = new Pace(random);
    this.#schedule = new ListSchedule(clock, random, relistEveryMs);
  }

  get state(): ReflectorState {
    return this.#health.state;
  }

  /** Monotonic ms at which the server last sent something; undefined before the first time. */
  get lastContactMs(): number | undefined {
    return this.#health.lastContactMs;
  }

  /** Resolves when the first list is in the store and reported. Never rejects; pending for as long as no list succeeds. */
  get synced(): Promise<void> {
    return this.#firstList.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Lists that came in. */
  get relists(): number {
    return this.#relists;
  }

  /** Runs until `signal` aborts. Never rejects. Called once. */
  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const delayMs = await this.#step(signal);
      if (delayMs > 0) await this.options.clock.sleep(delayMs, signal);
    }
  }

  /**
   * Asks for a list that starts after this call, because the caller has a proof that the store is wrong. Calls before it starts
   * are one. Lists follow each other at most once a second; until then the watch goes on.
   */
  relist(): void {
    this.#schedule.want("requested");
    this.#nudge?.abort();
  }

  /**
   * Lists a part of the scope and adds what the store lacks, beside the running watch: for objects that `keep` did not want when
   * they came by. @throws what the list throws; nothing is merged then
   */
  merge(part: Scope, signal: AbortSignal): Promise<void> {
    return this.#lister.merge(part, signal);
  }

  /** One list and the watch after it, or the next watch. @returns ms to wait before the next step */
  async #step(signal: AbortSignal): Promise<number> {
    const { reason } = this.#schedule;
    try {
      if (reason !== undefined) {
        await this.#list(reason, signal);
      } else if (await this.#wentBackwards(signal)) {
        this.#schedule.want("backwards");
        return 0;
      }
    } catch (error) {
      if (signal.aborted) return 0;
      await this.#failed(error, signal);
      return reason === undefined ? this.#watchDelayMs(error, 0) : this.#pace.listFailed(error);
    }
    return signal.aborted ? 0 : this.#watch(signal);
  }

  async #list(reason: RelistReason, signal: AbortSignal): Promise<void> {
    const { gapMs } = this.#schedule;
    if (gapMs > 0) await this.options.clock.sleep(gapMs, signal);
    this.#schedule.begun();
    this.#health.state = "listing";
    try {
      await this.#lister.all((listed, version) => this.#commit(listed, version, reason), signal);
    } catch (error) {
      this.#schedule.want(reason);
      throw error;
    }
  }

  #commit(replacement: Replacement<T>, version: string, reason: RelistReason): void {
    this.#position = version;
    this.#schedule.listed();
    this.#pace.listed();
    this.#health.works();
    this.#health.state = "synced";
    for (const change of replacement.commit()) this.#consumer.report(change);
    this.#relists += 1;
    this.#isSynced = true;
    this.#firstList.resolve();
    this.options.observer?.relisted(reason);
    this.#consumer.relisted(this.#relists);
  }

  /** Whether the server is behind what it has told us before. Asked without label selector: that would make it search. */
  async #wentBackwards(signal: AbortSignal): Promise<boolean> {
    const { api, resource, namespace, fieldSelector } = this.options;
    const options = { namespace, fieldSelector, limit: 1, metadataOnly: true };
    const page = await api.list(resource, options, signal);
    this.#health.contact();
    return isOlder(page.resourceVersion, this.#position) ?? true;
  }

  /** @returns ms to wait before the next step */
  async #watch(signal: AbortSignal): Promise<number> {
    const { api, clock, resource, random, metadataOnly, stallMs = 90_000 } = this.options;
    const { namespace, labelSelector, fieldSelector } = this.options;
    const interrupt = new AbortController();
    const stop = (): void => interrupt.abort();
    signal.addEventListener("abort", stop, { once: true });
    const openedMs = clock.monotonicMs();
    const timeoutSeconds = Math.floor(WATCH_SECONDS * (1 + random.next()));
    const resourceVersion = this.#position;
    const scope = { namespace, labelSelector, fieldSelector };
    const options = { ...scope, metadataOnly, resourceVersion, timeoutSeconds, stallMs };
    this.#health.state = "watching";
    const guard = this.#guard(interrupt);
    try {
      const onEvent = (event: WatchEvent): void => this.#onEvent(event, interrupt);
      await api.watch(resource, options, onEvent, interrupt.signal);
      this.#health.state = "synced";
      return interrupt.signal.aborted ? 0 : this.#pace.watchEnded(clock.monotonicMs() - openedMs);
    } catch (error) {
      if (interrupt.signal.aborted) return 0;
      await this.#failed(error, signal);
      return this.#watchDelayMs(error, clock.monotonicMs() - openedMs);
    } finally {
      signal.removeEventListener("abort", stop);
      interrupt.abort();
      this.#nudge?.abort();
      await guard;
    }
  }

  #onEvent(event: WatchEvent, interrupt: AbortController): void {
    if (interrupt.signal.aborted) return;
    this.#health.works();
    this.#pace.delivered();
    const { resourceVersion } = event.kind === "bookmark" ? event : event.object.metadata;
    if (resourceVersion === undefined) return;
    if (isOlder(resourceVersion, this.#position) === true) {
      this.#schedule.want("backwards");
      interrupt.abort();
      return;
    }
    this.#position = resourceVersion;
    if (event.kind === "deleted") this.#delete(event.object);
    else if (event.kind !== "bookmark") this.#set(event.object);
  }

  #set(object: KubeObject): void {
    const version = versionOf(object);
    if (version !== undefined && this.store.confirms(version.key, version)) return;
    const read = this.#consumer.read(object);
    if (read.kind !== "kept" && read.kind !== "unkept") return;
    const value = read.kind === "kept" ? read.value : undefined;
    this.#consumer.report(this.store.observe(read.key, read.version, value));
  }

  #delete(object: KubeObject): void {
    const version = versionOf(object);
    if (version === undefined) return;
    this.#consumer.report(this.store.observeDeleted(version.key, version));
  }

  /** Runs beside a watch and ends it when a list is due. */
  async #guard(interrupt: AbortController): Promise<void> {
    const { clock } = this.options;
    while (!interrupt.signal.aborted) {
      const assumedMs = this.store.oldestAssumptionMs ?? Infinity;
      if (clock.monotonicMs() - assumedMs >= UNCONFIRMED_MS) this.#schedule.want("unconfirmed");
      const dueMs = this.#schedule.dueMs();
      if (dueMs <= 0) {
        interrupt.abort();
        return;
      }
      this.#nudge = new AbortController();
      await clock.sleep(Math.min(dueMs, CHECK_MS), this.#nudge.signal);
    }
  }

  /** A namespace that has gone has taken its Role along: nothing is left there, and a list that succeeds comes before a watch. */
  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    this.#health.failed(error);
    if (!(await hasNamespaceGone(this.options, error, signal)) || signal.aborted) return;
    this.#schedule.want("errors");
    this.#health.contact();
    this.#health.state = "synced";
    for (const change of this.store.beginReplace().commit()) this.#consumer.report(change);
    this.#isSynced = true;
    this.#firstList.resolve();
  }

  /** @returns ms to wait after a watch that failed */
  #watchDelayMs(error: unknown, lastedMs: number): number {
    const { relist, delayMs } = this.#pace.watchFailed(error, lastedMs);
    if (relist) this.#schedule.want(isVersionError(error) ? "version" : "errors");
    return delayMs;
  }
}
