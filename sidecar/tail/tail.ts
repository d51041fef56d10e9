/** Follows the source: every event becomes an observation, Namespaces and CRDs also change what all others mean. */
import { NAMESPACES, CRDS } from "../view/source-view.js";
import {
  WatchCompacted,
  prefixEnd,
  type EtcdHeader,
  type WatchedEvent,
  type WatchItem,
} from "../etcd/etcd.js";
import type { LowWaterMark, Ticket } from "../writer/low-water-mark.js";
import { peekPatiently } from "../writer/patient-reading.js";
import type { WriterParts } from "../writer/parts.js";
import { IGNORED, type Offered, type Writer } from "../writer/writer.js";
import type { Rescans } from "./rescans.js";

export class Tail {
  constructor(
    private readonly parts: WriterParts,
    private readonly writer: Writer,
    private readonly mark: LowWaterMark,
    private readonly rescans: Rescans,
    private readonly onHeader: (header: EtcdHeader) => void,
  ) {}

  /**
   * Runs until what it needs is compacted.
   * @param from first revision that is wanted
   * @param labelsRevision no Namespace is known as of later: an older word about one may be the reason why an object was judged
   * otherwise, so it is looked at again
   * @throws what ended the term
   */
  async run(from: bigint, labelsRevision: bigint, signal: AbortSignal): Promise<"compacted"> {
    const { source, sourcePrefix } = this.parts;
    const range = { key: sourcePrefix.prefix, rangeEnd: prefixEnd(sourcePrefix.prefix) };
    try {
      for await (const item of source.watch({ range, from, signal })) {
        await this.#take(item, labelsRevision, signal);
      }
    } catch (error) {
      if (error instanceof WatchCompacted) return "compacted";
      throw error;
    }
    signal.throwIfAborted();
    throw new Error("a watch ended though nobody has asked it to");
  }

  /** The next item is not asked for before all of this one have found a place: that is the back-pressure. */
  async #take(item: WatchItem, labelsRevision: bigint, signal: AbortSignal): Promise<void> {
    switch (item.kind) {
      case "reconnected":
        return;
      case "progress":
        this.onHeader(item.header);
        this.mark.readUpTo(item.revision);
        return;
      case "events": {
        this.onHeader(item.header);
        for (const event of item.events) {
          signal.throwIfAborted();
          await this.#event(event, labelsRevision);
        }
        const last = item.events.at(-1);
        if (last !== undefined) this.mark.readUpTo(last.kv.modRevision);
        return;
      }
    }
  }

  async #event({ kind, kv }: WatchedEvent, labelsRevision: bigint): Promise<void> {
    const { clock, sourcePrefix } = this.parts;
    const path = sourcePrefix.path(kv.key);
    const revision = kv.modRevision;
    const ticket = this.mark.begin(revision, clock.monotonicMs());
    const present = kind === "put" ? kv : undefined;
    if (path.startsWith(NAMESPACES)) {
      await this.#namespace(path.slice(NAMESPACES.length), present, revision, labelsRevision);
    } else if (path.startsWith(CRDS)) {
      await this.#crd(path.slice(CRDS.length), present, revision);
    }
    const observation = { path, revision, kv: present, cause: "event" } as const;
    const offering = this.writer.offer(observation, "live");
    const offered = offering instanceof Promise ? await offering : offering;
    if (offered === IGNORED) this.mark.done(ticket);
    else this.#whenDone(offered, ticket);
  }

  /** A write that fails for good ends the term; the mark stays below it. */
  #whenDone({ done }: Offered, ticket: Ticket): void {
    done.then(
      () => this.mark.done(ticket),
      () => undefined,
    );
  }

  async #namespace(
    name: string,
    kv: WatchedEvent["kv"] | undefined,
    revision: bigint,
    labelsRevision: bigint,
  ): Promise<void> {
    const { view } = this.parts;
    const object = kv === undefined ? undefined : await peekPatiently(this.parts, kv);
    if (kv !== undefined && object === undefined) {
      view.namespaces.sawUnread(name, revision);
      return;
    }
    const isNews = view.namespaces.set(name, object?.meta.labels, revision);
    if (!view.rules.usesNamespaceSelectors) return;
    if (isNews || revision <= labelsRevision) this.rescans.namespace(name, revision);
  }

  async #crd(name: string, kv: WatchedEvent["kv"] | undefined, revision: bigint): Promise<void> {
    const { view } = this.parts;
    if (kv === undefined) {
      view.lostCrd(name);
      return;
    }
    const object = await peekPatiently(this.parts, kv);
    const before = view.catalog.crds.find((crd) => crd.name === name);
    const changed = view.sawCrd(name, object);
    const after = view.catalog.crds.find((crd) => crd.name === name);
    // Its objects may have come before it; those of a CRD that is gone go by their own events.
    if (changed && after !== undefined && before === undefined) {
      this.rescans.prefix(`${after.group}/${after.plural}/`, revision);
    }
  }
}
