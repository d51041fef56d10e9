/** The watches that are open on one fake API server. */
import type { Resource, WatchEvent, WatchOptions } from "../../src/ports/kube-api.js";
import { type ApiFailure, badRequest, expired } from "./api-failure.js";
import type { Change, MemoryEtcd } from "./memory-etcd.js";
import { type Matcher, matcher } from "./selectors.js";
import { collectionOf, type StoredObject } from "./stored-object.js";
import type { Scheduler } from "./virtual-clock.js";

/** Where one watch's events go, in order. After `end` or `fail` nothing follows. */
export interface WatchSink {
  event(event: WatchEvent): void;
  end(): void;
  fail(failure: ApiFailure): void;
  /** The server is gone without a word. */
  cut(): void;
}

/** The watch cache sends a bookmark about once a minute, and two seconds before the watch's end (apiserver storage/cacher; measured). It promises none. */
const BOOKMARK_EVERY_MS = 60_000;
const BOOKMARK_BEFORE_END_MS = 2_000;

export class WatchHub {
  readonly #watches = new Map<string, Set<OpenWatch>>();

  constructor(
    private readonly etcd: MemoryEtcd,
    private readonly clock: Scheduler,
    /**
     * Whether etcd tells the watch cache how far it is (`--watch-progress-notify-interval=5s`, as kubeadm sets it). Without
     * it the bookmarks of a quiet collection stay at its last change, and a watch that was opened behind that gets none at
     * all: measured with etcd's default, a quiet watch was silent for 121 s.
     */
    private readonly progressNotify: boolean,
  ) {
    etcd.onChange((change) => {
      for (const watch of this.#watches.get(change.collection) ?? []) watch.offer(change);
    });
  }

  /** How many are open. */
  get size(): number {
    return [...this.#watches.values()].reduce((sum, watches) => sum + watches.size, 0);
  }

  /**
   * Sends what came after `options.resourceVersion`, then what comes. A revision of the future is no error: nothing is
   * sent until it is passed, no bookmark either (measured). The answer closes the watch without a word to the sink.
   */
  open(resource: Resource, options: WatchOptions, sink: WatchSink): () => void {
    const from = Number(options.resourceVersion);
    if (!Number.isSafeInteger(from) || from < 1) {
      sink.fail(badRequest(`invalid resource version "${options.resourceVersion}"`));
      return () => undefined;
    }
    if (from < this.etcd.compactedRevision) {
      // HTTP 200, then an ERROR event (measured).
      sink.fail(expired(`too old resource version: ${from} (${this.etcd.compactedRevision})`));
      return () => undefined;
    }
    const collection = collectionOf(resource);
    const watch = new OpenWatch(options, from, sink);
    const watches = this.#watches.get(collection) ?? new Set();
    this.#watches.set(collection, watches.add(watch));
    for (const change of this.etcd.changesSince(collection, from)) watch.offer(change);
    const stopTimers = this.#timers(watch, collection, options.timeoutSeconds * 1000, () => {
      watches.delete(watch);
      sink.end();
    });
    watch.onClose = () => {
      watches.delete(watch);
      stopTimers();
    };
    return watch.onClose;
  }

  /** All of them at once: the server was killed. */
  cutAll(): void {
    const watches = [...this.#watches.values()].flatMap((set) => [...set]);
    for (const watch of watches) {
      watch.onClose();
      watch.sink.cut();
    }
  }

  #timers(watch: OpenWatch, collection: string, timeoutMs: number, end: () => void): () => void {
    let cancelBookmark = (): void => undefined;
    const bookmarks = (leftMs: number): void => {
      const beforeEndMs = leftMs - BOOKMARK_BEFORE_END_MS;
      if (beforeEndMs <= 0) return;
      const delayMs = Math.min(BOOKMARK_EVERY_MS, beforeEndMs);
      cancelBookmark = this.clock.schedule(delayMs, () => {
        watch.bookmark(this.#progress(collection));
        bookmarks(leftMs - delayMs);
      });
    };
    bookmarks(timeoutMs);
    const cancelEnd = this.clock.schedule(timeoutMs, () => {
      cancelBookmark();
      end();
    });
    return () => {
      cancelBookmark();
      cancelEnd();
    };
  }

  #progress(collection: string): number {
    if (this.progressNotify) return this.etcd.revision;
    return this.etcd.changesSince(collection, 0).at(-1)?.revision ?? 0;
  }
}

class OpenWatch {
  readonly #matches: Matcher;
  onClose: () => void = () => undefined;

  constructor(
    private readonly options: WatchOptions,
    private readonly from: number,
    readonly sink: WatchSink,
  ) {
    this.#matches = matcher(options.labelSelector, options.fieldSelector);
  }

  /**
   * An object that begins to match is ADDED, one that ceases to is DELETED with its previous content and the new
   * revision (measured: the labels of that DELETED are the old ones).
   */
  offer(change: Change): void {
    if (change.revision <= this.from) return;
    const had = this.#sees(change.before);
    const has = this.#sees(change.after);
    if (has && change.after !== undefined) {
      this.sink.event({ kind: had ? "modified" : "added", object: this.#shown(change.after) });
    } else if (had && change.gone !== undefined) {
      this.sink.event({ kind: "deleted", object: this.#shown(change.gone) });
    }
  }

  bookmark(revision: number): void {
    if (revision > this.from) {
      this.sink.event({ kind: "bookmark", resourceVersion: String(revision) });
    }
  }

  #sees(stored: StoredObject | undefined): boolean {
    if (stored === undefined) return false;
    const { namespace } = this.options;
    const inNamespace = namespace === undefined || stored.full.metadata.namespace === namespace;
    return inNamespace && this.#matches(stored.full);
  }

  #shown(stored: StoredObject): StoredObject["full"] {
    return this.options.metadataOnly === true ? stored.partial : stored.full;
  }
}
