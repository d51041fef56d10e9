/**
 * The way out: everything that a link has written down goes, and with `remove` the objects that nobody has touched since it wrote
 * them. Holds the fence while it works, so that no mirror of the link writes meanwhile.
 */
import type { Clock } from "../../src/ports/clock.js";
import type { Log } from "../../src/ports/log.js";
import type { LeaveAnswer, LeaveHow } from "../../src/ports/mirror-answers.js";
import { prefixEnd, type KeyValue } from "../etcd/etcd.js";
import { Fence } from "../fence/fence.js";
import { foldBatches } from "../ledger/fold.js";
import { decodeRecord, type LedgerRecord } from "../ledger/record.js";
import { compareKeys, KubePrefix } from "../link/keyspace.js";
import { Pace } from "../writer/pace.js";
import { needsApi } from "../writer/removal.js";
import { compareOf, leftAt } from "../writer/seen.js";
import { Transactions } from "../writer/transactions.js";
import { cannot, noSuchLink } from "./cannot.js";
import type { LinkBooks } from "./link-books.js";

export interface Leaving {
  readonly books: LinkBooks;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the destination. */
  readonly kubePrefix: string;
  /** What others are told while it works. */
  readonly identity: string;
  readonly how: LeaveHow;
}

/** Records in one answer, and removals side by side. */
const PAGE = 500;
const AT_ONCE = 32;
/** Objects that are named because they stay. */
const NAMED = 100;

/** @throws EtcdError, BookUnreadable; FenceLost when another process took the link over meanwhile */
export async function leave(leaving: Leaving, signal: AbortSignal): Promise<LeaveAnswer> {
  const { books, clock, log, identity } = leaving;
  if ((await books.state({ signal })) === undefined) return noSuchLink(books, signal);
  const holder = await books.holder({ signal });
  if (holder !== undefined) {
    return cannot(
      `link ${books.keys.link} is being written by ${holder}`,
      "stop every mirror of this link first; one that was killed holds the fence for a few seconds more",
    );
  }
  const fence = await new Fence({
    etcd: books.etcd,
    clock,
    log,
    keys: books.keys,
    identity,
  }).acquire(signal);
  try {
    const pace = new Pace(clock, undefined);
    return await new Leave(
      leaving,
      new Transactions({ etcd: books.etcd, clock, log, pace, fence }),
    ).run();
  } finally {
    await fence.release();
  }
}

class Leave {
  #owned = 0;
  #removed = 0;
  #marked = 0;
  #stayedMore = 0;
  readonly #stayed: { path: string; why: string }[] = [];
  readonly #prefix: KubePrefix;

  constructor(
    private readonly leaving: Leaving,
    private readonly transactions: Transactions,
  ) {
    this.#prefix = new KubePrefix(leaving.kubePrefix);
  }

  async run(): Promise<LeaveAnswer> {
    const { transactions } = this;
    const { keys } = this.leaving.books;
    await foldBatches(transactions, keys);
    const rangeEnd = prefixEnd(keys.ownPrefix);
    for (let key = keys.ownPrefix; ;) {
      const { kvs, more } = await transactions.range({ key, rangeEnd, limit: PAGE });
      for (let at = 0; at < kvs.length; at += AT_ONCE) {
        await Promise.all(kvs.slice(at, at + AT_ONCE).map((kv) => this.#letGo(kv)));
      }
      const last = kvs.at(-1);
      if (!more || last === undefined) break;
      key = `${last.key}\0`;
    }
    await this.#forget();
    return {
      kind: "left",
      owned: this.#owned,
      removed: this.#removed,
      marked: this.#marked,
      stayed: this.#stayed.toSorted((a, b) => compareKeys(a.path, b.path)),
      stayedMore: this.#stayedMore,
    };
  }

  async #letGo(kv: KeyValue): Promise<void> {
    this.#owned += 1;
    const path = kv.key.slice(this.leaving.books.keys.ownPrefix.length);
    const record = decodeRecord(kv.value);
    // It never goes from here: only its API server could take the mark off, or the object away.
    if (record.via === "api") this.#marked += 1;
    if (this.leaving.how === "keep") return;
    if (record.via === "api" || needsApi(path)) {
      this.#stays(path, "only the destination's API server may delete it: kubectl delete");
      return;
    }
    if (await this.#remove(path, kv, record)) this.#removed += 1;
  }

  /**
   * One object in one transaction: API servers lose events of others otherwise. Whoever has written it since we did keeps it.
   * @returns whether it is gone because of us
   */
  async #remove(path: string, kv: KeyValue, record: LedgerRecord): Promise<boolean> {
    const key = this.#prefix.key(path);
    const revision = leftAt(record, kv);
    for (;;) {
      const committed = await this.transactions.commit({
        compare: [compareOf({ key, revision })],
        write: [
          { kind: "delete", key },
          { kind: "delete", key: kv.key },
        ],
        look: [key],
      });
      if (committed.kind === "done") return true;
      const [data] =
        committed.kind === "conflict" ? committed.found : await this.transactions.read([key]);
      // Of an answer that was lost nobody knows whether it was we who removed it: it counts as ours.
      if (data === undefined) return committed.kind === "unknown";
      if (data.modRevision === revision) continue;
      this.#stays(path, "somebody has written it since the mirror did");
      return false;
    }
  }

  #stays(path: string, why: string): void {
    if (this.#stayed.length < NAMED) this.#stayed.push({ path, why });
    else this.#stayedMore += 1;
  }

  /** All but the fence's key, which goes with its lease when the fence is given back: until then it proves that nobody else writes. */
  async #forget(): Promise<void> {
    const { base, fence } = this.leaving.books.keys;
    const write = [
      { kind: "delete", key: base, rangeEnd: fence },
      { kind: "delete", key: `${fence}\0`, rangeEnd: prefixEnd(base) },
    ] as const;
    while ((await this.transactions.commit({ compare: [], write, look: [] })).kind === "unknown");
  }
}
