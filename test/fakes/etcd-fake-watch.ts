/** One watch of the fake etcd: history first, then what comes, with the rules of the port about cuts and compaction. */
import {
  type EtcdHeader,
  type EtcdWatchOptions,
  WatchCompacted,
  type WatchedEvent,
  type WatchItem,
} from "../../sidecar/etcd/etcd.js";
import type { EtcdStore } from "./etcd-store.js";
import type { ProcessTime } from "./virtual-clock.js";

/** What a watch sees of its server. */
export interface WatchedServer {
  readonly store: EtcdStore;
  readonly clock: ProcessTime;
  readonly header: EtcdHeader;
  readonly outage: boolean;
  /** undefined: a server whose progress cannot be trusted. */
  readonly progressMs: number | undefined;
}

/** Revisions in one item at most, as etcd batches a watch that catches up. */
const BATCH_REVISIONS = 1_000;

export class FakeWatch {
  /** Where a new stream would begin. */
  #resume: bigint;
  /** Where this stream is; ahead of `#resume` while nothing of the range happens. */
  #position: bigint;
  #compacted = false;
  #cut = false;
  #wake: () => void = () => {};

  constructor(
    private readonly server: WatchedServer,
    private readonly options: EtcdWatchOptions,
  ) {
    this.#resume = options.from;
    this.#position = options.from;
    this.#open();
  }

  /** Something changed: look again. */
  readonly wake = (): void => this.#wake();

  /** The stream breaks; the next one begins where the consumer is. */
  cut(): void {
    this.#cut = true;
    this.#wake();
  }

  /** Called before the store forgets: events that were not taken yet are lost with it. */
  beforeCompaction(revision: bigint): void {
    const { range } = this.options;
    const [next] = this.server.store.events(range, this.#position);
    if (next !== undefined && next.kv.modRevision < revision) this.#compacted = true;
    else if (!this.#cut && this.#position < revision) this.#position = revision;
  }

  async *items(): AsyncGenerator<WatchItem, void, undefined> {
    const { signal } = this.options;
    while (!signal.aborted) {
      const item = this.#next() ?? (await this.#idle());
      if (item !== undefined) yield item;
    }
  }

  #next(): WatchItem | undefined {
    const { server } = this;
    if (server.outage) return undefined;
    if (this.#cut) {
      this.#cut = false;
      this.#position = this.#resume;
      this.#open();
      return { kind: "reconnected" };
    }
    if (this.#compacted) throw new WatchCompacted(server.store.compacted);
    const events = batch(server.store.events(this.options.range, this.#position));
    const last = events.at(-1);
    if (last === undefined) {
      this.#position = max(this.#position, server.store.revision + 1n);
      return undefined;
    }
    this.#resume = last.kv.modRevision + 1n;
    this.#position = this.#resume;
    return { kind: "events", header: server.header, events };
  }

  /** A stream that begins at a forgotten revision is refused. */
  #open(): void {
    if (this.#position < this.server.store.compacted) this.#compacted = true;
  }

  /** Until something happens, or nothing has for so long that progress is told. */
  async #idle(): Promise<WatchItem | undefined> {
    const { signal } = this.options;
    const { clock, progressMs } = this.server;
    let cancel = (): void => {};
    const woken = await new Promise<"changed" | "quiet">((resolve) => {
      this.#wake = () => resolve("changed");
      signal.addEventListener("abort", this.#wake);
      if (progressMs !== undefined) cancel = clock.schedule(progressMs, () => resolve("quiet"));
    });
    cancel();
    signal.removeEventListener("abort", this.#wake);
    this.#wake = () => {};
    return woken === "quiet" && !this.server.outage ? this.#progress() : undefined;
  }

  #progress(): WatchItem {
    const { header } = this.server;
    this.#resume = max(this.#resume, header.revision + 1n);
    return { kind: "progress", header, revision: header.revision };
  }
}

/** Whole revisions only. */
function batch(events: readonly WatchedEvent[]): readonly WatchedEvent[] {
  const first = events[0];
  if (first === undefined) return [];
  const end = events.findIndex(
    ({ kv }) => kv.modRevision >= first.kv.modRevision + BigInt(BATCH_REVISIONS),
  );
  return end === -1 ? events : events.slice(0, end);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
