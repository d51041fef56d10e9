import type { KubeObject, ListOptions } from "../ports/kube-api.js";
import type { Consumer } from "./consumer.js";
import { listPages } from "./list-pages.js";
import type { ReflectorOptions, Scope } from "./reflector-options.js";
import type { Store } from "./store.js";
import type { Replacement, StoreMerge } from "./stored.js";

/** Objects per page. Source: client-go tools/pager/pager.go. */
const PAGE_SIZE = 500;

export interface ListerParts<T> {
  readonly store: Store<T>;
  readonly consumer: Consumer<T>;
  /** The server sent an object. */
  readonly onContact: () => void;
}

/**
 * The lists of one reflector: of its whole scope, and of a part of it beside the running watch. A list of the whole goes first:
 * a part that overlaps one is listed again after it.
 */
export class Lister<T> {
  /** The whole list on its way, for those who must wait for its end; never rejects. */
  #listing: Promise<void> | undefined;
  #listsBegun = 0;

  constructor(
    private readonly options: ReflectorOptions<T>,
    private readonly parts: ListerParts<T>,
  ) {}

  /**
   * Lists the whole scope and hands it to `onListed`, with the version that the next watch begins at; not when `signal` aborts.
   * @throws what the list throws; the store is as it was then
   */
  async all(
    onListed: (replacement: Replacement<T>, version: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const ended = Promise.withResolvers<void>();
    this.#listing = ended.promise;
    this.#listsBegun += 1;
    try {
      await this.#listAll(onListed, signal);
    } finally {
      this.#listing = undefined;
      ended.resolve();
    }
  }

  /**
   * Lists a part of the scope and adds what the store lacks. What the store has, or the watch has touched since, is left to the
   * watch.
   * @throws what the list throws; nothing is merged then
   */
  async merge(part: Scope, signal: AbortSignal): Promise<void> {
    let isMerged = false;
    while (!isMerged) {
      await this.#listing;
      const merge = this.parts.store.beginMerge();
      try {
        isMerged = await this.#mergeOnce(merge, part, signal);
      } finally {
        merge.end();
      }
    }
  }

  async #listAll(
    onListed: (replacement: Replacement<T>, version: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { namespace, labelSelector, fieldSelector } = this.options;
    let limit: number | undefined = this.#pageSize;
    for (;;) {
      const replacement = this.parts.store.beginReplace();
      const each = (object: KubeObject): void => this.#stage(replacement, object);
      const options = { namespace, labelSelector, fieldSelector, limit };
      const version = await this.#pages(options, each, signal);
      if (signal.aborted) return;
      if (version !== undefined) return onListed(replacement, version);
      // Reading the pages took longer than the server keeps their version. Source: client-go pager, FullListIfExpired.
      limit = undefined;
    }
  }

  #stage(replacement: Replacement<T>, object: KubeObject): void {
    this.parts.onContact();
    const read = this.parts.consumer.read(object);
    switch (read.kind) {
      case "kept":
        return replacement.add(read.key, read.version, read.value);
      case "unkept":
        return replacement.add(read.key, read.version, undefined);
      case "unreadable":
        return replacement.keepAsItIs(read.key);
      case "nameless":
        return undefined;
    }
  }

  /** False: it could not be finished, or a list of the whole began meanwhile; nothing is merged. */
  async #mergeOnce(merge: StoreMerge<T>, part: Scope, signal: AbortSignal): Promise<boolean> {
    const { consumer } = this.parts;
    const listsBegun = this.#listsBegun;
    const objects: KubeObject[] = [];
    const each = (object: KubeObject): void => void objects.push(object);
    const options = { namespace: this.options.namespace, ...part, limit: this.#pageSize };
    const version = await this.#pages(options, each, signal);
    if (version === undefined || this.#listsBegun !== listsBegun) return false;
    for (const object of objects) {
      const read = consumer.read(object);
      if (read.kind === "kept") consumer.report(merge.add(read.key, read.version, read.value));
    }
    return true;
  }

  get #pageSize(): number {
    return this.options.pageSize ?? PAGE_SIZE;
  }

  #pages(
    options: ListOptions,
    each: (object: KubeObject) => void,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { api, resource, metadataOnly } = this.options;
    return listPages({ api, resource, options: { ...options, metadataOnly }, each }, signal);
  }
}
