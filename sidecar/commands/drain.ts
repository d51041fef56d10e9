/** Waits until a running mirror has applied everything that the source held when the command began. */
import type { Clock } from "../../src/ports/clock.js";
import type { DrainAnswer } from "../../src/ports/mirror-answers.js";
import { EtcdError, type Etcd } from "../etcd/etcd.js";
import { isUnchanged } from "../etcd/unchanged.js";
import { isSearching, type LinkState } from "../link/state.js";
import { cannot, noSuchLink } from "./cannot.js";
import type { LinkBooks } from "./link-books.js";

export interface Draining {
  readonly source: Etcd;
  /** What the mirror watches there: "/registry/". */
  readonly sourcePrefix: string;
  readonly books: LinkBooks;
  readonly clock: Clock;
  readonly waitMs: number;
}

/** Between two looks at the checkpoint, which a mirror at work writes every few seconds. */
const LOOK_MS = 500;

/** @throws EtcdError, BookUnreadable */
export async function drain(draining: Draining, signal: AbortSignal): Promise<DrainAnswer> {
  const { source, sourcePrefix, books, clock, waitMs } = draining;
  const endMs = clock.monotonicMs() + waitMs;
  const { revision } = await source.revision({ signal });
  const goal = new Goal(source, sourcePrefix, revision);
  for (;;) {
    const read = await books.state({ signal });
    if (read === undefined) return noSuchLink(books, signal);
    const { applied, phase } = read.state;
    if (phase === "sealed") {
      return cannot(`link ${books.keys.link} is sealed`, "there is nothing to drain");
    }
    if (applied !== undefined && (await goal.isReached(read.state, signal))) {
      return {
        kind: "drained",
        sourceRevision: revision.toString(),
        appliedRevision: applied.toString(),
        debts: await books.debts({ signal }),
      };
    }
    if (clock.monotonicMs() >= endMs) {
      if ((await books.holder({ signal })) === undefined) return notRunning(books);
      return {
        kind: "behind",
        sourceRevision: revision.toString(),
        appliedRevision: applied?.toString(),
        pass: isSearching(read.state) ? read.state.pass?.cause : undefined,
      };
    }
    await clock.sleep(LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

function notRunning({ keys }: LinkBooks): DrainAnswer {
  return cannot(`no mirror of link ${keys.link} is running`, "start one, then drain again");
}

/**
 * All that the source held at one revision. A checkpoint that has come so far says that it is applied, but none needs to come so far: the
 * store's revision counts every write, also those that no mirror watches (compact_rev_key, the books of another link). Of these a mirror
 * hears by progress only, which takes ten seconds of silence, and which older servers do not tell in a way that can be trusted. So
 * a checkpoint from which on nothing below the prefix has changed will do.
 */
class Goal {
  /** The checkpoint that was found not to do, and need not be asked about again. */
  #missedAt: bigint | undefined;

  constructor(
    private readonly source: Etcd,
    private readonly prefix: string,
    private readonly revision: bigint,
  ) {}

  async isReached(state: LinkState, signal: AbortSignal): Promise<boolean> {
    const { phase, applied } = state;
    if (phase !== "tail" || applied === undefined || isSearching(state)) return false;
    if (applied >= this.revision) return true;
    if (applied === this.#missedAt) return false;
    try {
      const between = { prefix: this.prefix, from: applied, to: this.revision };
      if (await isUnchanged(this.source, between, { signal })) return true;
    } catch (error) {
      // The checkpoint may still come so far by itself. What is compacted stays so; all else may be asked again.
      if (!(error instanceof EtcdError)) throw error;
      if (error.kind !== "compacted") return false;
    }
    this.#missedAt = applied;
    return false;
  }
}
