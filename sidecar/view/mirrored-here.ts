/**
 * What other links have mirrored into the source. It is never a source itself, or two directions would go round for ever. Known
 * from the ledgers that those links keep in the source, until a link is sealed or has left.
 *
 * 1. The ledgers are read in pages when a link is opened, and followed by a watch of `/svc-ferry/` while the source is followed.
 * 2. An object and its record are written in one transaction, but the watch of records may be behind the watch of objects. So for an
 *    object that is newer than what the watch of records has delivered, the record itself is asked for.
 *
 * NB: bulk transactions keep their records in batches, which cannot be asked for by path. They come by the watch alone; no
 * API server runs on the etcd that they are written into, so hardly anybody mirrors from there meanwhile.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import {
  WatchCompacted,
  prefixEnd,
  type Etcd,
  type EtcdCallOptions,
  type KeyValue,
  type WatchItem,
} from "../etcd/etcd.js";
import { transaction } from "../etcd/transaction.js";
import { HashSet } from "../ledger/hash-set.js";
import { decodeBatch } from "../ledger/record.js";
import { BOOKS, Keyspace } from "../link/keyspace.js";
import { isSealed } from "../link/state.js";

/** Records in one answer: names only, 100 kB. */
const PAGE_KEYS = 1_000;
/** Batches in one answer: each names up to 126 objects. */
const PAGE_BATCHES = 20;
/** Between two questions for names: of a thousand changes a second nearly each would ask for itself. */
const NAMES_EVERY_MS = 3;

/** One link that writes into the source. */
interface LinkHere {
  readonly keys: Keyspace;
  readonly paths: HashSet;
  /** Promoted: what it has mirrored belongs to the source now. */
  isSealed: boolean;
}

/** What whoever follows is told. */
export interface MirroredHereEvents {
  /** A link was sealed or has left: what it has mirrored may be a source now. */
  readonly freed: () => void;
  /** This path is no source from now on. */
  readonly mirrored: (path: string) => void;
}

export class MirroredHere {
  #links = new Map<string, LinkHere>();
  /** Everything that was recorded at or below this revision of the source is known. */
  #knownAt = -1n;
  /** No link that had begun at this revision is missing in `#links`. */
  #namedAt = -1n;
  #naming: Promise<void> | undefined;
  /** Monotonic ms of the last question for names. */
  #askedMs = -Infinity;

  constructor(
    private readonly etcd: Etcd,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Reads the ledgers; what was known before is forgotten. @throws EtcdError, BookUnreadable */
  async load(call: EtcdCallOptions): Promise<void> {
    this.#links = new Map();
    const { revision } = await this.#readNames(call);
    for (const link of this.#links.values()) await this.#read(link, call);
    this.#knownAt = revision;
    const links = [...this.#links].map(([name, { paths, isSealed }]) => ({
      ...{ link: name, objects: paths.size, sealed: isSealed },
    }));
    if (links.length > 0) {
      this.log.info(
        { links },
        "the source is a destination too: what is mirrored there is no source",
      );
    }
  }

  /** Known without a question: no link had begun then. */
  hasNone(revision: bigint): boolean {
    return this.#links.size === 0 && (revision <= this.#knownAt || revision <= this.#namedAt);
  }

  /**
   * @param revision mod_revision of the object's value in the source
   * @throws EtcdError
   */
  async has(path: string, revision: bigint, call: EtcdCallOptions): Promise<boolean> {
    const active = (): LinkHere[] => [...this.#links.values()].filter((one) => !one.isSealed);
    if (active().some(({ paths }) => paths.has(path))) return true;
    if (revision <= this.#knownAt) return false;
    while (this.#namedAt < revision) await this.#askNames(call);
    const links = active();
    return links.length > 0 && this.#ask(path, links, call);
  }

  /**
   * Follows the ledgers until `signal` aborts.
   * @throws EtcdError, BookUnreadable
   */
  async follow(on: MirroredHereEvents, signal: AbortSignal): Promise<never> {
    const range = { key: BOOKS, rangeEnd: prefixEnd(BOOKS) };
    for (;;) {
      signal.throwIfAborted();
      try {
        const from = this.#knownAt + 1n;
        for await (const item of this.etcd.watch({ range, from, signal })) this.#take(item, on);
      } catch (error) {
        if (!(error instanceof WatchCompacted)) throw error;
        await this.load({ signal });
        on.freed();
      }
    }
  }

  #take(item: WatchItem, on: MirroredHereEvents): void {
    switch (item.kind) {
      case "reconnected":
        return;
      case "progress":
        this.#knownAt = item.revision;
        return;
      case "events":
        for (const { kind, kv } of item.events) {
          this.#saw(kind === "put", kv, on);
          this.#knownAt = kv.modRevision;
        }
    }
  }

  #saw(isPut: boolean, kv: KeyValue, on: MirroredHereEvents): void {
    const link = this.#link(kv.key);
    const { keys, paths } = link;
    if (kv.key.startsWith(keys.ownPrefix)) {
      const path = kv.key.slice(keys.ownPrefix.length);
      if (isPut) paths.add(path);
      else paths.delete(path);
      if (isPut) on.mirrored(path);
    } else if (kv.key.startsWith(keys.batchPrefix) && isPut) {
      for (const { path } of decodeBatch(kv.value)) paths.add(path);
    } else if (kv.key === keys.state) {
      this.#sawState(link, isPut ? kv.value : undefined, on);
    }
  }

  /** @param state undefined: the link has left */
  #sawState(link: LinkHere, state: Buffer | undefined, on: MirroredHereEvents): void {
    const wasSealed = link.isSealed;
    link.isSealed = isSealed(state);
    if (state === undefined) this.#links.delete(link.keys.link);
    if (state === undefined || (link.isSealed && !wasSealed)) on.freed();
  }

  /** The link of a key among the books. */
  #link(key: string): LinkHere {
    const name = linkOf(key);
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link = { keys: new Keyspace(name), paths: new HashSet(), isSealed: false };
    this.#links.set(name, link);
    return link;
  }

  /** One question for all who have it at the same time. */
  async #askNames(call: EtcdCallOptions): Promise<void> {
    this.#naming ??= this.#readNamesSoon(call).then(
      () => void (this.#naming = undefined),
      (error: unknown) => {
        this.#naming = undefined;
        throw error;
      },
    );
    await this.#naming;
  }

  async #readNamesSoon(call: EtcdCallOptions): Promise<void> {
    const { clock } = this;
    const waitMs = this.#askedMs + NAMES_EVERY_MS - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs, call.signal);
    this.#askedMs = clock.monotonicMs();
    await this.#readNames(call);
  }

  /** One small read for each link. */
  async #readNames(call: EtcdCallOptions): Promise<{ readonly revision: bigint }> {
    let first: bigint | undefined;
    for (let key = BOOKS; ;) {
      const range = { key, rangeEnd: prefixEnd(BOOKS), limit: 1, keysOnly: true };
      const { header, kvs } = await this.etcd.range(range, call);
      first ??= header.revision;
      const [kv] = kvs;
      if (kv === undefined) break;
      key = prefixEnd(this.#link(kv.key).keys.base);
    }
    this.#namedAt = first;
    return { revision: first };
  }

  async #read(link: LinkHere, call: EtcdCallOptions): Promise<void> {
    const { keys, paths } = link;
    const [state] = (await this.etcd.range({ key: keys.state }, call)).kvs;
    link.isSealed = isSealed(state?.value);
    for await (const kv of this.#all(keys.batchPrefix, false, call)) {
      for (const { path } of decodeBatch(kv.value)) paths.add(path);
    }
    for await (const { key } of this.#all(keys.ownPrefix, true, call)) {
      paths.add(key.slice(keys.ownPrefix.length));
    }
  }

  async *#all(
    prefix: string,
    keysOnly: boolean,
    call: EtcdCallOptions,
  ): AsyncGenerator<KeyValue, void> {
    const rangeEnd = prefixEnd(prefix);
    const limit = keysOnly ? PAGE_KEYS : PAGE_BATCHES;
    for (let key = prefix; ;) {
      const { kvs, more } = await this.etcd.range({ key, rangeEnd, limit, keysOnly }, call);
      yield* kvs;
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      key = `${last.key}\0`;
    }
  }

  /** Asks for the records themselves, and whether their links are sealed. */
  async #ask(path: string, links: readonly LinkHere[], call: EtcdCallOptions): Promise<boolean> {
    const gets = links.flatMap(({ keys }) => [
      { kind: "get", key: keys.own(path), keysOnly: true } as const,
      { kind: "get", key: keys.state } as const,
    ]);
    const { results } = await this.etcd.txn(transaction([], gets, []), call);
    const found = results.map((one) => (one.kind === "get" ? one.kvs[0] : undefined));
    return links.some((_, at) => {
      const [record, state] = found.slice(2 * at);
      return record !== undefined && !isSealed(state?.value);
    });
  }
}

function linkOf(key: string): string {
  const [name = ""] = key.slice(BOOKS.length).split("/", 1);
  return name;
}
